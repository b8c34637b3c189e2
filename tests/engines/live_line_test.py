"""The line that `up` and `ingest` keep below their log on a terminal; a pipe gets log lines alone."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from playhead_lake import BINARY, Lake, equal


class Terminal:
    """A command on a terminal of 80 columns; `said` is all that it has written."""

    def __init__(self, lake, *words):
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen([BINARY, *words], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                        env=lake.environment(TERM="xterm"))
        os.close(theirs)
        self.said = ""

    def read(self):
        """False at the end."""
        if not select.select([self.ours], [], [], 1)[0]:
            return True
        with contextlib.suppress(OSError):  # EIO: the other end is closed
            chunk = os.read(self.ours, 65536)
            self.said += chunk.decode(errors="replace")
            return bool(chunk)
        return False

    def until(self, pattern):
        end = time.monotonic() + 60
        while not re.search(pattern, self.said):
            assert self.read() and time.monotonic() < end, f"no {pattern!r} in\n{self.said}"
        return re.search(pattern, self.said)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        while self.read():
            pass
        equal(f"exit\n{self.said}", self.process.wait(), 0)
        os.close(self.ours)


def shown(text):
    """What a terminal shows in the end, line by line."""
    return [re.split(r"\r\x1b\[K", line.rstrip("\r"))[-1] for line in text.split("\n")]


def on_a_terminal(lake):
    up = Terminal(lake, "up", "--listen", "127.0.0.1:0")
    lake.url = up.until(r"listening on (http://[0-9.:]+)").group(1)
    up.until(r"\r\x1b\[K0 events/s, 0 committed, (lag 0, )?0 dead")
    equal("taken", lake.post("media_events", b'{"a": 1}\n{"a": 2}\n')[0], 200)
    up.until(r"\r\x1b\[K[\d,]+ events/s, 2 committed, lag 0, 2 dead")
    up.stop()
    lines = shown(up.said)
    assert not any("events/s" in line for line in lines), lines
    assert any("media_events" in line and "│" in line for line in lines), lines

    ingest = Terminal(lake, "ingest")
    ingest.until(r"events/s, 0 committed, lag 0, 0 dead")
    ingest.stop()


def in_a_pipe(lake):
    lake.start_up()
    equal("taken", lake.post("media_events", b'{"a": 3}\n')[0], 200)
    lake.wait_for_rows("bronze.media_events_dead", 3)
    lake.stop_up()
    said = (lake.folder / "up.log").read_text()
    assert "\x1b" not in said and "\r" not in said, said


def main():
    with Lake("content") as lake:
        on_a_terminal(lake)
        in_a_pipe(lake)


main()
