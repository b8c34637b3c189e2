"""`playhead sql` in a pipe: rows come while they are computed, and a closed pipe ends the statement."""

import os
import resource
import signal
import subprocess

from playhead_lake import BINARY, Lake, equal

ENDLESS = "select * from range(1000000000000)"
NO_ROWS = "select range from range(1000000000000) where range < 0"


def start(lake, *arguments):
    return subprocess.Popen([BINARY, "sql", *arguments], env=lake.environment(),
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def first_lines(lake, count, *arguments):
    with start(lake, *arguments) as sql:
        lines = [sql.stdout.readline() for _ in range(count)]
        sql.stdout.close()
        equal("stderr", sql.stderr.read(), b"")
    equal("exit code", sql.returncode, 0)
    return b"".join(lines).decode()


def check_closed_pipes(lake):
    for name, expected in [("csv", "range\n0\n"), ("tsv", "range\n0\n"),
                           ("json", '[{"range":0},\n{"range":1},\n'),
                           ("ndjson", '{"range":0}\n{"range":1}\n'),
                           ("markdown", "| range |\n|---:|\n"), ("line", "range = 0\n\n")]:
        equal(name, first_lines(lake, 2, "--format", name, "-c", ENDLESS), expected)
    # Nobody would ever see that the pipe is closed by writing into it.
    equal("a statement without rows", first_lines(lake, 2, "-c", "select 1 as a", "-c", NO_ROWS),
          "a\n1\n")


def check_interrupt(lake):
    with start(lake, "-c", "select 1 as a", "-c", NO_ROWS) as sql:
        equal("header", sql.stdout.readline(), b"a\n")
        sql.send_signal(signal.SIGTERM)
    equal("exit code", sql.returncode, -signal.SIGTERM)


def check_memory(lake):
    """A result that is larger than the memory it may take, with what a sanitizer needs on top."""
    with start(lake, "--set", "sql.memory_bytes_max=67108864", "-c",
               "select range, repeat('x', 1000) as text from range(300000)") as sql:
        rows = sum(chunk.count(b"\n") for chunk in iter(lambda: sql.stdout.read(1 << 20), b""))
        equal("stderr", sql.stderr.read(), b"")
        _, _, usage = os.wait4(sql.pid, 0)
        sql.returncode = 0
    equal("rows", rows, 300_001)
    assert usage.ru_maxrss < 1_000_000, f"{usage.ru_maxrss} KB"


def check_spilling(lake):
    """Two that sort more than they may hold, at once in one warehouse."""
    query = ("select count(*) as n, sum(i) as s from (select i, row_number() over "
             "(order by hash(i)) as r from range(4000000) t(i))")
    both = [start(lake, "--set", "sql.memory_bytes_max=67108864", "--set", "sql.threads=1", "-c",
                  query) for _ in range(2)]
    for sql in both:
        out, err = sql.communicate(timeout=300)
        equal("stderr", err, b"")
        equal("sums", out, b"n,s\n4000000,7999998000000\n")
    # A process that is killed leaves its folder to the next one.
    with start(lake, "-c", "select 1 as a", "-c", NO_ROWS) as sql:
        sql.stdout.readline()
        sql.kill()
    spill = lake.warehouse / "_staging/duckdb"
    equal("left behind", len(list(spill.iterdir())), 1)
    lake.run("sql", "-c", "select 1")
    equal("swept", list(spill.iterdir()), [])


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with Lake("content") as lake:
        lake.run("ingest", "--once")
        check_closed_pipes(lake)
        check_interrupt(lake)
        check_memory(lake)
        check_spilling(lake)


if __name__ == "__main__":
    main()
