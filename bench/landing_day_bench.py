"""A day of the `startup` project's landing files, 8 GB of them (PLAYHEAD_BENCH_GB for another size), from the
landing folder to committed tables: `playhead ingest --once`, one run, raw copies included.

The day has the shape of the simulator's files: 71 % `streams` and 2 % `users` as CSV, 27 % pretty-printed
vendor JSON, each one file. It is made by repeating simulated files with names and addresses that differ in every
repetition, and what is loaded is compared with what was written. It takes three times its size on disk.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

GIGABYTES = float(os.environ.get("PLAYHEAD_BENCH_GB", "8"))
EVENTS = 100_000
DAY = "2021-12-31"
PLAYHEAD = os.environ["PLAYHEAD_BIN"]
PROJECT = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"]) / "projects" / "startup"


def repeat_csv(source, target, times):
    """Every address differs from repetition to repetition. Returns the number of records."""
    header, _, body = source.read_bytes().partition(b"\n")
    with open(target, "wb") as file:
        file.write(header + b"\n")
        for number in range(times):
            file.write(body.replace(b"@", b"+%d@" % number))
    # The simulator's text fields hold no line ends.
    return body.count(b"\n") * times


def repeat_json(source, target, times):
    """One array; every review, book and author differs from repetition to repetition."""
    records = json.loads(source.read_bytes())
    inner = source.read_bytes().strip()[1:-1].rstrip()
    with open(target, "wb") as file:
        file.write(b"[")
        for number in range(times):
            file.write((b"," if number else b"") + inner.replace(b'"text":"', b'"text":"%d ' % number)
                       .replace(b'"name":"', b'"name":"%d ' % number))
        file.write(b"\n]\n")
    return len(records) * times


def make_day(folder):
    """Returns the landing folder, records by stream, and bytes."""
    small, landing = folder / "small", folder / "landing"
    landing.mkdir()
    subprocess.run([PLAYHEAD, "simulate", "--events", str(EVENTS), "--to", f"{small}/"], check=True,
                   stderr=subprocess.DEVNULL, env={**os.environ, "PLAYHEAD_PROJECT": str(PROJECT)})
    files = [path for path in sorted(small.rglob("*")) if path.suffix in (".csv", ".json")]
    times = max(round(GIGABYTES * 1e9 / sum(path.stat().st_size for path in files)), 1)
    records = {}
    for path in files:
        repeat = repeat_csv if path.suffix == ".csv" else repeat_json
        records[path.stem] = repeat(path, landing / f"{path.stem}_{DAY}{path.suffix}", times)
    return landing, records, sum(path.stat().st_size for path in landing.iterdir())


def measure(folder):
    landing, records, size = make_day(folder)
    print(f"{size / 1e9:.2f} GB in {len(records)} files, {sum(records.values()):,} records")
    started = time.perf_counter()
    process = subprocess.Popen(
        [PLAYHEAD, "ingest", "--once", "--format", "json"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "PLAYHEAD_PROJECT": str(PROJECT),
                                     "PLAYHEAD_WAREHOUSE": str(folder / "lake"),
                                     "PLAYHEAD_LANDING": str(landing)})
    out, error = process.stdout.read(), process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status != 0:
        sys.exit(f"ingest failed:\n{error.decode()[-3000:]}")
    for line in json.loads(out):
        name = line["stream"]
        if (line["read"], line["good"] + line["dead"]) != (records[name], records[name]):
            sys.exit(f"{name}: {line} of {records[name]:,} records")
        print(f"{name:8} {line['bytes'] / 1e6:8.1f} MB {line['read']:11,} records {line['dead']:6,} dead "
              f"{line['seconds']:7.1f} s {line['bytes'] / line['seconds'] / 1e6:7.1f} MB/s "
              f"{line['read'] / line['seconds'] / 1e3:7.1f} k records/s")
    tables = sum(path.stat().st_size for path in (folder / "lake" / "bronze").rglob("*.parquet"))
    print(f"all      {size / 1e6:8.1f} MB in {seconds:.1f} s: {size / seconds / 1e6:.1f} MB/s, "
          f"cpu {usage.ru_utime + usage.ru_stime:.1f} s, peak {usage.ru_maxrss / 1024:.0f} MiB, "
          f"tables {tables / 1e6:.0f} MB")


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="playhead-bench-"))
    try:
        free = shutil.disk_usage(folder).free
        if free < 3.2 * GIGABYTES * 1e9:
            sys.exit(f"{folder} has {free / 1e9:.0f} GB free, {3.2 * GIGABYTES:.0f} are needed: "
                     "set PLAYHEAD_BENCH_GB or TMPDIR")
        measure(folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
