"""Strangers read the lake: PyIceberg's SQL catalog opens our SQLite catalog, DuckDB's iceberg extension,
a plain glob, pyarrow and, where they are installed, pandas and polars read the files. All see the rows that
`playhead sql` sees, also while ingest runs, and all columns of all tables of the five projects."""

import importlib.util
import threading

import duckdb
import duckdb_extensions
import pyarrow.compute as pc
import pyarrow.dataset
import pyarrow.parquet
from pyiceberg.catalog.sql import SqlCatalog

from playhead_lake import Lake, equal
from project_lakes import project_lakes, tables

EVENTS = 4000
SUMMARY = """select count(*) as rows, count(distinct event_id) as ids, min(timestamp)::varchar as first,
  max(timestamp)::varchar as last, sum(current_timestamp) as position, count(session_id) as sessions
  from {}"""
# `current_timestamp` is a column here, which SQL otherwise takes for the clock.
SUMMARY = SUMMARY.replace("sum(current_timestamp)", 'round(sum("current_timestamp"), 3)')


def open_catalog(lake):
    return SqlCatalog("playhead", uri=f"sqlite:///{lake.warehouse}/catalog.db",
                      warehouse=f"file://{lake.warehouse}")


def duckdb_with_iceberg():
    for name in ("avro", "iceberg"):
        duckdb_extensions.import_extension(name)
    connection = duckdb.connect()
    connection.execute("SET TimeZone='UTC'")
    connection.execute("LOAD avro; LOAD iceberg;")
    return connection


def check_same_rows(lake):
    table = open_catalog(lake).load_table("bronze.media_events")
    arrow = table.scan().to_arrow()
    ours = lake.sql("set TimeZone='UTC'; " + SUMMARY.format("bronze.media_events"))[0]
    equal("PyIceberg rows", arrow.num_rows, int(ours["rows"]))
    equal("PyIceberg ids", pc.count_distinct(arrow["event_id"]).as_py(), int(ours["ids"]))
    equal("PyIceberg positions", round(pc.sum(arrow["current_timestamp"]).as_py(), 3),
          float(ours["position"]))

    connection = duckdb_with_iceberg()
    metadata = table.metadata_location
    for what, source in (
            ("iceberg_scan of the metadata file", f"iceberg_scan('{metadata}')"),
            ("iceberg_scan of the folder",
             f"iceberg_scan('{lake.warehouse}/bronze/media_events')"),
            ("glob", f"read_parquet('{lake.warehouse}/bronze/media_events/data/**/*.parquet')")):
        row = connection.execute(SUMMARY.format(source)).fetchone()
        names = [column[0] for column in connection.description]
        theirs = dict(zip(names, row))
        for key in ("rows", "ids", "sessions"):
            equal(f"{what}: {key}", int(theirs[key]), int(ours[key]))
        for key in ("first", "last"):
            equal(f"{what}: {key}", theirs[key], ours[key])
        equal(f"{what}: position", float(theirs["position"]), float(ours["position"]))

    # A filter on the partition source must prune, not lose rows.
    by_type = lake.sql("select event_type, count(*) as n from bronze.media_events group by 1")
    for line in by_type:
        rows = table.scan(row_filter=f"event_type = '{line['event_type']}'").to_arrow().num_rows
        equal(f"PyIceberg filtered by {line['event_type']}", rows, int(line["n"]))
    hive = connection.execute(
        f"""select event_type, count(*) from read_parquet(
            '{lake.warehouse}/bronze/media_events/data/**/*.parquet', hive_partitioning = true)
            group by 1 order by 1""").fetchall()
    equal("Hive folders", {k: n for k, n in hive},
          {line["event_type"]: int(line["n"]) for line in by_type})
    return int(ours["rows"])


def frames_of(folder):
    """Readers of plain folders, in the form that README.md names."""
    yield "pyarrow", pyarrow.parquet.read_table(folder, partitioning=None)
    yield "pyarrow.dataset", pyarrow.dataset.dataset(folder).to_table()
    if importlib.util.find_spec("pandas"):
        import pandas  # pylint: disable=import-outside-toplevel
        yield "pandas", pandas.read_parquet(folder, partitioning=None)
    if importlib.util.find_spec("polars"):
        import polars  # pylint: disable=import-outside-toplevel
        yield "polars", polars.read_parquet(f"{folder}/**/*.parquet").to_arrow()


def identities(frame):
    names = ("_topic", "_topic_partition", "_offset")
    as_list = "to_pylist" if hasattr(frame, "num_rows") else "tolist"
    return sorted(zip(*(getattr(frame[name], as_list)() for name in names)))


def check_whole_table(lake, catalog, connection, name, of_ours):
    want_columns, want = of_ours
    table = catalog.load_table(f"bronze.{name}")
    arrow = table.scan().to_arrow()
    equal(f"{name}: columns by PyIceberg", arrow.column_names, want_columns)
    equal(f"{name}: rows by PyIceberg", identities(arrow), want)
    summaries = [summary for manifest in table.inspect.manifests().to_pylist()
                 for summary in manifest["partition_summaries"]]
    equal(f"{name}: contains_nan", {summary["contains_nan"] for summary in summaries} - {False}, set())
    rows = connection.execute(f"select * from iceberg_scan('{table.metadata_location}')")
    equal(f"{name}: columns by DuckDB", [column[0] for column in rows.description], want_columns)
    equal(f"{name}: rows by DuckDB", len(rows.fetchall()), len(want))
    if not want:
        return
    for reader, frame in frames_of(str(lake.warehouse / "bronze" / name / "data")):
        equal(f"{name}: columns by {reader}", list(getattr(frame, "column_names", frame.columns)),
              want_columns)
        equal(f"{name}: rows by {reader}", identities(frame), want)


def check_all_projects():
    connection = duckdb_with_iceberg()
    with project_lakes() as lakes:
        for lake in lakes.values():
            catalog = open_catalog(lake)
            for name, of_ours in tables(lake).items():
                check_whole_table(lake, catalog, connection, name, of_ours)
        check_day_and_hour(lakes["listening"])


def check_day_and_hour(lake):
    """Two folders, one Iceberg field, and a filter by date leaves files out."""
    table = open_catalog(lake).load_table("bronze.listen_events")
    equal("fields of the spec", [field.name for field in table.spec().fields], ["hour"])
    files = list(table.scan().plan_files())
    folders = {"/".join(part.split("=")[0] for part in task.file.file_path.split("/")[-3:-1])
               for task in files}
    equal("folders", folders, {"date/hour"})
    by_day = lake.sql("""select strftime(ts at time zone 'UTC', '%Y-%m-%d') as day, count(*) as n
      from bronze.listen_events group by 1 order by 1""")
    assert len(by_day) > 1, by_day
    for line in by_day:
        scan = table.scan(row_filter=f"ts >= '{line['day']}T00:00:00+00:00' and "
                                     f"ts <= '{line['day']}T23:59:59.999999+00:00'")
        equal(f"PyIceberg: rows of {line['day']}", scan.to_arrow().num_rows, int(line["n"]))
        assert len(list(scan.plan_files())) < len(files), f"{line['day']}: no file is left out"
    hive = duckdb.sql(f"""select date::varchar, count(*) from read_parquet(
        '{lake.warehouse}/bronze/listen_events/data/**/*.parquet', hive_partitioning = true)
        group by 1 order by 1""").fetchall()
    equal("Hive folders by day", dict(hive), {line["day"]: int(line["n"]) for line in by_day})


def main():
    with Lake("content") as lake:
        lake.start_up("--epoch-interval-ms", "200")
        # An empty table already opens everywhere.
        equal("empty table", open_catalog(lake).load_table("bronze.media_events").scan().to_arrow()
              .num_rows, 0)
        sender = threading.Thread(target=lake.run, args=(
            "simulate", "media_events", "--events", EVENTS, "--rate", "1500", "--to", lake.url))
        sender.start()
        lake.wait_for_rows("bronze.media_events", 200)
        # While ingest runs, every reader sees one committed state: rows only ever grow, ids stay unique.
        catalog, connection = open_catalog(lake), duckdb_with_iceberg()
        seen = 0
        while sender.is_alive():
            table = catalog.load_table("bronze.media_events")
            arrow = table.scan().to_arrow()
            equal("ids are unique in a running lake", pc.count_distinct(arrow["event_id"]).as_py(),
                  arrow.num_rows)
            scanned = connection.execute(
                f"select count(*) from iceberg_scan('{table.metadata_location}')").fetchone()[0]
            equal("iceberg_scan of the same state", scanned, arrow.num_rows)
            assert arrow.num_rows >= seen, "rows vanished"
            seen = arrow.num_rows
        sender.join()
        lake.wait_for_rows("bronze.media_events", EVENTS)
        lake.stop_up()
        equal("rows", check_same_rows(lake), EVENTS)
        lake.audit()
    check_all_projects()


if __name__ == "__main__":
    main()
