"""Strangers read the lake: PyIceberg's SQL catalog opens our SQLite catalog, DuckDB's iceberg extension and
a plain glob read the files. All see the rows that `playhead sql` sees, also while ingest runs."""

import threading

import duckdb
import duckdb_extensions
import pyarrow.compute as pc
from pyiceberg.catalog.sql import SqlCatalog

from playhead_lake import Lake, equal

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


if __name__ == "__main__":
    main()
