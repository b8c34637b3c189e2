"""`ingest --stream`: one content is loaded once whatever way it comes (file, pipe, socket, redirection), and
what is refused or was there before leaves nothing behind."""

import gzip
import json
import os
import random
import socket
import subprocess
import threading

import pyarrow as pa
import pyarrow.parquet as pq

from playhead_lake import BINARY, Lake, equal
from small_project import make_project

TABLES = """
- name: clicks
  config: {meta: {playhead: {format: jsonl}}}
  columns:
    - {name: id, data_type: BIGINT, data_tests: [not_null]}
    - {name: text, data_type: VARCHAR}
- name: sales
  config: {meta: {playhead: {format: csv}}}
  columns:
    - {name: id, data_type: BIGINT}
- name: titles
  config: {meta: {playhead: {format: parquet}}}
  columns:
    - {name: title, data_type: VARCHAR}
"""


def lines(first, count):
    return "".join(json.dumps({"id": first + i, "text": f"line {i:06}"}) + "\n"
                   for i in range(count)).encode()


def load(lake, *files, stream="clicks", stdin=None, expect=0):
    """(read, good, dead, files, bytes) of the summary."""
    out = lake.run("ingest", "--stream", stream, *files, "--format", "json", stdin=stdin, expect=expect)
    [line] = json.loads(out)
    return tuple(line[name] for name in ("read", "good", "dead", "files", "bytes"))


def through(lake, stdin, expect=0):
    """As load() of `-`, with an open file or socket for standard input; None: it is closed."""
    command = [BINARY, "ingest", "--stream", "clicks", "-", "--format", "json"]
    if stdin is None:
        command = ["bash", "-c", '"$@" <&-', "bash", *command]
    done = subprocess.run(command, stdin=stdin, capture_output=True, env=lake.environment(), timeout=60,
                          check=False)
    assert done.returncode == expect, (done.returncode, done.stderr)
    return json.loads(done.stdout)[0]["read"], done.stderr.decode()


def nothing_staged(lake):
    equal("staged", [str(path) for path in (lake.warehouse / "_staging").glob("*/*")], [])


def ways(lake):
    """The same bytes by every way are loaded by the first."""
    content = lines(1_000, 20_000)
    size = len(content)
    path = lake.folder / "clicks_2024-03-01.jsonl"
    path.write_bytes(content)
    equal("pipe", load(lake, "-", stdin=content), (20_000, 20_000, 0, 1, size))
    rows = lake.sql("select distinct _topic, count(*) over () as n, max(_offset) over () as last from bronze.clicks")
    equal("rows", (rows[0]["n"], rows[0]["last"]), (20_000, 19_999))
    assert rows[0]["_topic"].startswith("file:stdin#"), rows
    nothing = (0, 0, 0, 0, 0)
    equal("file", load(lake, path), nothing)
    equal("pipe again", load(lake, "-", stdin=content), nothing)
    with open(path, "rb") as file:
        equal("redirection", through(lake, file)[0], 0)
    fifo = lake.folder / "fifo.jsonl"
    os.mkfifo(fifo)
    feeder = threading.Thread(target=fifo.write_bytes, args=(content,))
    feeder.start()
    equal("FIFO", load(lake, fifo), nothing)
    feeder.join()
    ours, theirs = socket.socketpair()
    feeder = threading.Thread(target=lambda: (ours.sendall(content), ours.close()))
    feeder.start()
    with theirs:
        equal("socket", through(lake, theirs)[0], 0)
    feeder.join()
    equal("rows", lake.count("bronze.clicks"), 20_000)

    # Through a FIFO that has a name with a date, when it is new.
    fresh = lake.folder / "more_2024-03-02.jsonl"
    os.mkfifo(fresh)
    feeder = threading.Thread(target=fresh.write_bytes, args=(lines(50_000, 10),))
    feeder.start()
    equal("new FIFO", load(lake, fresh)[:4], (10, 10, 0, 1))
    feeder.join()
    closed, said = through(lake, None, expect=2)
    equal("closed", closed, 0)
    assert "Bad file descriptor" in said, said


def contents(lake):
    """Files of one size are told apart by what is in them, and each load has a `_topic` of its own."""
    before = lake.count("bronze.clicks")
    for number, name in enumerate(("a.jsonl", "b.jsonl", "a.jsonl")):
        path = lake.folder / name
        path.write_bytes(lines(90_000 + 10 * number, 10))
        equal(f"{number}", load(lake, path)[:2], (10, 10))
        equal(f"{number} again", load(lake, path)[:2], (0, 0))
    equal("rows", lake.count("bronze.clicks"), before + 30)
    topics = lake.sql("select _topic, count(*) as n from bronze.clicks where id >= 90000 group by 1")
    equal("loads", [row["n"] for row in topics], [10, 10, 10])
    # A missing file and a known one do not keep the good one out.
    good = lake.folder / "good.jsonl"
    good.write_bytes(lines(91_000, 7))
    equal("between", load(lake, lake.folder / "none.jsonl", path, good, expect=2)[:2], (7, 7))
    empty = lake.folder / "empty.jsonl"
    empty.write_bytes(b"")
    equal("empty", load(lake, empty)[:2], (0, 0))


def packed(lake):
    """The hash is of the packed bytes, all of them, also where the file is damaged in its middle."""
    packed = gzip.compress(lines(200_000, 5_000))
    path = lake.folder / "c.jsonl.gz"
    path.write_bytes(packed)
    equal("packed", load(lake, path)[:3], (5_000, 5_000, 0))
    equal("again", load(lake, path)[:3], (0, 0, 0))
    damaged = gzip.compress(lines(300_000, 5_000)) + b"no second member" + random.Random(1).randbytes(2 << 20)
    path.write_bytes(damaged)
    read, good, dead, files, size = load(lake, path)
    equal("damaged", (read, good, dead), (5_001, 5_000, 1))
    equal("whole file", (files, size), (1, len(damaged)))
    equal("again", load(lake, path)[:3], (0, 0, 0))
    # Another end makes another content.
    path.write_bytes(damaged[:-1] + bytes([damaged[-1] ^ 1]))
    equal("other end", load(lake, path)[0], read)


def parquet(lake):
    """Parquet is read from its end: a pipe's is laid down first."""
    path = lake.folder / "titles.parquet"
    pq.write_table(pa.table({"title": ["Ran", "Heat"]}), path)
    content = path.read_bytes()
    equal("pipe", load(lake, "-", stream="titles", stdin=content), (2, 2, 0, 1, len(content)))
    equal("file", load(lake, path, stream="titles")[:2], (0, 0))
    pq.write_table(pa.table({"title": ["Alien"]}), path)
    equal("new file", load(lake, path, stream="titles")[:2], (1, 1))
    equal("its pipe", load(lake, "-", stream="titles", stdin=path.read_bytes())[:2], (0, 0))
    packed = lake.folder / "packed.parquet.gz"
    pq.write_table(pa.table({"title": ["Jaws"]}), path)
    packed.write_bytes(gzip.compress(path.read_bytes()))
    equal("packed", load(lake, packed, stream="titles")[:2], (1, 1))
    equal("packed again", load(lake, packed, stream="titles")[:2], (0, 0))
    equal("not Parquet", load(lake, "-", stream="titles", stdin=b"PAR1 it is not", expect=2)[0], 0)
    equal("titles", [row["title"] for row in lake.sql("select title from bronze.titles order by 1")],
          ["Alien", "Heat", "Jaws", "Ran"])


def refusal(lake):
    """A refused file can be mended and loaded."""
    path = lake.folder / "sales.csv"
    path.write_text("who,when\n1,2\n")
    equal("no header", load(lake, path, stream="sales", expect=2)[0], 0)
    nothing_staged(lake)
    path.write_text("id,when\n1,2\n")
    equal("mended", load(lake, path, stream="sales")[:2], (1, 1))


def main():
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        ways(lake)
        contents(lake)
        packed(lake)
        parquet(lake)
        refusal(lake)
        nothing_staged(lake)
        lake.audit()


if __name__ == "__main__":
    main()
