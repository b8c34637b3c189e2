"""A lake whose log is a Kafka broker."""

import json
import shutil
import signal
import subprocess
import time

from playhead_lake import Lake, equal


class KafkaLake(Lake):
    """A lake of a copy of a shipped project with its own target `kafka`, at `broker`."""

    def __init__(self, broker, name="content", **properties):
        super().__init__(name)
        project = self.folder / "project"
        shutil.copytree(self.project, project, ignore=shutil.ignore_patterns("target", "lake"))
        file = project / "playhead.yml"
        text = file.read_text()
        assert "127.0.0.1:9092" in text and "default_target: dev" in text, text
        lines = "".join(f"\n        {key}: {json.dumps(value)}" for key, value in properties.items())
        file.write_text(text.replace("default_target: dev", "default_target: kafka")
                        .replace("127.0.0.1:9092", broker.servers + lines))
        self.project = project
        self.ingest = None

    def __exit__(self, kind, value, trace):
        if self.ingest is not None and self.ingest.poll() is None:
            self.ingest.kill()
            self.ingest.wait()
        super().__exit__(kind, value, trace)

    def once(self, *more):
        """Takes what is there; returns (read, good, dead, skipped)."""
        [line] = self.json("ingest", "--once", *more)
        return tuple(line[name] for name in ("read", "good", "dead", "skipped"))

    def refused(self, *arguments):
        """A command that must end with 2; returns what it said."""
        done = subprocess.run([self.binary, *arguments], capture_output=True, check=False, timeout=120,
                              env=self.environment())
        equal(f"{arguments} ends with", done.returncode, 2)
        return done.stderr.decode()

    def start_ingest(self, *more):
        with open(self.folder / "ingest.log", "ab") as out:
            self.ingest = subprocess.Popen(
                [self.binary, "ingest", *(more or ("--epoch-interval-ms", "100"))],
                stdout=subprocess.DEVNULL, stderr=out, env=self.environment())

    def wait_for_rows(self, table, rows, seconds=60):
        # The table is there only after ingest has made the lake.
        probe = [self.binary, "sql", "-c", f"select 1 from {table} limit 0"]
        wait_until(lambda: subprocess.run(probe, capture_output=True, env=self.environment(),
                                          check=False).returncode == 0, f"{table} is there", seconds)
        return super().wait_for_rows(table, rows, seconds)

    def stop_ingest(self, expect=0):
        self.ingest.send_signal(signal.SIGTERM)
        equal("ingest ends with", self.ingest.wait(timeout=60), expect)


def wait_until(is_so, what, seconds=60):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.2)
