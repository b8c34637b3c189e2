"""Files that arrive while ingest runs: seen at once, taken when they are whole, whatever way they came."""

import fcntl
import os
import subprocess
import time

from playhead_lake import BINARY, Lake, equal
from small_project import make_project

TABLES = """
- name: notes
  config: {meta: {playhead: {format: csv}}}
  columns:
    - {name: note, data_type: VARCHAR, data_tests: [not_null]}
- name: marks
  config: {meta: {playhead: {format: csv}}}
  columns:
    - {name: note, data_type: VARCHAR}
"""
HOUR = "3600000"


def notes(lake, table="notes"):
    return [row[0] for row in lake.csv(f"select note from bronze.{table} order by _topic, _offset")[1:]]


def told_by_the_kernel(lake):
    """With an hour between looks only inotify can have told of these files."""
    lake.landing.mkdir()
    lake.start_up(env={"PLAYHEAD_LANDING_POLL_MS": HOUR, "PLAYHEAD_LANDING_REST_MS": "50"})
    (lake.landing / "notes_2024-01-01.csv").write_text("note\nwritten\n")
    lake.wait_for_rows("bronze.notes", 1)
    (lake.landing / "deep" / "er").mkdir(parents=True)
    (lake.landing / "deep" / "er" / "notes_2024-01-02.csv").write_text("note\nin a new folder\n")
    lake.wait_for_rows("bronze.notes", 2)
    aside = lake.folder / "aside.csv"
    aside.write_text("note\nmoved in\n")
    aside.rename(lake.landing / "notes_2024-01-03.csv")
    lake.wait_for_rows("bronze.notes", 3)
    (lake.landing / "notes_2024-01-04.csv.part").write_text("note\nnot yet\n")
    # Looked at after the others, so when it is in, they have been looked at too.
    (lake.landing / "z").mkdir()
    (lake.landing / "z" / "marks.csv").write_text("note\na\n")
    lake.wait_for_rows("bronze.marks", 1)
    equal("a file with an unfinished name waits", lake.count("bronze.notes"), 3)
    (lake.landing / "notes_2024-01-04.csv.part").rename(lake.landing / "notes_2024-01-04.csv")
    lake.wait_for_rows("bronze.notes", 4)


def knows_writers(folder):
    """Whether the file system can tell that a file is open for writing."""
    path = folder / "probe"
    with open(path, "w", encoding="utf-8"):
        reader = os.open(path, os.O_RDONLY)
        try:
            fcntl.fcntl(reader, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(reader)
    return False


def growing(lake):
    """A file that somebody still writes waits, however long it pauses, and holds up no other file."""
    marks = 2
    if not knows_writers(lake.folder):
        print("this file system does not tell who writes: files are known to grow by their times only")
        marks = 0
    with open(lake.landing / "notes_2024-02-01.csv", "w", encoding="utf-8") as file:
        file.write("note\nfirst half\nsecond ha")
        if marks:
            file.flush()
        for round_ in range(marks):
            mark = lake.landing / "z" / f"marks_2024-02-0{round_ + 1}.csv"
            mark.write_text(f"note\n{round_}\n")
            lake.wait_for_rows("bronze.marks", 2 + round_)
            equal("the growing file is not taken", lake.count("bronze.notes"), 4)
        file.write("lf\n")
    lake.wait_for_rows("bronze.notes", 6)
    equal("dead letters", lake.count("bronze.notes_dead"), 0)
    equal("the whole file", [n for n in notes(lake) if "half" in n], ["first half", "second half"])
    ledger = lake.sql("""select count(*) as n from playhead.landing_files
      where name = 'notes_2024-02-01.csv'""")
    equal("taken once", int(ledger[0]["n"]), 1)
    lake.stop_up()
    lake.audit()


def rests(lake):
    """Written in steps with the file closed between them: it is taken when it has rested."""
    path = lake.landing / "notes_2024-03-01.csv"
    env = lake.environment(PLAYHEAD_LANDING_REST_MS="3600000", PLAYHEAD_LANDING_POLL_MS="20",
                           PLAYHEAD_LOG_LEVEL="info")
    path.write_text("note\nfresh\n")
    process = subprocess.Popen([BINARY, "ingest"], env=env, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        # An old file behind the fresh one says when a whole look at the folder is over.
        marks = lake.count("bronze.marks")
        old = lake.landing / "z" / "marks_2024-03-01.csv"
        old.write_text("note\nold\n")
        os.utime(old, (time.time() - 86400, time.time() - 86400))
        lake.wait_for_rows("bronze.marks", marks + 1)
        equal("a file that has not rested", lake.count("bronze.notes"), 6)
        os.utime(path, (time.time() - 86400, time.time() - 86400))
        lake.wait_for_rows("bronze.notes", 7)
    finally:
        process.terminate()
        equal("exit of ingest", process.wait(timeout=120), 0)


def polled():
    """A landing folder that is made later is found by looking again."""
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        lake.start_up(env={"PLAYHEAD_LANDING_POLL_MS": "100", "PLAYHEAD_LANDING_REST_MS": "50"})
        # The first look is over when the collector has answered and nothing is there to be seen.
        equal("post to no stream", lake.post("none", b"{}")[0], 404)
        lake.landing.mkdir()
        (lake.landing / "notes.csv").write_text("note\nlate\n")
        lake.wait_for_rows("bronze.notes", 1)
        lake.stop_up()


def main():
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        told_by_the_kernel(lake)
        growing(lake)
        rests(lake)
    polled()


if __name__ == "__main__":
    main()
