"""How much bad records slow a load: `playhead ingest --stream` of a clean file beside files of the same number
of bytes in which each kind of bad or odd record (tests/support/bad_records.py) is 5 %.

  clean   simulated `content` events (PLAYHEAD_BENCH_EVENTS, default 400,000)
  bad     the same, but 5 % each of nine kinds: truncated, not UTF-8, wrong types, empty, null, nested 1,000
          deep, duplicate keys, unknown fields, times out of range; 40 % become dead letters
  big     all ten kinds, so 5 % of the records are values of 10 MB and most of the bytes are theirs

The measure is delivered bytes a second, since the files are equal in bytes, not in records. One core for each
run (taskset), five runs each after a warm-up, in turn, all shown.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from bad_records import KINDS, spoil

EVENTS = int(os.environ.get("PLAYHEAD_BENCH_EVENTS", "400000"))
RUNS = 5
PLAYHEAD = os.environ["PLAYHEAD_BIN"]
PROJECT = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"]) / "projects" / "content"
CORE = str(max(os.sched_getaffinity(0)))
ENVIRONMENT = {**os.environ, "PLAYHEAD_PROJECT": str(PROJECT)}


def write_spoiled(path, events, kinds, size):
    """Spoils the events, from the beginning again when they run out, until the file has `size` bytes."""
    written = records = 0
    with open(path, "wb") as file:
        while written < size:
            for _, line in spoil(events, kinds):
                written += file.write(line + b"\n")
                records += 1
                if written >= size:
                    break
    return records


def load(path, warehouse):
    started = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", CORE, PLAYHEAD, "ingest", "--stream", "media_events", str(path), "--warehouse",
         str(warehouse), "--format", "json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT)
    summary = json.loads(process.stdout.read())[0]
    _, code, usage = os.wait4(process.pid, 0)
    if code != 0:
        sys.exit(f"the load of {path} failed: {code}")
    shutil.rmtree(warehouse)
    return time.perf_counter() - started, usage, summary


def measure(folder):
    clean = folder / "clean.jsonl"
    subprocess.run([PLAYHEAD, "simulate", "media_events", "--events", str(EVENTS), "--to", str(clean)],
                   check=True, env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    events = clean.read_bytes().splitlines()
    size = clean.stat().st_size
    records = {"clean": EVENTS}
    records["bad"] = write_spoiled(folder / "bad.jsonl", events,
                                   [kind for kind in KINDS if kind != "big"], size)
    records["big"] = write_spoiled(folder / "big.jsonl", events, KINDS, size)
    print(f"{size:,} bytes: " + ", ".join(f"{name} {count:,} records" for name, count in records.items()))
    rates = {name: [] for name in records}
    for run in range(RUNS + 1):
        for name, count in records.items():
            path = folder / f"{name}.jsonl"
            bytes_ = path.stat().st_size
            seconds, usage, summary = load(path, folder / "lake")
            if (summary["read"], summary["good"] + summary["dead"]) != (count, count):
                sys.exit(f"{name}: {summary} of {count} records")
            if run == 0:
                continue
            rates[name].append(bytes_ / seconds)
            print(f"{name:5} run {run}: {seconds:6.2f} s  {bytes_ / seconds / 1e6:6.1f} MB/s  "
                  f"{count / seconds / 1e3:6.1f} k records/s  dead {summary['dead'] / count:4.0%}  "
                  f"cpu {usage.ru_utime + usage.ru_stime:5.2f} s  peak {usage.ru_maxrss / 1024:5.0f} MiB")
    median = {name: statistics.median(values) for name, values in rates.items()}
    for name in ("bad", "big"):
        change = median[name] / median["clean"] - 1
        print(f"median: {name} {median[name] / 1e6:.1f} MB/s, clean {median['clean'] / 1e6:.1f} MB/s, "
              f"{change:+.0%}")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="playhead-bench-"))
    try:
        measure(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
