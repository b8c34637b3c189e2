"""A landing folder full of damaged and odd files, taken in one run: each is named, and the rest goes on."""

import bz2
import gzip
import json
import lzma
import subprocess
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

from playhead_lake import BINARY, Lake, equal
from small_project import make_project, rest

TABLE = """
- name: {name}
  config:
    meta: {{playhead: {{format: {format}, landing: ["{name}/*"]}}}}
  columns:
    - {{name: id, data_type: BIGINT, data_tests: [not_null]}}
    - {{name: title, data_type: VARCHAR}}
"""
TABLES = "".join(TABLE.format(name=f"of_{kind}", format=kind) for kind in ("csv", "jsonl", "json", "parquet"))
BOM = b"\xef\xbb\xbf"


def lines(first, count, width=40):
    """JSON lines that do not pack to nothing."""
    return [json.dumps({"id": i, "title": f"{i * 2_654_435_761 % 2**32:0{width}}"})
            for i in range(first, first + count)]


class Folder:
    """Puts files into the landing folder and remembers what must become of each."""

    def __init__(self, lake):
        self.lake = lake
        self.expected = {}
        self.refused = {}
        self.warned = {}

    def put(self, name, content):
        path = self.lake.landing / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        rest(path)

    def taken(self, name, content, good, dead=()):
        """`good`: ids in order of their records; `dead`: (offset, reason, bytes or None, words of _detail)."""
        self.put(name, content)
        self.expected[name] = (list(good), list(dead))

    def warn(self, name, content, good, why):
        self.taken(name, content, good)
        self.warned[name] = why

    def refuse(self, name, content, why):
        self.put(name, content)
        self.refused[name] = why


def fill(folder):
    csv = b"id,title\n1,Heat\n2,Ran\n"
    folder.taken("of_csv/a_good.csv", csv, [1, 2])
    folder.taken("of_csv/bom.csv", BOM + csv, [1, 2])
    folder.taken("of_csv/crlf.csv", b'id,title\r\n1,Heat\r\n2,"Ran\r\nagain"\r\n3,', [1, 2, 3])
    folder.taken("of_csv/ragged.csv", b"id,title\n1,Heat\n2\n3,Ran,1985,extra\n4,Up\n", [1, 4],
                 [(1, "ragged_line", b"2", "1 fields, the header has 2"),
                  (2, "ragged_line", b"3,Ran,1985,extra", "4 fields")])
    folder.taken("of_csv/latin.csv", b"id,title\n1,Heat\n2,Caf\xe9\n3,Up\n", [1, 3],
                 [(1, "not_utf8", b"2,Caf\xe9", "UTF-8")])
    folder.taken("of_csv/open_quote.csv", b'id,title\n1,Heat\n2,"Ran\n3,Up\n', [1],
                 [(1, "unreadable", b'2,"Ran\n3,Up\n', "a quote is never closed")])
    folder.warn("of_csv/header_only.csv", b"id,title\n", [], "file holds no record")
    folder.warn("of_csv/empty.csv", b"", [], "file holds no record")
    folder.warn("of_json/empty.json", b"[ ]\n", [], "file holds no record")
    folder.taken("of_csv/cr.csv", b'id,title\r1,Heat\r2,"Ran\rand"\r3,', [1, 2, 3])
    folder.refuse("of_csv/cr_no_header.csv", b"1,Heat\r2,Ran\r", "the first line must be a header")
    folder.refuse("of_csv/only_a_header.csv", b"number,name\n", "names no declared column")
    folder.refuse("of_csv/all_blanks.csv", b" id, title\n1,Heat\n", "names with blanks around them: ' id',' title'")
    folder.warn("of_csv/blanks.csv", b"id,title ,note\n1,Heat,x\n", [1], "names with blanks around them: 'title '")
    folder.warn("of_csv/few.csv", b"id,a,b,c\n1,x,y,z\n", [1], "a,b,c")
    folder.taken("of_csv/twice_undeclared.csv", b"id,x,x,x_2,x\n1,a,b,c,d\n", [1])
    folder.refuse("of_csv/no_header.csv", b"1,Heat\n2,Ran\n", "the first line must be a header")
    folder.refuse("of_csv/twice.csv", b"id,title,id\n1,Heat,2\n", "a column twice: column=id")
    # Cut in the middle of a field: the record looks whole and is not.
    whole = b"id,title\n" + b"".join(b"%d,%040d\n" % (i, i * 2_654_435_761 % 2**32) for i in range(4000))
    torn = zlib_prefix(whole, b"\n2500,", extra=20)
    folder.taken("of_csv/torn.csv.gz", torn, range(2500),
                 [(2500, "unreadable", None, "it is truncated")])

    folder.taken("of_jsonl/a_good.jsonl", "\n".join(lines(0, 3)).encode(), [0, 1, 2])
    folder.taken("of_jsonl/bom_crlf.jsonl", BOM + b'{"id":1}\r\n\r\n{"id":2}\r\n', [1, 2])
    folder.taken("of_jsonl/broken.jsonl", b'{"id":1}\n{"id":2,"title":\n{"id":3}\n', [1, 3],
                 [(1, "not_json", b'{"id":2,"title":', "not JSON")])
    text = "\n".join(lines(0, 4000)).encode()
    folder.taken("of_jsonl/torn.jsonl.gz", zlib_prefix(text, b'{"id": 1700,', extra=30), range(1700),
                 [(1700, "unreadable", None, "it is truncated")])
    folder.taken("of_jsonl/whole.jsonl.zst", pa.compress(text, codec="zstd", asbytes=True), range(4000))
    # The bytes say how a file is packed, whatever it is called.
    folder.taken("of_jsonl/not_packed.jsonl.gz", b'{"id":1}\n', [1])
    folder.taken("of_jsonl/packed.jsonl", gzip.compress(b'{"id":1}\n'), [1])
    folder.taken("of_jsonl/UPPER.JSONL.GZ", gzip.compress(b'{"id":1}\n'), [1])
    folder.taken("of_jsonl/zstd.gz", pa.compress(b'{"id":1}\n', codec="zstd", asbytes=True), [1])
    folder.refuse("of_jsonl/a.jsonl.bz2", bz2.compress(b'{"id":1}\n'), "compression not supported: bzip2")
    folder.refuse("of_csv/a.csv.xz", lzma.compress(csv), "compression not supported: xz")
    for codec, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        folder.refuse(f"of_csv/{codec}.csv", mark + csv.decode().encode(codec), "text is UTF-16")
        folder.refuse(f"of_jsonl/{codec}.jsonl", gzip.compress(mark + '{"id":1}'.encode(codec)), "text is UTF-16")
    folder.taken("of_jsonl/rfc_7464.jsonl", b'\x1e{"id":1}\n\x1e{"id":2}\n', [],
                 [(0, "not_json", b'\x1e{"id":1}', "RFC 7464"), (1, "not_json", b'\x1e{"id":2}', "RFC 7464")])
    folder.taken("of_jsonl/commas.jsonl", b'{"id":1},\n{"id":2}\n', [2],
                 [(0, "not_json", b'{"id":1},', "a comma behind the object")])
    # The bombs begin with a record, then 128 MiB without a line end.
    for name, packed in (("bomb.jsonl.gz", gzip.compress(b'{"id":1}\n' + bytes(128 << 20), 6)),
                         ("bomb.jsonl.zst", pa.compress(b'{"id":1}\n' + bytes(128 << 20), codec="zstd",
                                                        asbytes=True))):
        folder.taken(f"of_jsonl/{name}", packed, [1],
                     [(1, "unreadable", bytes(16 << 20), "grows more than 250 times")])

    folder.taken("of_json/array.json", b'[{"id":1},{"id":2}]', [1, 2])
    # Whatever the first line is like, values may stand on one line or go over several.
    folder.taken("of_json/mixed.json", b'{"id":1}\n{"id":2} {"id":3}\n{\n  "id": 4,\n  "title": "Up"\n}\n{"id":5}\n',
                 [1, 2, 3, 4, 5])
    folder.taken("of_json/mixed_broken.json", b'{"id":1}\n{"id":2,"title":\n{"id":3}\n{"id":4}{"id":5}\n', [1, 3, 4, 5],
                 [(1, "not_json", b'{"id":2,"title":', "not JSON")])
    folder.taken("of_json/torn_array.json", b'[{"id":1},{"id":2},{"id":3,"ti', [1, 2],
                 [(2, "unreadable", b'{"id":3,"ti', "")])

    table = pa.table({"id": range(5000), "title": [str(i * 7919) for i in range(5000)]})
    path = folder.lake.folder / "whole.parquet"
    pq.write_table(table, path)
    parquet = path.read_bytes()
    folder.taken("of_parquet/a_good.parquet", parquet, range(5000))
    folder.refuse("of_parquet/torn.parquet", parquet[:len(parquet) // 2], "Parquet file cannot be read")
    folder.refuse("of_parquet/text.parquet", b"id,title\n1,Heat\n", "Parquet file cannot be read")
    folder.taken("of_parquet/z_good.parquet", parquet, range(5000))


def zlib_prefix(text, before, extra):
    """gzip of `text`, torn so that what can be unpacked ends `extra` bytes behind the beginning of `before`."""
    end = text.index(before) + (1 if before.startswith(b"\n") else 0) + extra
    # Without compression the packed bytes are the text's own, so the tear is where it is wanted.
    packed = gzip.compress(text, 0)
    for size in range(end, len(packed)):
        if len(unpacked(packed[:size])) == end:
            return packed[:size]
    raise AssertionError("no such tear")


def unpacked(packed):
    return zlib.decompressobj(31).decompress(packed)


def by_file(lake, columns, table):
    """Rows of a table by the file they came from, in order."""
    files = {}
    for row in lake.sql(f"""select regexp_extract(_topic, '^file:(.*)#[0-9a-f]{{12}}$', 1) as name, _offset,
          {columns} from {table} order by _topic, _offset"""):
        files.setdefault(row.pop("name"), []).append(row)
    return files


def check(lake, expected):
    rows, dead_letters = {}, {}
    for table in ("of_csv", "of_jsonl", "of_json", "of_parquet"):
        rows |= by_file(lake, "id", f"bronze.{table}")
        dead_letters |= by_file(lake, """_reason, _detail, octet_length(_record) as bytes,
          case when octet_length(_record) < 100 then hex(_record) end as record""", f"bronze.{table}_dead")
    equal("files with rows", sorted(rows), sorted(name for name, (good, _) in expected.items() if good))
    equal("files with dead letters", sorted(dead_letters),
          sorted(name for name, (_, dead) in expected.items() if dead))
    for name, (good, dead) in expected.items():
        equal(f"rows of {name}", [int(row["id"]) for row in rows.get(name, [])], good)
        have = dead_letters.get(name, [])
        equal(f"dead letters of {name}", [(int(row["_offset"]), row["_reason"]) for row in have],
              [(offset, reason) for offset, reason, _, _ in dead])
        for row, (_, _, record, detail) in zip(have, dead):
            assert detail in row["_detail"], f"{name}: {row['_detail']!r} does not say {detail!r}"
            if record is None:
                continue
            equal(f"bytes of {name}'s dead letter", int(row["bytes"]), len(record))
            if len(record) < 100:
                equal(f"the dead letter of {name}", bytes.fromhex(row["record"]), record)


def main():
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        folder = Folder(lake)
        fill(folder)
        done = subprocess.run([BINARY, "ingest", "--once", "--format", "json"], capture_output=True,
                              env=lake.environment(), check=False, timeout=240)
        log = done.stderr.decode()
        equal(f"exit, since files were refused: {log[-3000:]}", done.returncode, 2)
        for name, why in {**folder.refused, **folder.warned}.items():
            said = [line for line in log.splitlines() if name in line and why in line]
            assert said, f"the log does not say of {name}: {why}\n{log}"
        for name in ("torn.csv.gz", "torn.jsonl.gz", "bomb.jsonl.gz", "bomb.jsonl.zst"):
            assert any("file ends before its end" in line and name in line for line in log.splitlines()), \
                f"the log does not name {name}\n{log}"
        check(lake, folder.expected)
        equal("a name that comes again", lake.sql("""select _extra as e from bronze.of_csv
          where _topic like '%twice_undeclared%'""")[0]["e"], '{"x":"a","x_3":"b","x_2":"c","x_4":"d"}')
        summary = json.loads(done.stdout)
        equal("read", sum(line["read"] for line in summary),
              sum(len(good) + len(dead) for good, dead in folder.expected.values()))
        raw = lake.warehouse / "raw"
        for name in folder.expected:
            copies = list(raw.rglob(name))
            equal(f"raw copy of {name}", [copy.read_bytes() for copy in copies],
                  [(lake.landing / name).read_bytes()])
        lake.audit()
        # What was refused is said again, nothing is taken twice.
        again = json.loads(lake.run("ingest", "--once", "--format", "json", expect=2))
        equal("read again", sum(line["read"] for line in again), 0)


if __name__ == "__main__":
    main()
