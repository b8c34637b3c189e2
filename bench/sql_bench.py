"""`playhead sql` in a pipe: first byte, a reader that leaves, and 10 M rows as text, beside DuckDB."""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PLAYHEAD = os.environ["PLAYHEAD_BIN"]
PROJECT = os.path.join(os.environ["PLAYHEAD_SOURCE_DIR"], "projects/content")
RUNS = 5
NARROW = "select * from range(10000000)"
WIDE = ("select range as i, range * 1.5 as d, 'title ' || range as s,"
        " timestamp '2024-01-01' + interval (range) second as t from range(3000000)")
DUCKDB = "import duckdb, sys; duckdb.execute(f\"copy ({sys.argv[1]}) to '/dev/stdout' (format csv)\")"


def run(command, lines):
    """Seconds to the first byte, seconds to the end and the peak in MB; reads so many lines, or all."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    process.stdout.read(1)
    first = time.perf_counter() - started
    if lines is None:
        while process.stdout.read(1 << 20):
            pass
    else:
        for _ in range(lines):
            process.stdout.readline()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return first, time.perf_counter() - started, usage.ru_maxrss / 1024


def report(name, command, lines=None):
    run(command, lines)  # reads libraries from disk
    firsts, ends, peaks = zip(*(run(command, lines) for _ in range(RUNS)))
    print(f"{name:40} first byte {statistics.median(firsts) * 1000:6.0f} ms   end"
          f" {statistics.median(ends):6.2f} s ({min(ends):.2f}-{max(ends):.2f})   peak {max(peaks):5.0f} MB")


def main():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        common = [PLAYHEAD, "--project", PROJECT, "--warehouse", folder]
        subprocess.run([*common, "ingest", "--once"], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

        def sql(query, form="csv"):
            return [*common, "sql", "--format", form, "-c", query]

        report("select 1", sql("select 1"))
        report("50 M rows | head -2", sql("select * from range(50000000)"), lines=2)
        for name, query in ("10 M rows, 1 column", NARROW), ("3 M rows, 4 columns", WIDE):
            for form in ("csv", "json"):
                report(f"{name}, {form}", sql(query, form))
            report(f"{name}, csv, DuckDB in Python", [sys.executable, "-c", DUCKDB, query])


if __name__ == "__main__":
    main()
