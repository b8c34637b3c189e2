"""Parquet landing files as pyarrow writes them: types, unknown columns, dead letters, packed files, damage,
and a file of some kilobytes that unpacks to two gigabytes."""

import datetime
import decimal
import gzip
import json
import os
import subprocess
import tempfile

import pyarrow as pa
import pyarrow.parquet as pq

from playhead_lake import BINARY, Lake, equal
from small_project import make_project, rest

UTC = datetime.timezone.utc
TABLES = """
- name: titles
  config:
    meta: {playhead: {format: parquet, timezone: Europe/Berlin, partition_by: [ingestion_date]}}
  columns:
    - {name: title, data_type: VARCHAR, data_tests: [not_null]}
    - {name: year, data_type: INTEGER}
    - {name: score, data_type: DOUBLE}
    - {name: price, data_type: "DECIMAL(6,2)"}
    - {name: seen, data_type: BOOLEAN}
    - {name: released, data_type: DATE}
    - {name: added_at, data_type: TIMESTAMPTZ}
    - {name: local_at, data_type: TIMESTAMPTZ}
    - {name: epoch_at, data_type: TIMESTAMPTZ}
    - {name: genres, data_type: "VARCHAR[]"}
    - {name: studio, data_type: "STRUCT(name VARCHAR, founded INTEGER)"}
    - {name: ratings, data_type: "MAP(VARCHAR, DOUBLE)"}
    - {name: code, data_type: VARCHAR}
- name: notes
  config: {meta: {playhead: {format: parquet}}}
  columns:
    - {name: note, data_type: VARCHAR}
- name: cells
  config: {meta: {playhead: {format: parquet}}}
  columns:
    - {name: bytes, data_type: BLOB}
    - {name: parts, data_type: "BLOB[]"}
    - {name: wide, data_type: DOUBLE}
    - {name: thin, data_type: FLOAT}
"""


def write(path, table, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, **more)
    return rest(path)


def summary(lake, expect=0):
    lines = json.loads(lake.run("ingest", "--once", "--format", "json", expect=expect))
    return {line["stream"]: (line["read"], line["good"], line["dead"]) for line in lines}


def titles():
    """Three rows of which the last has no title and the second a year that is none."""
    at = datetime.datetime(2024, 3, 1, 12, 30, 0, 250_000, tzinfo=UTC)
    return pa.table({
        "title": pa.array(["Höhle", "Ran", None]),
        "year": pa.array(["1985", "soon", "1999"]),                      # text into INTEGER
        "score": pa.array([7, 8, 9], pa.int16()),                        # whole numbers into DOUBLE
        "price": pa.array([decimal.Decimal("12.50")] * 3, pa.decimal128(10, 4)),
        "seen": pa.array([True, None, False]),
        "released": pa.array([datetime.date(1985, 6, 1)] * 3),
        "added_at": pa.array([at] * 3, pa.timestamp("ns", "America/New_York")),
        "local_at": pa.array([datetime.datetime(2024, 7, 1, 12)] * 3, pa.timestamp("ms")),
        "epoch_at": pa.array([1_700_000_000_123] * 3),
        "genres": pa.array([["drama", None], [], None]),
        "studio": pa.array([{"name": "Example", "founded": 1950, "city": "Ulm"}, None, None]),
        "ratings": pa.array([[("de", 8.5), ("fr", 7)], [], None], pa.map_(pa.string(), pa.float64())),
        "code": pa.array([5, 6, 7], pa.uint8()),                         # a number into VARCHAR
        "shelf": pa.array(["a\"1", None, "c"]).dictionary_encode(),      # not declared
    })


def types(lake):
    write(lake.landing / "in" / "titles_2024-05-06.parquet", titles(), row_group_size=2)
    equal("types", summary(lake)["titles"], (3, 1, 2))
    row = lake.sql("""select title, year, score, price::varchar as price, seen, released::varchar as released,
      added_at at time zone 'UTC' = timestamp '2024-03-01 12:30:00.25' as added,
      local_at at time zone 'UTC' = timestamp '2024-07-01 10:00:00' as local,
      epoch_at at time zone 'UTC' = timestamp '2023-11-14 22:13:20.123' as epoch,
      genres, studio.founded as founded, ratings['fr'] as fr, code, ingestion_date::varchar as day,
      _offset, _extra from bronze.titles""")[0]
    extra = json.loads(row.pop("_extra"))
    equal("the row", row, {
        "title": "Höhle", "year": 1985, "score": 7, "price": "12.50", "seen": True,
        "released": "1985-06-01", "added": True, "local": True, "epoch": True,
        "genres": ["drama", None], "founded": 1950, "fr": 7, "code": "5", "day": "2024-05-06",
        "_offset": row["_offset"]})
    equal("offset", int(row["_offset"]), 0)
    equal("what is not declared", extra,
          {"studio": {"name": "Example", "founded": 1950, "city": "Ulm"}, "shelf": "a\"1"})
    dead = lake.sql("""select _offset, _reason, _detail, decode(_record) as record from bronze.titles_dead
      order by _offset""")
    equal("dead letters", [(int(d["_offset"]), d["_reason"]) for d in dead],
          [(1, "wrong_type"), (2, "missing_field")])
    record = json.loads(dead[0]["record"])
    equal("a dead letter's row", (record["title"], record["year"], record["added_at"], record["code"]),
          ("Ran", "soon", "2024-03-01T12:30:00.250000000Z", 6))
    lake.audit()


def bytes_and_floats(lake):
    """A BLOB is bytes, not text, and floats are floats."""
    odd = [float("nan"), float("inf"), float("-inf"), 0.1]
    cells = [b"\xff\x00\x01", b"text", b"", None]
    write(lake.landing / "cells.parquet", pa.table({
        "bytes": pa.array(cells, pa.binary()), "parts": pa.array([[c] for c in cells], pa.list_(pa.large_binary())),
        "wide": pa.array(odd, pa.float64()), "thin": pa.array(odd, pa.float32()),
        "other": pa.array(cells, pa.binary())}))
    equal("cells", summary(lake)["cells"], (4, 4, 0))
    rows = lake.sql("""select hex(bytes) as b, hex(parts[1]) as p, wide::varchar as w, thin::varchar as t, _extra as e
      from bronze.cells order by _offset""")
    equal("bytes", [(row["b"], row["p"]) for row in rows],
          [("FF0001", "FF0001"), ("74657874", "74657874"), ("", ""), (None, None)])
    equal("floats", [(row["w"], row["t"]) for row in rows], [(v, v) for v in ("nan", "inf", "-inf", "0.1")])
    equal("not declared", [row["e"] and json.loads(row["e"])["other"] for row in rows], ["/wAB", "text", "", None])
    lake.audit()


def packed(lake):
    plain = write(lake.folder / "plain.parquet", pa.table({"note": ["a", "b"]}))
    (lake.landing / "notes_2024-01-01.parquet.gz").write_bytes(gzip.compress(plain.read_bytes()))
    (lake.landing / "notes_2024-01-02.parquet.zst").write_bytes(
        pa.compress(plain.read_bytes(), codec="zstd", asbytes=True))
    for path in lake.landing.glob("notes*"):
        rest(path)
    equal("packed", summary(lake)["notes"], (4, 4, 0))
    equal("nothing stays unpacked", list((lake.warehouse / "_staging").rglob("unpacked")), [])


def refused(lake, name, content, why):
    """The file is refused by name; the one behind it in the folder is taken."""
    path = lake.landing / name
    path.write_bytes(content)
    rest(path)
    write(lake.landing / "z" / name.split(".")[0] / "notes.parquet", pa.table({"note": [name]}))
    done = subprocess.run([BINARY, "ingest", "--once"], capture_output=True, env=lake.environment(),
                          check=False, timeout=240)
    text = done.stderr.decode()
    equal(f"exit of {name}", done.returncode, 2)
    assert name in text and why in text, f"{name}: {why!r} is not said:\n{text}"
    rows = lake.sql(f"select count(*) as n from bronze.notes where note = '{name}'")
    equal(f"the file behind {name}", int(rows[0]["n"]), 1)
    path.unlink()


def damaged(lake):
    whole = write(lake.folder / "whole.parquet",
                  pa.table({"note": [f"{i} {i * 7919}" for i in range(5000)]}),
                  compression="zstd").read_bytes()
    refused(lake, "notes_2024-02-01.parquet", whole[:-100], "Parquet file cannot be read")
    refused(lake, "notes_2024-02-02.parquet", b"", "Parquet file cannot be read")
    broken = whole[:3000] + bytes(200) + whole[3200:]
    refused(lake, "notes_2024-02-03.parquet", broken, "row group 0")
    summed = write(lake.folder / "summed.parquet", pa.table({"note": ["as it was written"] * 9}),
                   compression="none", use_dictionary=False, write_page_checksum=True).read_bytes()
    refused(lake, "notes_2024-02-07.parquet", summed.replace(b"as it was", b"as it is "), "CRC")
    refused(lake, "notes_2024-02-04.parquet.gz", gzip.compress(whole)[:-2000], "packed file is damaged")
    other = write(lake.folder / "other.parquet", pa.table({"text": ["a"]})).read_bytes()
    refused(lake, "notes_2024-02-05.parquet", other, "no declared column: columns=text")
    bomb = gzip.compress(bytes(100 << 20))
    refused(lake, "notes_2024-02-06.parquet.gz", bomb, "grows more than 250 times")


def peak_of(lake, *arguments, expect):
    """Peak memory of a run in bytes, and what it wrote to stderr."""
    with tempfile.TemporaryFile() as err:
        process = subprocess.Popen([BINARY, *arguments], stdout=subprocess.DEVNULL, stderr=err,
                                   env=lake.environment())
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        err.seek(0)
        text = err.read().decode()
    equal(f"exit of {arguments}: {text[-2000:]}", process.returncode, expect)
    return usage.ru_maxrss * 1024, text


def bombs(lake):
    # 2 GiB in 8 values of one dictionary entry: not even one row can be had within the limit.
    value = pa.array(["x" * (256 << 20)])
    big = pa.DictionaryArray.from_arrays(pa.array([0] * 8, pa.int32()), value)
    path = write(lake.folder / "notes.parquet", pa.table({"note": big}), compression="zstd",
                 dictionary_pagesize_limit=1 << 30, write_statistics=False)
    assert path.stat().st_size < 64 << 10, path.stat().st_size
    peak, text = peak_of(lake, "ingest", "--stream", "notes", path, expect=2)
    assert "one row needs too much" in text, text
    assert peak < 1 << 30, f"{peak} bytes for a bomb that is refused"

    # 200 MiB in 200 values of one entry are rows like any others, taken in small batches.
    rows = pa.DictionaryArray.from_arrays(pa.array([0] * 200, pa.int32()), pa.array(["y" * (1 << 20)]))
    path = write(lake.folder / "more" / "notes.parquet", pa.table({"note": rows}), compression="zstd",
                 dictionary_pagesize_limit=1 << 30, write_statistics=False)
    assert path.stat().st_size < 4096, path.stat().st_size
    before = lake.count("bronze.notes")
    peak, _ = peak_of(lake, "ingest", "--stream", "notes", path, expect=0)
    equal("rows of repeated text", lake.count("bronze.notes") - before, 200)
    assert peak < 1 << 30, f"{peak} bytes for 200 MiB of repeated text"
    lake.audit()


def main():
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        types(lake)
        bytes_and_floats(lake)
        packed(lake)
        damaged(lake)
        bombs(lake)


if __name__ == "__main__":
    main()
