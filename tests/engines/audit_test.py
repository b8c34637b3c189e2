"""The audit looks before it says "exact": at the log, at every position, at the folder, at the catalog's
list of tables; and it says "exact" of a lake that others write to meanwhile."""

import contextlib
import glob
import json
import shutil
import sqlite3
import subprocess
import threading

import pyarrow as pa

import plays_topic
from foreign_tables import open_catalog
from playhead_lake import Lake, equal
from plays_topic import SMALL_SEGMENTS, send
from small_project import rest

FILES = """- name: files
  config:
    meta:
      playhead:
        landing: "files*.csv"
        format: csv
  columns:
    - name: id
      data_type: BIGINT
"""


def declare(lake, topic="plays"):
    plays_topic.declare(lake, topic, FILES)


def collect(lake, *ranges, filler=0):
    lake.start_up(command="collect", env=SMALL_SEGMENTS)
    for first, end in ranges:
        send(lake, first, end, filler)
    lake.stop_up()


def audit(lake, expect):
    """(lines of the table, what is told)"""
    done = subprocess.run([lake.binary, "audit", "--format", "json"], env=lake.environment(),
                          capture_output=True, text=True, timeout=240, check=False)
    equal("exit of audit\n" + done.stdout + done.stderr, done.returncode, expect)
    verdict = done.stderr.strip().splitlines()[-1]
    equal("verdict: " + verdict, ": exact" in verdict, expect == 0)
    return json.loads(done.stdout), done.stderr


def must_say(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in:\n{text}"


def small_lake(lake):
    """40 rows and 2 dead letters from the log, 3 rows from a file."""
    declare(lake)
    lake.start_up(command="collect")
    send(lake, 0, 40)
    equal("status", lake.post("plays", b"{broken\n{too")[0], 200)
    lake.stop_up()
    lake.landing.mkdir()
    (lake.landing / "files1.csv").write_text("id\n1\n2\n3\n")
    rest(lake.landing / "files1.csv")
    lake.run("ingest", "--once")
    lines, _ = audit(lake, 0)
    equal("sources", sorted((line["rows"], line["dead_rows"], line["lag"]) for line in lines),
          [(3, 0, None), (40, 2, 0)])


def what_waits_in_the_log():
    with Lake("content") as lake:
        declare(lake)
        collect(lake)
        lake.run("ingest", "--once")
        _, text = audit(lake, 1)
        must_say(text, "nothing to audit")
        collect(lake, *[(first, first + 10) for first in range(0, 300, 10)], filler=9_000)
        lines, text = audit(lake, 0)
        equal("lag", [(line["lag"], line["rows"]) for line in lines], [(300, 0)])
        must_say(text, "300 records of the log are not ingested yet")

        # Damage where nothing was read yet.
        damaged = sorted((lake.warehouse / "journal").glob("segment-*.db"))[1]
        with open(damaged, "r+b") as file:
            file.seek(300_000)
            file.write(bytes(range(7, 135)) * 64)
        lines, text = audit(lake, 1)
        must_say(text, "are lost before they were ingested", damaged.name, "offsets ")
        equal("exact", [line["exact"] for line in lines], [False])
        # Ingest stops there and says the same; what was accepted is a gap and no secret any more.
        lake.run("ingest", "--once", expect=2)
        _, text = audit(lake, 1)
        must_say(text, "are lost before they were ingested", damaged.name)
        lake.run("ingest", "--once", "--accept-gap")
        lines, _ = audit(lake, 0)
        equal("read", lines[0]["read"], 300)
        assert lines[0]["skipped"] > 0 and lines[0]["rows"] == 300 - lines[0]["skipped"], lines

        # The log is gone: what cannot be looked at any more is said.
        shutil.rmtree(lake.warehouse / "journal")
        _, text = audit(lake, 0)
        must_say(text, "not checked: plays plays log=", "against its log")


def one_line(lines, part):
    return next(line for line in lines if part in line["source"])


def positions_are_a_set():
    with Lake("content") as lake:
        small_lake(lake)
        table = open_catalog(lake).load_table("bronze.plays")
        before = table.current_snapshot().snapshot_id
        rows = table.scan().to_arrow()
        elsewhere = rows.slice(0, 4).set_column(
            rows.schema.get_field_index("_topic"), rows.schema.field("_topic"),
            pa.array(["theirs"] * 4, rows.schema.field("_topic").type))
        later = rows.slice(0, 5).set_column(
            rows.schema.get_field_index("_offset"), rows.schema.field("_offset"),
            pa.array(range(5000, 5005), rows.schema.field("_offset").type))
        table.append(elsewhere)
        table.append(later)
        lines, text = audit(lake, 0)
        must_say(text, "9 rows of other writers")
        table.append(rows.slice(3, 7))
        lines, text = audit(lake, 1)
        must_say(text, "7 rows stand at a position that another row has",
                 "bronze.plays has 47 rows, 40 were committed")

        # Rows that are missing are named.
        table.manage_snapshots().rollback_to_snapshot(before).commit()
        audit(lake, 0)  # their files are held by snapshots that are kept
        table.delete("id in (7, 8, 20)")
        lines, text = audit(lake, 1)
        must_say(text, "no row stands at offset 7 to 8, 20",
                 "bronze.plays has 37 rows, 40 were committed")

        # A landing file's rows once more.
        files = open_catalog(lake).load_table("bronze.files")
        files.append(files.scan(limit=2).to_arrow())
        _, text = audit(lake, 1)
        must_say(text, "2 rows stand at a position that another row has")


def strays_in_the_folder():
    with Lake("content") as lake:
        small_lake(lake)
        data = lake.warehouse / "bronze" / "plays" / "data"
        live = glob.glob(f"{data}/**/*.parquet", recursive=True)[0]
        stray = data / "copy of a file.parquet"
        shutil.copy(live, stray)
        _, text = audit(lake, 1)
        must_say(text, "bronze.plays: 1 files in data/ are in no snapshot", stray.name)
        stray.unlink()
        (data / "notes.txt").write_text("nobody's glob")
        audit(lake, 0)


def tables_that_left():
    with Lake("content") as lake:
        small_lake(lake)
        catalog = open_catalog(lake)
        location = catalog.load_table("bronze.plays").metadata_location
        catalog.drop_table("bronze.plays")
        _, text = audit(lake, 1)
        must_say(text, "bronze.plays: the table is declared and was made", str(lake.warehouse / "bronze/plays"))
        catalog.register_table("bronze.plays", location)
        audit(lake, 0)

        catalog.rename_table("bronze.plays", "bronze.former")
        lines, text = audit(lake, 1)
        must_say(text, "bronze.plays: the table is declared and was made",
                 "bronze.former: no stream of the project declares the table; it is checked by its own")
        former = next(line for line in lines if line["stream"] == "bronze.former")
        equal("the renamed table", (former["rows"], former["exact"]), (40, True))
        catalog.rename_table("bronze.former", "bronze.plays")

        # Its folder is gone too: the ledger still knows.
        catalog.drop_table("bronze.files")
        catalog.drop_table("bronze.files_dead")
        shutil.rmtree(lake.warehouse / "bronze" / "files")
        shutil.rmtree(lake.warehouse / "bronze" / "files_dead")
        _, text = audit(lake, 1)
        must_say(text, "bronze.files: the table is declared and was made", "1 landing files were loaded")


def undeclared_and_unreadable():
    with Lake("content") as lake:
        small_lake(lake)
        catalog = open_catalog(lake)
        theirs = catalog.create_table("bronze.theirs", pa.schema([("id", pa.int64())]))
        theirs.append(pa.table({"id": [1, 2]}))
        _, text = audit(lake, 0)
        must_say(text, "bronze.theirs: no stream of the project declares the table")

        # One table that cannot be read; the others are audited.
        metadata = catalog.load_table("bronze.files").metadata_location.removeprefix("file://")
        with open(metadata, "w", encoding="utf-8") as file:
            file.write("{")
        lines, text = audit(lake, 1)
        must_say(text, "bronze.files: cannot be read")
        equal("the other table", [line["exact"] for line in lines], [True])


def rows_without_a_ledger():
    with Lake("content") as lake:
        small_lake(lake)
        topic = one_line(audit(lake, 0)[0], "file:")["source"]
        catalog = sqlite3.connect(lake.warehouse / "catalog.db", isolation_level=None)
        with contextlib.closing(catalog) as db:
            db.execute("delete from playhead_landing_files")
        _, text = audit(lake, 1)
        must_say(text, "of a source nobody committed", topic)


def while_ingest_runs():
    with Lake("content") as lake:
        declare(lake)
        lake.start_up(env={"PLAYHEAD_EPOCH_INTERVAL_MS": "100"})
        send(lake, 0, 10)
        lake.wait_for_rows("bronze.plays", 10)
        stop = threading.Event()
        sent = [10]

        def feed():
            while not stop.is_set():
                send(lake, sent[0], sent[0] + 50)
                sent[0] += 50

        feeder = threading.Thread(target=feed)
        feeder.start()
        try:
            rows = []
            for _ in range(20):
                lines, text = audit(lake, 0)
                assert "not checked" not in text, text
                rows.append(one_line(lines, "plays")["rows"])
        finally:
            stop.set()
            feeder.join()
        assert rows[0] < rows[-1], rows
        lake.wait_for_rows("bronze.plays", sent[0])
        lake.stop_up()
        equal("rows", one_line(audit(lake, 0)[0], "plays")["rows"], sent[0])


def topic_renamed():
    with Lake("content") as lake:
        declare(lake, "old")
        collect(lake, (0, 30))
        lake.run("ingest", "--once")
        collect(lake, (30, 35))
        declare(lake, "new")
        collect(lake, (35, 60))
        _, text = audit(lake, 1)
        must_say(text, "offsets 30 to 34 of topic old")
        declare(lake, "old")
        lake.run("ingest", "--once")
        declare(lake, "new")
        lake.run("ingest", "--once")
        lines, _ = audit(lake, 0)
        equal("sources", sorted((line["source"].split()[0], line["rows"]) for line in lines),
              [("new", 25), ("old", 35)])


for test in (what_waits_in_the_log, positions_are_a_set, strays_in_the_folder, tables_that_left,
             undeclared_and_unreadable, rows_without_a_ledger, topic_renamed, while_ingest_runs):
    test()
