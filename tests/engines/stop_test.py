"""SIGTERM and SIGINT: heard at every point of a load, and the exit code tells whether everything that was asked
for is in the tables."""

import json
import os
import signal
import subprocess
import time

from playhead_lake import BINARY, Lake, equal
from small_project import make_project, rest

TABLES = """
- name: clicks
  config: {meta: {playhead: {format: jsonl, landing: "clicks*.jsonl", on_change: refuse}}}
  columns: &columns
    - {name: id, data_type: BIGINT, data_tests: [not_null]}
- name: plays
  config: {meta: {playhead: {format: json, topic: plays}}}
  columns: *columns
"""


def lines(first, count):
    return "".join(json.dumps({"id": first + i}) + "\n" for i in range(count)).encode()


class Running:
    """A command that runs until it is stopped; `said` is what it has written to stderr so far."""

    def __init__(self, lake, *words, stdin=subprocess.DEVNULL):
        self.path = lake.folder / "said"
        with open(self.path, "wb") as err:
            self.process = subprocess.Popen([BINARY, *map(str, words)], stdin=stdin, stdout=subprocess.DEVNULL,
                                            stderr=err, env=lake.environment())

    def said(self):
        return self.path.read_text()

    def has_open(self, path):
        folder = f"/proc/{self.process.pid}/fd"
        return any(os.readlink(f"{folder}/{number}") == str(path) for number in os.listdir(folder))

    def until(self, is_so, what):
        for _ in range(600):
            if is_so():
                return
            assert self.process.poll() is None, (what, self.process.returncode, self.said())
            time.sleep(0.05)
        raise AssertionError(f"{what}\n{self.said()}")

    def stop(self, *signals, expect):
        for number in signals:
            self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        equal(f"exit\n{self.said()}", code, expect)


def nothing_of_it(lake, rows=0):
    equal("rows", lake.count("bronze.clicks"), rows)
    equal("staged", [str(path) for path in (lake.warehouse / "_staging").glob("*/*")], [])
    if rows > 0:
        lake.audit()


def while_a_pipe_is_read(lake):
    """Whether its writer pauses, or has not come yet."""
    fifo = lake.folder / "clicks.jsonl"
    os.mkfifo(fifo)
    for number in (signal.SIGTERM, signal.SIGINT):
        load = Running(lake, "ingest", "--stream", "clicks", "-", stdin=subprocess.PIPE)
        # More than a pipe holds, so the load has begun.
        load.process.stdin.write(lines(0, 50_000))
        load.process.stdin.flush()
        load.stop(number, expect=2)
        load.process.stdin.close()
        assert "- is not loaded" in load.said(), load.said()
        nothing_of_it(lake)
        load = Running(lake, "ingest", "--stream", "clicks", fifo)
        load.until(lambda: load.has_open(fifo), "it waits for a writer")
        load.stop(number, expect=2)
        assert f"{fifo} is not loaded" in load.said(), load.said()
        nothing_of_it(lake)
    fifo.unlink()


def while_a_commit_waits(lake):
    """A folder that cannot be entered passes by itself, as far as a commit can tell."""
    data = lake.warehouse / "bronze" / "clicks" / "data"
    data.symlink_to(data)
    file = lake.folder / "some.jsonl"
    file.write_bytes(lines(0, 10))
    lake.landing.mkdir()
    landed = lake.landing / "clicks_2024-01-01.jsonl"
    landed.write_bytes(lines(10, 10))
    rest(landed)
    for words in (("--stream", "clicks", file), ("--once",), ()):
        load = Running(lake, "ingest", *words)
        load.until(lambda: "commit will be tried again" in load.said(), "the commit waits")
        load.stop(signal.SIGTERM, expect=2)
        equal("rows", lake.count("bronze.clicks"), 0)
    data.unlink()
    lake.run("ingest", "--stream", "clicks", file)
    lake.run("ingest", "--once")
    nothing_of_it(lake, rows=20)


def after_a_recovery(lake):
    """What has failed and gone on since is no failure of the command."""
    data = lake.warehouse / "bronze" / "plays" / "data"
    landed = lake.landing / "clicks_2024-01-01.jsonl"
    kept = landed.read_bytes()
    lake.start_up(env={"PLAYHEAD_LANDING_REST_MS": "0", "PLAYHEAD_LANDING_POLL_MS": "50"})
    log = lake.folder / "up.log"

    def until(word):
        for _ in range(600):
            if word in log.read_text():
                return
            time.sleep(0.05)
        raise AssertionError(log.read_text())

    landed.write_bytes(lines(20, 10))
    until("refuses changes")
    landed.write_bytes(kept)
    data.write_bytes(b"")
    equal("taken", lake.post("plays", lines(0, 10))[0], 200)
    until("stream stopped")
    data.unlink()
    lake.wait_for_rows("bronze.plays", 10)
    lake.stop_up(expect=0)
    nothing_of_it(lake, rows=20)

    # What is still refused at the end is one.
    landed.write_bytes(lines(20, 10))
    rest(landed)
    log.write_text("")
    lake.start_up()
    until("refuses changes")
    lake.stop_up(expect=2)


def main():
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        lake.run("ingest", "--once")
        while_a_pipe_is_read(lake)
        while_a_commit_waits(lake)
        after_a_recovery(lake)


main()
