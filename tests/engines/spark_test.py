"""Real PySpark reads what we wrote, as Parquet by path and as Iceberg through our catalog's own database;
its results are those of `playhead sql`."""

from playhead_lake import Lake, equal
from spark_session import open_spark

EVENTS = 5000
TABLE = "bronze.media_events"


def counts(rows):
    return {row["content_id"]: int(row["count"]) for row in rows}


def by_path(spark, lake, first, last):
    """The folder as any Parquet reader sees it: event_type and date are its Hive partitions."""
    frame = spark.read.parquet(str(lake.warehouse / "bronze" / "media_events" / "data"))
    plays = frame.filter(f"event_type = 'play' AND date BETWEEN '{first}' AND '{last}'")
    plan = plays._jdf.queryExecution().executedPlan().toString()  # pylint: disable=protected-access
    filters = plan[plan.index("PartitionFilters"):plan.index("PushedFilters")]
    assert "event_type" in filters and "date" in filters, f"folders are not pruned: {filters}"
    return counts(plays.groupBy("content_id").count().collect()), frame.count()


def by_iceberg(spark, first, last):
    frame = spark.table(f"playhead.{TABLE}")
    plays = frame.filter(f"event_type = 'play' AND date(timestamp) BETWEEN '{first}' AND '{last}'")
    return counts(plays.groupBy("content_id").count().collect()), frame.count()


def check(spark, lake):
    days = [row["day"] for row in lake.sql(
        f"select distinct strftime(timestamp at time zone 'UTC', '%Y-%m-%d') as day from {TABLE} order by 1")]
    assert len(days) > 2, f"too few days to leave some out: {days}"
    first, last = days[0], days[-2]
    want = counts(lake.sql(f"""select content_id, count(*) as count from {TABLE} where event_type = 'play'
      and cast(timestamp at time zone 'UTC' as date) between '{first}' and '{last}' group by all"""))
    everything = lake.count(TABLE)
    assert 0 < sum(want.values()) < everything, want
    equal("Parquet by path", by_path(spark, lake, first, last), (want, everything))
    equal("Iceberg", by_iceberg(spark, first, last), (want, everything))


def types(spark, lake):
    """Values of each type as Spark sees them through Iceberg: sums and edges over all rows."""
    expressions = """count(distinct event_id) as ids, sum(duration_seconds) as seconds,
      sum("current_timestamp") as position, count("_extra") as extra, sum(_offset) as offsets"""
    [want] = lake.sql(f"select {expressions}, sum(len(genre)) as genres, epoch_us(min(timestamp)) as first,"
                      f" epoch_us(max(timestamp)) as last from {TABLE}")
    spark_words = expressions.replace('"', "`")
    have = spark.sql(f"select {spark_words}, sum(size(genre)) as genres, unix_micros(min(timestamp)) as first,"
                     f" unix_micros(max(timestamp)) as last from playhead.{TABLE}").collect()[0].asDict()
    position = have.pop("position"), float(want.pop("position"))
    assert abs(position[0] - position[1]) < 1e-6 * position[1], position
    equal("sums and edges", have, {name: int(value) for name, value in want.items()})
    dead = spark.table(f"playhead.{TABLE}_dead").groupBy("_reason").count().collect()
    equal("dead letters by reason", {row["_reason"]: row["count"] for row in dead},
          {row["r"]: int(row["n"]) for row in
           lake.sql(f"select _reason as r, count(*) as n from {TABLE}_dead group by all")})


def main():
    with Lake("content") as lake:
        events = lake.folder / "events.jsonl"
        lake.run("simulate", "media_events", "--events", EVENTS, "--seed", "17", "--faults", "0.05",
                 "--to", events)
        lake.run("ingest", "--stream", "media_events", events)
        catalog = "spark.sql.catalog.playhead"
        spark = open_spark(lake.folder, "iceberg-spark-runtime", "sqlite-jdbc", **{
            catalog: "org.apache.iceberg.spark.SparkCatalog",
            f"{catalog}.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
            f"{catalog}.uri": f"jdbc:sqlite:{lake.warehouse}/catalog.db",
            f"{catalog}.jdbc.schema-version": "V1",
            f"{catalog}.warehouse": f"file://{lake.warehouse}"})
        check(spark, lake)
        types(spark, lake)
        # A second commit, and a table that Spark has open.
        more = lake.folder / "more.jsonl"
        lake.run("simulate", "media_events", "--events", EVENTS // 2, "--seed", "18", "--to", more)
        lake.run("ingest", "--stream", "media_events", more)
        spark.sql(f"refresh table playhead.{TABLE}")
        check(spark, lake)
        spark.stop()


if __name__ == "__main__":
    main()
