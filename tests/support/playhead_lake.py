"""What the tests share: a lake in a temporary folder and the playhead program on it."""

import csv
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

SOURCE = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"])
BINARY = os.environ["PLAYHEAD_BIN"]


def sample_data():
    """The real files of the `startup` shape, or None where the checkout stands alone."""
    folder = pathlib.Path(os.environ.get("PLAYHEAD_SAMPLE_DATA", SOURCE.parent / "shared" / "data"))
    return folder if (folder / "startup").is_dir() else None


class Lake:
    """One warehouse of one of the shipped projects. Use as a context manager."""

    def __init__(self, project, binary=BINARY):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="playhead-test-"))
        self.warehouse = self.folder / "lake"
        self.landing = self.folder / "landing"
        self.project = SOURCE / "projects" / project
        self.binary = binary
        self.server = None
        self.url = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        if kind is None:
            shutil.rmtree(self.folder)
        else:
            print(f"the lake of the failed test is kept: {self.folder}")

    def environment(self, **more):
        return {
            **os.environ,
            "PLAYHEAD_PROJECT": str(self.project),
            "PLAYHEAD_WAREHOUSE": str(self.warehouse),
            "PLAYHEAD_LANDING": str(self.landing),
            **more,
        }

    def run(self, *arguments, **more):
        """Runs a command to its end; returns its standard output as text."""
        return self.outputs(*arguments, **more)[0]

    def says(self, *arguments, **more):
        """The same; returns its standard error."""
        return self.outputs(*arguments, **more)[1]

    def outputs(self, *arguments, stdin=None, expect=0, env=None):
        done = subprocess.run(
            [self.binary, *map(str, arguments)],
            input=stdin, capture_output=True, env=self.environment(**(env or {})), timeout=240,
            check=False)
        out, err = done.stdout.decode(), done.stderr.decode()
        if expect is not None and done.returncode != expect:
            raise AssertionError(
                f"{arguments} ended with {done.returncode}, not {expect}\n{out[-2000:]}\n{err[-4000:]}")
        return out, err

    def json(self, *arguments, **more):
        return json.loads(self.run(*arguments, "--format", "json", **more))

    def sql(self, query):
        """Rows as dictionaries of JSON values."""
        return self.json("sql", "-c", query)

    def count(self, table):
        return int(self.sql(f"select count(*) as n from {table}")[0]["n"])

    def csv(self, query):
        return list(csv.reader(io.StringIO(self.run("sql", "-c", query, "--format", "csv"))))

    def audit(self):
        self.run("audit", "--format", "json")

    def start_up(self, *arguments, command="up", until="ingest", env=None):
        """Starts `playhead up` (or `collect`) on a free port and waits until it listens, and, unless
        `until` is "listening", until ingest runs or says why it does not."""
        log = self.folder / "up.log"
        with open(log, "wb") as out:
            self.server = subprocess.Popen(
                [self.binary, command, "--listen", "127.0.0.1:0", *arguments],
                stdout=out, stderr=subprocess.STDOUT, env=self.environment(**(env or {})))
        for _ in range(300):
            text = log.read_text(errors="replace")
            found = re.search(r"listening on (http://[0-9.:]+)", text)
            if found and (command == "collect" or until == "listening" or "msg=\"ingest " in text):
                self.url = found.group(1)
                return self.url
            if self.server.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"playhead up did not start:\n{text[-4000:]}")

    def stop_up(self, expect=0):
        self.server.send_signal(signal.SIGTERM)
        code = self.server.wait(timeout=120)
        log = (self.folder / "up.log").read_text(errors="replace")
        assert code == expect, f"up ended with {code}\n{log[-4000:]}"
        self.server = None

    def post(self, stream, body, headers=None, timeout=30):
        """POSTs a body; returns (status, answer). No answer at all raises OSError."""
        request = urllib.request.Request(
            f"{self.url}/v1/events/{stream}", data=body, headers=headers or {}, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"{}")

    def wait_for_rows(self, table, rows, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            have = self.count(table)
            if have >= rows:
                return have
            time.sleep(0.2)
        raise AssertionError(f"{table} has {self.count(table)} rows after {seconds} s, not {rows}")


def equal(what, have, want):
    assert have == want, f"{what}: have {have!r}, want {want!r}"
