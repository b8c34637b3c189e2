"""Kills `playhead up` as kill -9 does, at random moments under load: events over HTTP, landing files that
come and change, and direct loads that are killed as well. Afterwards nothing acknowledged is lost, nothing
is doubled, every landing file's rows are those of its last content, and the audit is exact.

random_kill_test.py [KILLS [SEED]]: by default 12 kills."""

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error

from playhead_lake import Lake, equal
from small_project import make_project

TABLES = """
- name: plays
  config: {event_time: ts, meta: {playhead: {topic: plays, format: json}}}
  columns:
    - {name: id, data_type: VARCHAR, data_tests: [not_null]}
    - {name: ts, data_type: TIMESTAMPTZ}
- name: notes
  config: {meta: {playhead: {landing: "notes_*.csv", format: csv, on_change: replace}}}
  columns:
    - {name: note, data_type: VARCHAR, data_tests: [not_null]}
- name: loads
  config: {meta: {playhead: {landing: "loads_*.csv", format: csv}}}
  columns:
    - {name: load, data_type: VARCHAR, data_tests: [not_null]}
"""
BATCH = 10


class Client:
    """Posts numbered events with a key each and repeats what was not answered."""

    def __init__(self, lake):
        self.lake = lake
        self.acknowledged = 0
        self.is_over = False
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over:
            first = self.acknowledged
            body = "\n".join(json.dumps({"id": f"e{number}", "ts": "2026-01-02T03:04:05Z"})
                             for number in range(first, first + BATCH)).encode()
            try:
                status, _ = self.lake.post("plays", body, {"Idempotency-Key": f"batch-{first}"}, timeout=5)
            except (OSError, urllib.error.URLError, ValueError, TypeError):
                time.sleep(0.02)
                continue
            if status == 200:
                self.acknowledged += BATCH
            time.sleep(0.005)

    def stop(self):
        self.is_over = True
        self.thread.join()


def write_note(lake, number, version):
    """A landing file that appears whole, with a time of its own and in the past."""
    path = lake.landing / f"notes_{number}.csv"
    part = lake.landing / f".{number}.part"
    part.write_text("note\n" + "".join(f"n{number}v{version}r{row}\n" for row in range(5 + version)))
    past = time.time() - 1000 + version
    os.utime(part, (past, past))
    part.rename(path)


def main():
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    chance = random.Random(seed)
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        lake.landing.mkdir()
        versions = {}
        loaded = set()
        lake.url = "http://127.0.0.1:1"
        client = Client(lake)
        for kill in range(kills):
            lake.start_up("--epoch-interval-ms", "50", until="listening")
            end = time.monotonic() + chance.uniform(0.02, 0.9)
            while time.monotonic() < end:
                number = chance.randrange(8)
                versions[number] = versions.get(number, 0) + 1
                write_note(lake, number, versions[number])
                time.sleep(chance.uniform(0.01, 0.2))
            lake.server.kill()
            equal("ended by", lake.server.wait(), -9)
            # A direct load of a file that is loaded once, however often it is killed.
            number = kill // 3
            path = lake.folder / f"load{number}.csv"
            path.write_text("load\n" + "".join(f"l{number}r{row}\n" for row in range(20)))
            load = subprocess.Popen([lake.binary, "ingest", "--stream", "loads", str(path)],
                                    env=lake.environment(), stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.01, 0.3))
            load.kill()
            load.wait()
            loaded.add(number)
        client.stop()
        for number in sorted(loaded):
            lake.run("ingest", "--stream", "loads", lake.folder / f"load{number}.csv")
        for _ in range(2):
            lake.run("ingest", "--once")
            ids = [row["id"] for row in lake.sql("select id from bronze.plays")]
            equal("events, each once", len(ids), len(set(ids)))
            missing = {f"e{number}" for number in range(client.acknowledged)} - set(ids)
            assert not missing, f"{len(missing)} acknowledged events are lost: {sorted(missing)[:5]}"
            assert len(ids) <= client.acknowledged + BATCH, "events that nobody sent"
            notes = sorted(row["note"] for row in lake.sql("select note from bronze.notes"))
            equal("notes", notes, sorted(f"n{number}v{version}r{row}" for number, version in versions.items()
                                         for row in range(5 + version)))
            loads = sorted(row["load"] for row in lake.sql("select load from bronze.loads"))
            equal("loads", loads, sorted(f"l{number}r{row}" for number in loaded for row in range(20)))
            lake.audit()
        print(f"{kills} kills of up, {kills} of direct loads, {client.acknowledged} events acknowledged, "
              f"{sum(versions.values())} contents of landing files: nothing lost, nothing doubled")


if __name__ == "__main__":
    main()
