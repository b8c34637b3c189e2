"""Warehouses of the release before `_topic_partition` open, finish what was begun, are migrated in one step
and go on; commands that only read say what does it. Strangers read old and new rows together."""

import json
import shutil
import subprocess
import sqlite3

from pyiceberg.catalog.sql import SqlCatalog

from golden_warehouse import golden_warehouse
from playhead_lake import equal


def open_table(lake, name):
    catalog = SqlCatalog("playhead", uri=f"sqlite:///{lake.warehouse}/catalog.db",
                         warehouse=f"file://{lake.warehouse}")
    return catalog.load_table(f"bronze.{name}")


def heads(lake):
    with sqlite3.connect(lake.warehouse / "catalog.db") as database:
        return dict(database.execute("select table_name, metadata_location from iceberg_tables"))


def positions(lake, name):
    """Every position once, by our SQL and by PyIceberg."""
    ours = lake.sql(f"select _topic, _topic_partition, _offset from bronze.{name}")
    ours = sorted((row["_topic"], int(row["_topic_partition"]), int(row["_offset"])) for row in ours)
    equal(f"{name}: distinct positions", len(set(ours)), len(ours))
    table = open_table(lake, name).scan().to_arrow()
    theirs = sorted(zip(*(table[column].to_pylist()
                          for column in ("_topic", "_topic_partition", "_offset"))))
    equal(f"{name}: positions by PyIceberg", theirs, ours)
    return ours


def stream_of(lake, name):
    """What PyIceberg sees of the table's metadata."""
    metadata = open_table(lake, name).metadata
    fields = [field.name for field in metadata.spec().fields]
    return fields, metadata.properties.get("playhead.folders")


def crash(lake, point):
    done = subprocess.run([lake.binary, "ingest", "--once"], capture_output=True, check=False,
                          env=lake.environment(PLAYHEAD_CRASH_AT=point), timeout=240)
    assert done.returncode < 0, f"no crash at {point}: {done.stderr.decode()}"


def refused_before(lake):
    """Commands that only read change nothing, so they say what does."""
    before = heads(lake)
    for command in (["sql", "-c", "select 1"], ["tables"], ["dead"], ["audit"]):
        done = subprocess.run([lake.binary, *command], capture_output=True, text=True, check=False,
                              env=lake.environment(), timeout=240)
        equal(f"exit of {command[0]}", done.returncode, 2)
        assert "made by an older playhead" in done.stderr and "ingest --once" in done.stderr, done.stderr
    equal("heads after reading", heads(lake), before)


def content():
    with golden_warehouse("content") as lake:
        refused_before(lake)
        before = heads(lake)
        # Nothing moves when it dies before the transaction, everything when after it.
        crash(lake, "migrate.after_metadata")
        equal("heads after a crash before the transaction", heads(lake), before)
        # The catalog is of today, the tables are not, and are read by today's names all the same.
        equal("rows before", int(lake.sql("""select count(*) as n from bronze.media_events
          where _topic_partition = 0 and _topic = 'media-events'""")[0]["n"]), 90)
        equal("dead letters before", len(lake.json("dead", "media_events")), 3)
        crash(lake, "migrate.after_transaction")
        migrated = heads(lake)
        equal("tables that moved", {name for name in before if migrated[name] != before[name]},
              set(before))
        equal("rows of two commits", len(positions(lake, "media_events")), 129)
        lake.run("ingest", "--once")
        equal("rows and those that waited in the journal", len(positions(lake, "media_events")), 149)
        equal("dead letters", len(positions(lake, "media_events_dead")), 4)
        lake.audit()
        moved = heads(lake)
        lake.run("ingest", "--once")
        equal("heads after another start", heads(lake), moved)
        events = lake.folder / "more.jsonl"
        lake.run("simulate", "media_events", "--events", 50, "--seed", 9, "--to", events)
        lake.run("ingest", "--stream", "media_events", events)
        equal("rows of a direct load", len(positions(lake, "media_events")), 199)
        lake.audit()
        [offsets] = lake.sql("""select summary['playhead.offsets'] as map from playhead.snapshots
          where table_name = 'media_events' and is_current""")
        assert [key.split("/")[1] for key in json.loads(offsets["map"])] == ["media-events"], offsets
        # The projects of today have the same table.
        shutil.rmtree(lake.project)
        shutil.copytree(lake.todays_project, lake.project)
        lake.run("ingest", "--once")
        lake.audit()


def listening():
    with golden_warehouse("listening") as lake:
        equal("fields of the spec before", stream_of(lake, "listen_events"), (["date", "hour"], None))
        lake.start_up()
        equal("fields of the spec", stream_of(lake, "listen_events"),
              (["hour"], "day(hour) as date, hour"))
        lake.run("simulate", "listen_events", "--events", 40, "--seed", 8, "--to", lake.url)
        lake.wait_for_rows("bronze.listen_events", 140)
        lake.stop_up()
        equal("rows", len(positions(lake, "listen_events")), 140)
        equal("rows of the other topic", len(positions(lake, "page_view_events")), 25)
        lake.audit()
        table = open_table(lake, "listen_events")
        folders = {"/".join(part.split("=")[0] for part in task.file.file_path.split("/")[-3:-1])
                   for task in table.scan().plan_files()}
        equal("folders of old and new files", folders, {"date/hour"})
        equal("specs of live files", {task.file.spec_id for task in table.scan().plan_files()}, {0, 1})
        # A day's filter finds the rows of both specs and plans fewer files.
        [day] = lake.sql("""select strftime(ts at time zone 'UTC', '%Y-%m-%d') as day, count(*) as n
          from bronze.listen_events group by 1 order by 2 desc, 1 limit 1""")
        scan = table.scan(row_filter=f"ts >= '{day['day']}T00:00:00+00:00' and "
                                     f"ts < '{day['day']}T23:59:59.999999+00:00'")
        equal("rows of a day", scan.to_arrow().num_rows, int(day["n"]))
        assert len(list(scan.plan_files())) < len(list(table.scan().plan_files())), "nothing is pruned"


def streampro():
    with golden_warehouse("streampro") as lake:
        lake.run("ingest", "--once")
        equal("rows", [len(positions(lake, name)) for name in ("events", "users", "videos", "devices")],
              [17, 1, 400, 10])
        lake.audit()
        users, = lake.landing.glob("users_*.csv")
        users.write_text(users.read_text() + users.read_text().splitlines()[-1] + "\n")
        lake.run("ingest", "--once")
        equal("rows of a file replaced after the migration", len(positions(lake, "users")), 2)
        lake.audit()


if __name__ == "__main__":
    content()
    listening()
    streampro()
