"""What PyIceberg can do to a table of ours, one change after the other. After each, ingest goes on, or
refuses that table by name while the other stream goes on; `playhead sql` and PyIceberg read the same."""

import gzip
import json
import pathlib
import sqlite3
import subprocess

import pyarrow as pa
from pyiceberg.transforms import BucketTransform, TruncateTransform, YearTransform
from pyiceberg.types import (DecimalType, DoubleType, ListType, LongType, NestedField, StringType,
                             StructType, UUIDType)

from foreign_tables import check_readers, open_catalog
from playhead_lake import Lake, equal
from small_project import make_project, rest

TABLES = """
- name: plays
  config:
    event_time: at
    meta: {playhead: {format: jsonl, partition_by: [kind, day(at) as date]}}
  columns:
    - {name: n, data_type: BIGINT, data_tests: [not_null]}
    - {name: kind, data_type: VARCHAR}
    - {name: at, data_type: TIMESTAMPTZ}
    - {name: score, data_type: INTEGER}
    - {name: title, data_type: VARCHAR}
    - {name: tags, data_type: "VARCHAR[]"}
    - {name: place, data_type: "STRUCT(city VARCHAR, zone INTEGER)"}
- name: notes
  config: {meta: {playhead: {format: jsonl}}}
  columns:
    - {name: n, data_type: BIGINT}
"""
PLAYS = "bronze.plays"
ROWS = 6


class Plays:
    """A lake that gets one more landing file for each table with every step."""

    def __init__(self, lake):
        self.lake = lake
        self.step = 0

    def table(self):
        return open_catalog(self.lake).load_table(PLAYS)

    def deliver(self):
        """(first, end) of the numbers of the new rows"""
        self.step += 1
        first = self.step * 100
        rows = [{"n": n, "kind": "play" if n % 2 else "pause", "at": f"2026-01-0{1 + n % 3}T10:00:00Z",
                 "score": n, "title": f"title {n}", "tags": ["a", str(n)],
                 "place": {"city": "Oslo", "zone": n}} for n in range(first, first + ROWS)]
        self.lake.landing.mkdir(exist_ok=True)
        for name in ("plays", "notes"):
            path = self.lake.landing / f"{self.step:03}" / f"{name}.jsonl"
            path.parent.mkdir(exist_ok=True)
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            rest(path)
        return first, first + ROWS

    def ingest(self, expect=0):
        done = subprocess.run([self.lake.binary, "ingest", "--once", "--format", "json"],
                              env=self.lake.environment(), capture_output=True, text=True,
                              timeout=240, check=False)
        equal(f"exit of ingest in step {self.step}\n{done.stderr}", done.returncode, expect)
        return {line["stream"]: line["good"] for line in json.loads(done.stdout)}, done.stderr

    def goes_on(self, what):
        """Delivers and ingests; returns the new rows, checked by two readers."""
        first, end = self.deliver()
        good, _ = self.ingest()
        equal(f"{what}: good rows", good, {"plays": ROWS, "notes": ROWS})
        rows = [row for row in check_readers(self.lake, PLAYS) if first <= row["n"] < end]
        equal(f"{what}: numbers", [row["n"] for row in rows], list(range(first, end)))
        print("ok:", what)
        return rows

    def partitions(self):
        rows = self.lake.json("tables", PLAYS, "--show", "partitions")
        return {row["partition"] for row in rows}


def change_columns(plays):
    rows = plays.goes_on("nothing")
    equal("place", rows[0]["place"], {"city": "Oslo", "zone": rows[0]["n"]})

    with plays.table().update_schema() as update:
        update.add_column("added", LongType())
        update.add_column("deep", StructType(
            NestedField(1, "list", ListType(2, StringType(), False), False),
            NestedField(3, "id", UUIDType(), False), NestedField(4, "cost", DecimalType(20, 2), False)))
        update.add_column(("place", "street"), StringType())
    rows = plays.goes_on("columns added")
    equal("added", {row["added"] for row in rows}, {None})
    equal("place", rows[0]["place"], {"city": "Oslo", "zone": rows[0]["n"], "street": None})

    with plays.table().update_schema() as update:
        update.rename_column("score", "points")
        update.rename_column(("place", "zone"), "area")
    rows = plays.goes_on("columns renamed")
    equal("points", [row["points"] for row in rows], [row["n"] for row in rows])
    equal("area", [row["place"]["area"] for row in rows], [row["n"] for row in rows])
    assert "score" not in rows[0], rows[0]

    with plays.table().update_schema() as update:
        update.move_first("title")
        update.move_after("n", "tags")
        update.move_first(("place", "street"))
    rows = plays.goes_on("columns moved")
    equal("order", list(rows[0])[:2], ["title", "kind"])
    equal("title", rows[0]["title"], f"title {rows[0]['n']}")

    with plays.table().update_schema() as update:
        update.update_column("points", LongType())
        update.update_column(("place", "area"), LongType())
        update.update_column("points", doc="what it is worth")
        update.make_column_optional("_topic")
    rows = plays.goes_on("widened, documented, made optional")
    equal("points", [row["points"] for row in rows], [row["n"] for row in rows])
    equal("doc", plays.table().schema().find_field("points").doc, "what it is worth")

    with plays.table().update_schema() as update:
        update.delete_column("title")
    rows = plays.goes_on("a declared column dropped")
    equal("title is back", rows[0]["title"], f"title {rows[0]['n']}")
    old = [row for row in check_readers(plays.lake, PLAYS) if row["n"] < rows[0]["n"]]
    equal("what it held is gone", {row["title"] for row in old}, {None})


def change_partitions(plays):
    with plays.table().update_spec() as update:
        update.add_identity("title")
        update.add_field("n", BucketTransform(2), "n_bucket")
        update.add_field("title", TruncateTransform(5), "title_start")
    first = plays.goes_on("partition fields added")[0]["n"]
    folder = next(p for p in plays.partitions() if f"title=title {first}/" in p)
    assert folder.startswith("kind=") and folder.endswith("/title_start=title"), folder
    assert "/n_bucket=" in folder, folder

    with plays.table().update_spec() as update:
        update.remove_field("date")
        update.remove_field("title")
        update.remove_field("n_bucket")
    plays.goes_on("partition fields removed")
    assert "kind=play/title_start=title" in plays.partitions(), plays.partitions()

    with plays.table().update_spec() as update:
        update.add_field("at", YearTransform(), "at_year")
    plays.goes_on("a year")
    assert "kind=play/title_start=title/at_year=2026" in plays.partitions(), plays.partitions()
    assert any("/date=2026-01-02" in p for p in plays.partitions()), plays.partitions()


def change_rows(plays):
    with plays.table().transaction() as transaction:
        transaction.set_properties({"owner": "somebody", "write.metadata.compression-codec": "gzip"})
    plays.goes_on("properties set")
    equal("property", plays.table().properties["owner"], "somebody")

    snapshot = plays.table().current_snapshot().snapshot_id
    tagged = plays.table().scan().to_arrow().num_rows
    plays.table().manage_snapshots().create_tag(snapshot, "audited").create_branch(
        snapshot, "trial").commit()
    plays.goes_on("tag and branch")
    equal("refs", sorted(plays.table().refs()), ["audited", "main", "trial"])
    equal("tagged rows", plays.table().scan(snapshot_id=snapshot).to_arrow().num_rows, tagged)

    table = plays.table()
    table.append(table.scan(limit=2).to_arrow())
    plays.goes_on("append")
    plays.table().delete("n == 201")
    plays.goes_on("rows deleted")
    table = plays.table()
    table.overwrite(table.scan(limit=3).to_arrow(), "n < 200")
    plays.goes_on("overwrite")


def replace_metadata(plays, name, contents):
    """Points the catalog to another metadata file; returns how to go back. For what PyIceberg cannot write."""
    location = plays.table().metadata_location
    path = pathlib.Path(location.removeprefix("file://"))
    path.with_name(name).write_bytes(contents(path.read_bytes()))

    def move(old, new):
        with sqlite3.connect(plays.lake.warehouse / "catalog.db") as catalog:
            moved = catalog.execute("update iceberg_tables set metadata_location = ? "
                                    "where metadata_location = ?", (new, old)).rowcount
            equal("moved", moved, 1)

    other = location.replace(path.name, name)
    move(location, other)
    return lambda: move(other, location)


def gzip_metadata(plays):
    replace_metadata(plays, "00900-packed.gz.metadata.json", gzip.compress)
    plays.goes_on("metadata packed with gzip")
    replace_metadata(plays, "00950-packed.metadata.json.gz", gzip.compress)
    plays.goes_on("metadata packed with gzip, under the other name")


def version_3(contents):
    return json.dumps({**json.loads(contents), "format-version": 3, "next-row-id": 0}).encode()


def one_bad_table(plays):
    """A table of version 3 is refused by name; the other stream, `tables` and SQL go on."""
    lake = plays.lake
    go_back = replace_metadata(plays, "00990-upgraded.metadata.json", version_3)
    plays.deliver()
    good, errors = plays.ingest(expect=2)
    equal("the others", good["notes"], ROWS)
    assert "plays" in errors and "format version 3 is not supported" in errors, errors
    listed = {row["table"]: row for row in lake.json("tables")}
    assert "format version 3" in listed[PLAYS]["problem"], listed
    equal("notes", listed["bronze.notes"]["rows"], plays.step * ROWS)
    equal("notes", lake.count("bronze.notes"), plays.step * ROWS)
    done = subprocess.run([lake.binary, "sql", "-c", f"select * from {PLAYS}"],
                          env=lake.environment(), capture_output=True, text=True, check=False)
    equal("exit", done.returncode, 2)
    assert f"table {PLAYS} cannot be read" in done.stderr and "version 3" in done.stderr, done.stderr
    problems = lake.sql("select table_name from playhead.tables where problem is not null")
    equal("problems", problems, [{"table_name": "plays"}])

    # Under `up` as well: the collector and the other stream are not kept from it.
    lake.start_up()
    plays.deliver()
    lake.wait_for_rows("bronze.notes", plays.step * ROWS)
    lake.stop_up(expect=2)
    go_back()
    good, _ = plays.ingest()
    equal("as soon as it can be read", good["plays"], 2 * ROWS)
    print("ok: version 3")


def gone(plays):
    catalog = open_catalog(plays.lake)
    catalog.rename_table(PLAYS, "bronze.old_plays")
    first, end = plays.deliver()
    good, _ = plays.ingest()
    assert good["plays"] >= ROWS, good
    numbers = {row["n"] for row in check_readers(plays.lake, PLAYS)}
    assert set(range(first, end)) <= numbers, numbers
    catalog.drop_table(PLAYS)
    first, end = plays.deliver()
    good, _ = plays.ingest()
    assert good["plays"] >= ROWS, good
    numbers = {row["n"] for row in check_readers(plays.lake, PLAYS)}
    assert set(range(first, end)) <= numbers, numbers
    print("ok: renamed and dropped")


def refused_by_name(plays):
    """A partition field that is not computed, with the way out."""
    with plays.table().update_schema() as update:
        update.add_column("must", DoubleType())
    with plays.table().update_spec() as update:
        update.add_identity("must")
    first, _ = plays.deliver()
    good, errors = plays.ingest(expect=2)
    equal("the others", good["notes"], ROWS)
    assert "identity(must) of DOUBLE" in errors and "DROP PARTITION FIELD must" in errors, errors
    with plays.table().update_spec() as update:
        update.remove_field("must")
    good, _ = plays.ingest()
    equal("after the way out", good["plays"], ROWS)
    assert first in {row["n"] for row in check_readers(plays.lake, PLAYS)}
    print("ok: refused by name")


def main():
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", TABLES)
        plays = Plays(lake)
        change_columns(plays)
        change_partitions(plays)
        change_rows(plays)
        gzip_metadata(plays)
        refused_by_name(plays)
        one_bad_table(plays)
        gone(plays)


if __name__ == "__main__":
    main()
