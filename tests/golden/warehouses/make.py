"""Makes the warehouses of this folder anew: make.py BINARY PROJECTS OUT, with the program and the
projects/ of the release that they stand for. README.md says what is in them."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import urllib.request

ROOT = pathlib.Path("/tmp/playhead-golden")
BINARY, PROJECTS, OUT = map(pathlib.Path, sys.argv[1:4])


class Warehouse:
    def __init__(self, name):
        self.name = name
        self.folder = ROOT / name
        self.folder.mkdir(parents=True)
        shutil.copytree(PROJECTS / name, self.folder / "project")
        self.environment = {**os.environ, "PLAYHEAD_PROJECT": str(self.folder / "project"),
                            "PLAYHEAD_WAREHOUSE": str(self.folder / "lake"),
                            "PLAYHEAD_LANDING": str(self.folder / "landing")}

    def run(self, *arguments, crash_at=None):
        more = {"PLAYHEAD_CRASH_AT": crash_at} if crash_at else {}
        done = subprocess.run([BINARY, *map(str, arguments)], env={**self.environment, **more},
                              capture_output=True, text=True, check=False)
        crashed = crash_at is not None
        if (done.returncode < 0) != crashed:
            raise SystemExit(f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def count(self, table):
        out = self.run("sql", "-c", f"select count(*) as n from {table}", "--format", "json")
        return int(json.loads(out)[0]["n"])

    def serve(self, command, steps):
        """Runs `steps(url)` while the collector listens."""
        log = self.folder / "log"
        with open(log, "wb") as out:
            server = subprocess.Popen([BINARY, command, "--listen", "127.0.0.1:0"], stdout=out,
                                      stderr=subprocess.STDOUT, env=self.environment)
        try:
            while not (found := re.search(r"listening on (http://[0-9.:]+)", log.read_text())):
                assert server.poll() is None, log.read_text()
                time.sleep(0.05)
            steps(found.group(1))
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait() == 0, log.read_text()
            log.unlink()

    def post(self, url, stream, body):
        request = urllib.request.Request(f"{url}/v1/events/{stream}", data=body, method="POST")
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200, answer.status

    def wait(self, table, rows):
        while self.count(table) < rows:
            time.sleep(0.05)

    def pack(self):
        with tarfile.open(OUT / f"{self.name}.tar.gz", "w:gz") as tar:
            tar.add(self.folder, arcname=self.name)


def content():
    lake = Warehouse("content")

    def both_kinds(url):
        lake.run("simulate", "media_events", "--events", 60, "--seed", 1, "--to", url)
        lake.wait("bronze.media_events", 60)
        lake.post(url, "media_events", b'{"event_id":"x1"}\nnot json\n')
        lake.wait("bronze.media_events_dead", 2)
        lake.run("simulate", "media_events", "--events", 30, "--seed", 2, "--to", url)
        lake.wait("bronze.media_events", 90)

    lake.serve("up", both_kinds)
    events = lake.folder / "events.jsonl"
    lake.run("simulate", "media_events", "--events", 40, "--seed", 3, "--faults", 0.1, "--to", events)
    lake.run("ingest", "--stream", "media_events", events)

    def unread(url):
        lake.run("simulate", "media_events", "--events", 20, "--seed", 4, "--to", url)
        lake.post(url, "media_events", b'{"event_id":"x2"}\n')

    lake.serve("collect", unread)
    lake.pack()


def listening():
    lake = Warehouse("listening")

    def two_topics(url):
        for seed, rows in ((1, 40), (2, 70)):
            lake.run("simulate", "listen_events", "--events", rows - lake.count("bronze.listen_events"),
                     "--seed", seed, "--to", url)
            lake.wait("bronze.listen_events", rows)
        lake.run("simulate", "page_view_events", "--events", 25, "--seed", 3, "--to", url)
        lake.wait("bronze.page_view_events", 25)

    lake.serve("up", two_topics)

    def unread(url):
        lake.run("simulate", "listen_events", "--events", 30, "--seed", 4, "--to", url)
        lake.post(url, "listen_events", b'{"song":"no time"}\n')

    lake.serve("collect", unread)
    lake.run("ingest", "--once", crash_at="commit.published")
    lake.pack()


def streampro():
    lake = Warehouse("streampro")
    lake.run("simulate", "--seed", 1, "--events", 20, "--users", 4, "--to", lake.folder / "landing")
    lake.run("ingest", "--once")
    users, = (lake.folder / "landing").glob("users_*.csv")
    events, = (lake.folder / "landing").glob("events_*.jsonl")
    users.write_text("".join(users.read_text().splitlines(keepends=True)[:-1]))
    lake.run("ingest", "--once")
    events.write_text("".join(events.read_text().splitlines(keepends=True)[3:]) + "not json\n")
    lake.run("ingest", "--once", crash_at="commit.published")
    lake.pack()


if __name__ == "__main__":
    shutil.rmtree(ROOT, ignore_errors=True)
    content()
    listening()
    streampro()
    shutil.rmtree(ROOT)
