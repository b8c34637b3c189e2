"""File to committed, partitioned table: playhead beside DuckDB's read_json -> COPY ... PARTITION_BY.

1,000,000 `content` events (PLAYHEAD_BENCH_EVENTS for another number) from the simulator; one core for each
(taskset), DuckDB with threads = 1. Five runs each after a warm-up, in turn, all shown. playhead's run is the
whole command: hash, decode, Parquet, fsync, Iceberg metadata, SQLite commit. DuckDB's run writes Parquet only.
The limit of the parts alone (simdjson into Arrow builders, then Parquet with zstd, no I/O waits) is about
0.8 to 1.0 M events/s a core.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

EVENTS = int(os.environ.get("PLAYHEAD_BENCH_EVENTS", "1000000"))
RUNS = 5
PLAYHEAD = os.environ["PLAYHEAD_BIN"]
PROJECT = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"]) / "projects" / "content"
CORE = str(max(os.sched_getaffinity(0)))

DUCKDB = """
import duckdb, sys
con = duckdb.connect()
con.execute("SET threads = 1; SET TimeZone = 'UTC'; SET preserve_insertion_order = false")
con.execute(f'''
COPY (SELECT *, CAST(timestamp AS DATE) AS date FROM read_json('{sys.argv[1]}', format = 'newline_delimited',
  columns = {{event_id: 'VARCHAR', event_type: 'VARCHAR', timestamp: 'TIMESTAMPTZ', user_id: 'VARCHAR',
    device_id: 'VARCHAR', session_id: 'VARCHAR', ip_address: 'VARCHAR', content_id: 'VARCHAR',
    content_type: 'VARCHAR', title: 'VARCHAR', genre: 'VARCHAR[]', duration_seconds: 'BIGINT',
    language: 'VARCHAR', current_timestamp: 'DOUBLE', schema_version: 'VARCHAR', event_source: 'VARCHAR'}}))
TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (event_type, date))''')
"""


def run(command, environment=None):
    """Wall seconds, CPU seconds and peak bytes of one command."""
    started = time.perf_counter()
    process = subprocess.Popen(["taskset", "-c", CORE, *command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, env=environment)
    error = process.stderr.read()
    _, code, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if code != 0:
        sys.exit(f"{command} failed:\n{error.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def parquet_bytes(folder):
    return sum(path.stat().st_size for path in pathlib.Path(folder).rglob("*.parquet"))


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="playhead-bench-"))
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder)


def measure(folder):
    events = folder / "events.jsonl"
    environment = {**os.environ, "PLAYHEAD_PROJECT": str(PROJECT)}
    subprocess.run([PLAYHEAD, "simulate", "media_events", "--events", str(EVENTS), "--to", str(events)],
                   check=True, env=environment, stderr=subprocess.DEVNULL)
    size = events.stat().st_size
    print(f"{EVENTS:,} events, {size / EVENTS:.0f} bytes each, core {CORE}, file in the page cache")

    times = {"playhead": [], "duckdb": []}
    for number in range(RUNS + 1):
        for name in times:
            out = folder / f"{name}-{number}"
            if name == "playhead":
                command = [PLAYHEAD, "ingest", "--stream", "media_events", str(events), "--warehouse",
                           str(out)]
                data = out / "bronze"
            else:
                command = [sys.executable, "-c", DUCKDB, str(events), str(out)]
                data = out
            seconds, cpu, peak = run(command, environment)
            if number > 0:  # the first pair warms the caches
                times[name].append(seconds)
                print(f"{name:9} run {number}: {seconds:6.2f} s  {EVENTS / seconds / 1e6:5.3f} M events/s  "
                      f"cpu {cpu:5.2f} s  peak {peak / 1e6:6.0f} MB  "
                      f"{parquet_bytes(data) / EVENTS:5.1f} bytes/event")
            shutil.rmtree(out)
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"median: playhead {EVENTS / median['playhead'] / 1e6:.3f} M/s, "
          f"DuckDB {EVENTS / median['duckdb'] / 1e6:.3f} M/s, "
          f"ratio {median['duckdb'] / median['playhead']:.2f}")


if __name__ == "__main__":
    main()
