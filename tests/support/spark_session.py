"""Real PySpark, two threads in one process, on loopback."""

import os

from playhead_lake import SOURCE

# Before the import: Spark reads it once.
os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")

from pyspark.sql import SparkSession  # pylint: disable=wrong-import-position

JARS = SOURCE / "third_party" / "services" / "spark"


def open_spark(scratch, *jars, **properties):
    """A session with the jars whose names begin so; `scratch` holds its own files."""
    paths = [next(JARS.glob(f"{jar}*.jar")) for jar in jars]
    builder = SparkSession.builder.master("local[2]").appName("playhead")
    properties = {
        "spark.jars": ",".join(map(str, paths)),
        "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.session.timeZone": "UTC",
        "spark.local.dir": f"{scratch}/spark", "spark.sql.warehouse.dir": f"{scratch}/spark-warehouse",
        **properties}
    for name, value in properties.items():
        builder = builder.config(name, str(value))
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark
