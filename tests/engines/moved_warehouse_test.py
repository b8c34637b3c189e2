"""A warehouse names absolute places. A copy of it must not touch the original, whichever way it is written, and
`adopt` makes it a warehouse of its own; a moved one goes on the same way."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request

from pyiceberg.catalog.sql import SqlCatalog

from playhead_lake import BINARY, Lake, equal
from small_project import make_project

TABLES = """
- name: clicks
  config: {meta: {playhead: {topic: clicks, format: json, partition_by: [kind]}}}
  columns:
    - {name: id, data_type: BIGINT, data_tests: [not_null]}
    - {name: kind, data_type: VARCHAR}
- name: sales
  config: {meta: {playhead: {landing: ["sales_*.csv"], format: csv, on_change: replace}}}
  columns:
    - {name: id, data_type: BIGINT, data_tests: [not_null]}
"""


def clicks(first, count):
    """One of ten does not fit."""
    return "".join(json.dumps({"id": "none" if i % 10 == 0 else i, "kind": f"k{i % 3}"}) + "\n"
                   for i in range(first, first + count)).encode()


def sales(lake, day, ids):
    lake.landing.mkdir(exist_ok=True)
    path = lake.landing / f"sales_2024-03-{day:02}.csv"
    path.write_text("id\n" + "".join(f"{i}\n" for i in ids))
    os.utime(path, (1_700_000_000, 1_700_000_000))


def image(folder):
    """Every file with its contents, but SQLite's side files, which come with readers, and locks, which name a
    process."""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))}


def post(lake, body):
    lake.start_up()
    status, answer = lake.post("clicks", body)
    equal("status", status, 200)
    lake.stop_up()
    return answer


class Copy(Lake):
    """Another warehouse with the project and landing folder of a lake."""

    def __init__(self, lake, warehouse):
        super().__init__("content")
        self.project, self.landing, self.warehouse = lake.project, lake.landing, warehouse

    def refused(self, *arguments):
        done = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                              env=self.environment(), check=False)
        equal(f"exit of {arguments}", done.returncode, 2)
        return done.stderr


def says(text, *parts):
    for part in parts:
        assert part in text, (part, text)


def iceberg_ids(warehouse, table="clicks"):
    catalog = SqlCatalog("playhead", uri=f"sqlite:///{warehouse}/catalog.db", warehouse=f"file://{warehouse}")
    loaded = catalog.load_table(f"bronze.{table}")
    for task in loaded.scan().plan_files():
        assert task.file.file_path.startswith(f"file://{warehouse}/"), task.file.file_path
    for snapshot in loaded.snapshots():
        assert snapshot.manifest_list.startswith(f"file://{warehouse}/"), snapshot.manifest_list
        loaded.scan(snapshot_id=snapshot.snapshot_id).to_arrow()
    return sorted(loaded.scan().to_arrow()["id"].to_pylist())


def good(first, count):
    return [i for i in range(first, first + count) if i % 10]


def fill(lake):
    lake.project = make_project(lake.folder / "project", TABLES)
    post(lake, clicks(0, 200))
    post(lake, clicks(200, 100))
    sales(lake, 1, range(50))
    lake.run("ingest", "--once")
    # Deletes the former file: what a copy would do to the original.
    sales(lake, 1, range(60))
    sales(lake, 2, range(10))
    lake.run("ingest", "--once")
    lake.audit()


def a_copy_leaves_the_original_alone_and_is_adopted(lake):
    fill(lake)
    copy = Copy(lake, lake.folder / "copy")
    shutil.copytree(lake.warehouse, copy.warehouse)
    before = image(lake.warehouse)
    sales(lake, 1, range(70))
    sales(lake, 3, range(5))
    events = lake.folder / "more.jsonl"
    events.write_bytes(clicks(900, 20))
    places = (f"tables_in=file://{lake.warehouse} warehouse=file://{copy.warehouse}", "playhead adopt")
    says(copy.refused("ingest", "--once"), "bronze.clicks", "bronze.clicks_dead", "bronze.sales", *places)
    says(copy.refused("ingest", "--stream", "clicks", events), "bronze.clicks", *places)
    copy.start_up()
    with contextlib.suppress(urllib.error.HTTPError):
        urllib.request.urlopen(f"{copy.url}/readyz", timeout=30)
        raise AssertionError("/readyz is 200 although nothing can be ingested")
    copy.stop_up(expect=2)
    equal("the original after refusals", image(lake.warehouse), before)
    equal("rows through the copy", copy.count("bronze.clicks"), 270)

    adopted = {line["table"] for line in copy.json("adopt")}
    equal("adopted", adopted,
          {"bronze.clicks", "bronze.clicks_dead", "bronze.sales", "bronze.sales_dead"})
    equal("the original after adopt", image(lake.warehouse), before)
    after = image(copy.warehouse)
    equal("adopted again", copy.json("adopt"), [])
    equal("a second adopt changes nothing", image(copy.warehouse), after)
    copy.audit()

    # Both go on by themselves.
    copy.run("ingest", "--once")
    equal("the original after ingest in the copy", image(lake.warehouse), before)
    equal("sales of the copy", copy.sql("select count(*) as n from bronze.sales")[0]["n"], 85)
    post(copy, clicks(300, 30))
    post(lake, clicks(500, 10))
    lake.run("ingest", "--once")
    copy.audit()
    lake.audit()
    equal("clicks of the copy", iceberg_ids(copy.warehouse), good(0, 330))
    equal("clicks of the original", iceberg_ids(lake.warehouse), good(0, 300) + good(500, 10))
    equal("sales of the original", len(iceberg_ids(lake.warehouse, "sales")), 85)
    copy.__exit__(None, None, None)


def a_moved_warehouse_goes_on(lake):
    fill(lake)
    moved = Copy(lake, lake.folder / "moved")
    os.rename(lake.warehouse, moved.warehouse)
    assert "playhead adopt" in moved.refused("ingest", "--once")
    moved.run("adopt", "--moved-from", lake.warehouse)
    assert not lake.warehouse.exists()
    post(moved, clicks(300, 30))
    moved.audit()
    equal("clicks", iceberg_ids(moved.warehouse), good(0, 330))
    moved.__exit__(None, None, None)


def an_incomplete_copy_is_refused(lake):
    fill(lake)
    copy = Copy(lake, lake.folder / "copy")
    shutil.copytree(lake.warehouse, copy.warehouse)
    data = sorted((copy.warehouse / "bronze" / "clicks" / "data").rglob("*.parquet"))
    data[0].write_bytes(data[0].read_bytes()[:-1])
    before = image(copy.warehouse / "bronze" / "sales")
    assert "came along in part" in copy.refused("adopt")
    data[0].unlink()
    assert "did not come along" in copy.refused("adopt")
    assert "playhead adopt" in copy.refused("ingest", "--once")
    equal("sales are as before", copy.count("bronze.sales"), 70)
    assert set(before) <= set(image(copy.warehouse / "bronze" / "sales"))
    # A catalog that serves the original is not taken from it.
    stolen = copy.refused("adopt", "--catalog", f"sqlite:{lake.warehouse}/catalog.db")
    assert "serves the old one" in stolen, stolen
    lake.audit()
    copy.__exit__(None, None, None)


def every_spelling_is_the_same_place(lake):
    fill(lake)
    link = lake.folder / "link"
    link.symlink_to(lake.warehouse)
    rows = 300
    for spelling in (link, f"{lake.warehouse}/", f"{lake.folder}/./lake", f"{lake.folder}/copy/../lake",
                     f"file:{lake.warehouse}"):
        other = Copy(lake, spelling)
        post(other, clicks(rows, 10))
        rows += 10
        other.audit()
        equal("nothing to adopt", other.json("adopt"), [])
        other.__exit__(None, None, None)
    equal("clicks", iceberg_ids(lake.warehouse), good(0, rows))


for check in (a_copy_leaves_the_original_alone_and_is_adopted, a_moved_warehouse_goes_on,
              an_incomplete_copy_is_refused, every_spelling_is_the_same_place):
    with Lake("content") as the_lake:
        check(the_lake)
    print("ok", check.__name__)
