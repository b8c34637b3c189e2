"""Many small landing files: files/s as the ledger grows, and a run with nothing new.

20,000 JSON files of 4 records (PLAYHEAD_BENCH_FILES for another number) arrive in ten parts
(PLAYHEAD_BENCH_PARTS); after each part `playhead ingest --once` takes what is new. Then runs find everything known.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

FILES = int(os.environ.get("PLAYHEAD_BENCH_FILES", "20000"))
PARTS = int(os.environ.get("PLAYHEAD_BENCH_PARTS", "10"))
PLAYHEAD = os.environ["PLAYHEAD_BIN"]
SOURCES = """version: 2
sources:
  - name: bronze
    tables:
      - name: plays
        config:
          meta:
            playhead: {format: jsonl, landing: "**/*.jsonl", partition_by: [kind]}
        columns:
          - {name: id, data_type: BIGINT}
          - {name: kind, data_type: VARCHAR}
          - {name: title, data_type: VARCHAR}
"""


def make_project(folder):
    (folder / "models").mkdir(parents=True)
    (folder / "playhead.yml").write_text(
        "name: small\ndefault_target: dev\ntargets:\n  dev: {warehouse: ./lake}\n")
    (folder / "dbt_project.yml").write_text("name: small\nversion: 1.0.0\nprofile: small\n")
    (folder / "models" / "sources.yml").write_text(SOURCES)


def deliver(landing, first, count):
    past = time.time() - 10
    for number in range(first, first + count):
        path = landing / f"{number // 1000:03}" / f"{number:06}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(
            json.dumps({"id": number * 4 + i, "kind": ("play", "stop")[i % 2], "title": f"title {number % 97}"}) + "\n"
            for i in range(4)))
        os.utime(path, (past, past))


def ingest(folder):
    """Seconds, and files and records taken."""
    started = time.perf_counter()
    done = subprocess.run([PLAYHEAD, "ingest", "--once", "--format", "json"], capture_output=True, check=False,
                          env={**os.environ, "PLAYHEAD_PROJECT": str(folder / "project"),
                               "PLAYHEAD_WAREHOUSE": str(folder / "lake"),
                               "PLAYHEAD_LANDING": str(folder / "landing")})
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"ingest failed:\n{done.stderr.decode()[-3000:]}")
    lines = json.loads(done.stdout)
    return seconds, sum(line["files"] for line in lines), sum(line["good"] for line in lines)


def main():
    with tempfile.TemporaryDirectory(prefix="playhead-bench-", dir=os.environ.get("PLAYHEAD_BENCH_DIR")) as name:
        folder = pathlib.Path(name)
        make_project(folder / "project")
        known = 0
        for part in range(PARTS):
            count = FILES * (part + 1) // PARTS - known
            deliver(folder / "landing", known, count)
            seconds, files, rows = ingest(folder)
            if (files, rows) != (count, 4 * count):
                sys.exit(f"took {files} files and {rows} rows of {count} files")
            known += count
            print(f"{count:6,} files beside {known - count:6,} known: {seconds:6.2f} s, {count / seconds:6,.0f} files/s")
        for _ in range(3):
            seconds, files, _ = ingest(folder)
            if files != 0:
                sys.exit(f"{files} files were taken again")
            print(f"{known:6,} known files, nothing new: {seconds:.2f} s")


main()
