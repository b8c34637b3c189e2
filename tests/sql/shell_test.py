"""The SQL shell on a real terminal: statements over lines, completion, history, Ctrl-C, dot commands."""

import os
import pathlib
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(os.environ.get("PLAYHEAD_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BINARY = os.environ.get("PLAYHEAD_BIN", str(SOURCE / "build/dev/playhead"))
PROMPT = "playhead> "


class StillRunning(Exception):
    pass


class Terminal:
    def __init__(self, folder, home, **variables):
        self.seen = ""
        self.colors = set()
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PLAYHEAD_")}
            environment.update({"TERM": "xterm", "XDG_STATE_HOME": str(home), "PAGER": "",
                                "NO_COLOR": "1", **variables})
            os.execve(BINARY, [BINARY, "sql"], environment)

    def expect(self, text, seconds=30):
        """Reads until `text` comes; returns what came up to its end, without control sequences."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            ready, _, _ = select.select([self.master], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise AssertionError(f"no {text!r} in {self.seen!r}")
            try:
                more = os.read(self.master, 65536).decode(errors="replace")
            except OSError:
                more = ""
            if not more:
                raise AssertionError(f"the shell ended without {text!r}: {self.seen!r}")
            self.colors.update(re.findall(r"\x1b\[(?:1|2|1;31)m", more))
            self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", more)
        end = self.seen.index(text) + len(text)
        got, self.seen = self.seen[:end], self.seen[end:]
        return got

    def send(self, text):
        os.write(self.master, text.encode())

    def run(self, line):
        self.send(line + "\n")
        return self.expect(PROMPT)

    def exit_code(self, seconds=30):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid != 0:
                self.pid = None
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.05)
        raise StillRunning()


class ShellTest(unittest.TestCase):
    def setUp(self):
        self.temporary = pathlib.Path(tempfile.mkdtemp()).resolve()
        self.folder = self.temporary / "content"
        shutil.copytree(SOURCE / "projects/content", self.folder,
                        ignore=shutil.ignore_patterns("lake", "landing", "target"))
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PLAYHEAD_")}
        subprocess.run([BINARY, "ingest", "--once"], cwd=self.folder, check=True,
                       capture_output=True, env=environment)
        self.shell = Terminal(self.folder, self.temporary / "state")
        self.shell.expect(PROMPT)

    def tearDown(self):
        if self.shell.pid is not None:
            os.kill(self.shell.pid, signal.SIGKILL)
            os.waitpid(self.shell.pid, 0)
        shutil.rmtree(self.temporary)

    def leave(self):
        # A Ctrl-D that comes before the editor listens again becomes a NUL in its line, hence Ctrl-U.
        for _ in range(10):
            self.shell.send("\x15\x04")
            try:
                self.assertEqual(self.shell.exit_code(seconds=3), 0)
                return
            except StillRunning:
                continue
        self.fail("the shell did not end")

    def test_statement_over_lines_and_errors(self):
        self.shell.send("select 6 * 7\n")
        self.shell.expect("...> ")
        self.assertIn("42", self.shell.run("as answer;"))
        self.assertIn("nonsense", self.shell.run("select nonsense;"))
        self.assertIn("43", self.shell.run("select 43;"))
        self.leave()

    def test_dot_commands(self):
        self.assertIn("media_events_dead", self.shell.run(".tables"))
        self.assertIn("event_type", self.shell.run(".schema bronze.media_events"))
        self.shell.run(".mode csv")
        self.assertIn("a,b", self.shell.run("select 1 as a, 2 as b;"))
        self.assertIn("expected one of table, line, markdown, csv, tsv, json, ndjson", self.shell.run(".mode xml"))
        self.assertIn(".help lists them", self.shell.run(".nonsense"))
        self.shell.send(".quit\n")
        self.assertEqual(self.shell.exit_code(), 0)

    def test_settings_of_the_shell(self):
        self.shell.run(".maxrows 2")
        self.assertIn("100 rows (2 shown)", self.shell.run("select * from range(100);"))
        self.assertIn("expected a number of rows", self.shell.run(".maxrows many"))
        self.shell.run(".timer on")
        self.assertRegex(self.shell.run("select 45;"), r"\d\.\d{3} s")
        self.shell.run(".mode line")
        self.assertIn("event_id = ", self.shell.run("select 'x' as event_id;"))
        self.assertIn("no such table: nope", self.shell.run(".schema nope"))
        self.assertIn("event_type", self.shell.run("\\d media_events"))
        self.assertIn("media_events_dead", self.shell.run("\\d"))
        self.leave()

    def test_plans_are_drawn(self):
        plan = self.shell.run("explain select 1;")
        self.assertIn("PROJECTION", plan)
        self.assertNotIn("\\n", plan)
        self.leave()

    def test_every_word_to_leave(self):
        for word in ("exit", "quit", "exit;", "quit ;", "\\q", ".quit", ".exit"):
            self.shell.send(word + "\n")
            self.assertEqual(self.shell.exit_code(), 0, word)
            self.shell = Terminal(self.folder, self.temporary / "state")
            self.shell.expect(PROMPT)
        self.leave()

    def test_pasted_text_is_no_keys(self):
        # Tabs complete nothing, and nothing runs before the return key.
        self.shell.send("\x1b[200~select 40 +\r\t\t2 as answer;\r\tselect 'bronze.media_\t';\x1b[201~")
        self.shell.expect("bronze.media_")
        self.shell.send(" -- end\n")
        got = self.shell.expect(PROMPT)
        self.assertIn("42", got)
        self.assertIn("bronze.media_", got)
        self.assertNotIn("media_events", got)
        self.leave()

    def test_values_of_a_compared_column_are_completed(self):
        (self.folder / "e.jsonl").write_text(
            '{"event_id":"1","event_type":"play","timestamp":"2024-01-02T10:00:00Z",'
            '"user_id":"u1","content_id":"c1"}\n'
            '{"event_id":"2","event_type":"pause","timestamp":"2024-01-02T10:00:00Z",'
            '"user_id":"u1","content_id":"c1"}\n', encoding="utf-8")
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PLAYHEAD_")}
        subprocess.run([BINARY, "ingest", "--stream", "media_events", "e.jsonl"], cwd=self.folder,
                       check=True, capture_output=True, env=environment)
        self.shell.send("select count(*) + 76 from media_events where event_type = \t")
        # What they have in common is typed, and all are listed.
        self.shell.expect("'pause'  'play'")
        self.shell.send("l\t")
        self.shell.expect("ay'")
        self.shell.send(";\n")
        self.shell.expect("77")
        self.shell.expect(PROMPT)
        self.leave()

    def test_wide_boxes_are_paged(self):
        self.leave()
        wide = "select 'first' as a, repeat('x', 200) as b, 'last' as c;"
        self.shell = Terminal(self.folder, self.temporary / "state", PAGER="sed s/^/paged:/")
        self.shell.expect(PROMPT)
        self.assertRegex(self.shell.run(wide), "paged:.*first.*x{200}.*last")
        self.assertNotIn("paged:", self.shell.run("select 'narrow';"))
        self.leave()
        self.shell = Terminal(self.folder, self.temporary / "state")
        self.shell.expect(PROMPT)
        self.assertIn("x…x", self.shell.run(wide))
        self.leave()

    def test_colors_are_left_out_on_request(self):
        query = "select null as a;"
        self.assertIn("NULL", self.shell.run(query))
        self.assertEqual(self.shell.colors, set())
        self.leave()
        self.shell = Terminal(self.folder, self.temporary / "state", NO_COLOR="")
        self.shell.expect(PROMPT)
        self.assertIn("NULL", self.shell.run(query))
        self.assertEqual(self.shell.colors, {"\x1b[1m", "\x1b[2m"})
        self.leave()

    def test_interrupt_in_a_search_of_the_history(self):
        self.shell.run("select 46;")
        self.shell.send("\x12select")
        self.shell.expect("46")
        self.shell.send("\x03")
        self.shell.expect(PROMPT)
        self.assertIn("47", self.shell.run("select 47;"))
        self.leave()

    def test_completion_and_history(self):
        self.shell.send("select count(*) + 77 from bronze.media_events_d\t")
        # The editor draws only what is new.
        self.shell.expect("ead")
        self.shell.send(";\n")
        self.shell.expect("77")
        self.shell.expect(PROMPT)
        self.leave()
        self.assertIn("media_events_dead", (self.temporary / "state/playhead/history").read_text())
        self.shell = Terminal(self.folder, self.temporary / "state")
        self.shell.expect(PROMPT)
        self.shell.send("\x10")
        self.shell.expect("media_events_dead")
        self.shell.send("\n")
        self.shell.expect(PROMPT)
        self.leave()

    def test_interrupt_ends_what_runs_and_drops_what_is_typed(self):
        self.shell.send("select count(*) from range(10000000) a, range(10000000) b "
                        "where a.range + b.range = -1;\n")
        for _ in range(20):
            time.sleep(1)
            self.shell.send("\x03")  # before the statement runs it only drops a line
            try:
                self.shell.expect("cancelled", seconds=1)
                break
            except AssertionError:
                continue
        else:
            self.fail("the statement went on")
        self.shell.expect(PROMPT)
        self.shell.send("select half of")
        self.shell.expect("half of")
        self.shell.send("\x03")
        self.shell.expect(PROMPT)
        self.assertIn("44", self.shell.run("select 44;"))
        self.leave()


if __name__ == "__main__":
    sys.exit(0 if unittest.main(exit=False, verbosity=2).result.wasSuccessful() else 1)
