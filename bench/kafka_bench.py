"""Topic to committed, partitioned table: playhead beside Spark Structured Streaming, from one broker in one run.

5,000,000 `content` events (PLAYHEAD_BENCH_EVENTS for another number) in three partitions, lz4, written by
`playhead simulate --to kafka`. Broker and reader share the machine, as many cores as it has. playhead's run is
the whole command `ingest --once`: start, decode, Parquet (zstd), fsync, Iceberg metadata, SQLite commits. Spark's
(PySpark local[*], trigger availableNow, from_json, Parquet with zstd by event_type and date, checkpoint) counts
from the query's start to its end; the session and the JVM are there already. PLAYHEAD_BENCH_RUNS runs each
(default 5) after a warm-up, in turn, all shown; PLAYHEAD_BENCH_SPARK_RUNS is Spark's (default 3, 0 for none).

Also: reading alone (bench/kafka_read.cc), which decodes nothing.
"""

import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from kafka_broker import Broker

SOURCE = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"])
BINARY = os.environ["PLAYHEAD_BIN"]
EVENTS = int(os.environ.get("PLAYHEAD_BENCH_EVENTS", "5000000"))
RUNS = int(os.environ.get("PLAYHEAD_BENCH_RUNS", "5"))
SPARK_RUNS = int(os.environ.get("PLAYHEAD_BENCH_SPARK_RUNS", "3"))
TOPIC = "media-events"

SPARK = """
import sys, time
from pyspark.sql.functions import col, from_json, to_date
from spark_session import open_spark
servers, folder, events, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
schema = '''event_id string, event_type string, timestamp timestamp, user_id string, device_id string,
  session_id string, ip_address string, content_id string, content_type string, title string,
  genre array<string>, duration_seconds bigint, language string, current_timestamp double,
  schema_version string, event_source string'''
spark = open_spark(folder, "spark-sql-kafka-0-10", "spark-token-provider-kafka", "kafka-clients", "commons-pool2",
                   **{"spark.driver.memory": "3g", "spark.sql.parquet.compression.codec": "zstd"})
def run(number):
    source = (spark.readStream.format("kafka").option("kafka.bootstrap.servers", servers)
              .option("subscribe", "media-events").option("startingOffsets", "earliest"))
    rows = (source.load().select(from_json(col("value").cast("string"), schema).alias("e"), "partition", "offset")
            .select("e.*", "partition", "offset").withColumn("date", to_date("timestamp")))
    started = time.perf_counter()
    query = (rows.writeStream.format("parquet").option("path", f"{folder}/out{number}")
             .option("checkpointLocation", f"{folder}/check{number}").partitionBy("event_type", "date")
             .trigger(availableNow=True).start())
    query.awaitTermination()
    return time.perf_counter() - started
run("warm-up")
for number in range(runs):
    print(f"seconds {run(number):.3f}", flush=True)
count = spark.read.parquet(f"{folder}/out0").count()
assert count == events, (count, events)
"""


def timed(command, environment):
    """Wall seconds, CPU seconds and peak bytes of one command."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    error = process.stderr.read()
    _, code, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if code != 0:
        sys.exit(f"{command} failed:\n{error.decode()}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def cpu_of(pid):
    """CPU seconds of a process so far."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make_project(folder, servers):
    project = folder / "project"
    shutil.copytree(SOURCE / "projects" / "content", project, ignore=shutil.ignore_patterns("target", "lake"))
    file = project / "playhead.yml"
    file.write_text(file.read_text().replace("default_target: dev", "default_target: kafka")
                    .replace("127.0.0.1:9092", servers))
    return project


def playhead_runs(broker, folder, environment):
    broker_pid = int((broker.folder / "kafka.pid").read_text())
    rates = []
    for number in range(RUNS + 1):
        lake = folder / f"lake{number}"
        broker_cpu = cpu_of(broker_pid)
        seconds, cpu, peak = timed([BINARY, "ingest", "--once"],
                                   {**environment, "PLAYHEAD_WAREHOUSE": str(lake)})
        broker_cpu = cpu_of(broker_pid) - broker_cpu
        read = subprocess.run([BINARY, "sql", "--format", "csv", "-c", "select count(*) from bronze.media_events"],
                              env={**environment, "PLAYHEAD_WAREHOUSE": str(lake)}, check=True,
                              capture_output=True, text=True).stdout.split()[-1]
        assert int(read) == EVENTS, read
        size = sum(path.stat().st_size for path in (lake / "bronze" / "media_events" / "data").rglob("*.parquet"))
        shutil.rmtree(lake)
        if number == 0:
            continue
        rates.append(EVENTS / seconds)
        print(f"playhead run {number}: {EVENTS / seconds / 1e6:.3f} M events/s, {seconds:.1f} s, CPU {cpu:.1f} s"
              f" (broker {broker_cpu:.1f} s), peak {peak / 1e6:.0f} MB, {size / EVENTS:.1f} bytes an event",
              flush=True)
    return rates


def spark_runs(broker, folder, environment):
    if SPARK_RUNS == 0:
        return []
    process = subprocess.Popen([sys.executable, "-c", SPARK, broker.servers, folder, str(EVENTS), str(SPARK_RUNS)],
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, error = process.communicate()
    if process.returncode != 0:
        sys.exit(f"Spark failed:\n{error[-4000:]}")
    rates = [EVENTS / float(line.split()[1]) for line in out.splitlines() if line.startswith("seconds ")]
    for number, rate in enumerate(rates, start=1):
        print(f"Spark run {number}: {rate / 1e6:.3f} M events/s", flush=True)
    return rates


def main():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="playhead-bench-"))
    try:
        with Broker() as broker:
            broker.create(TOPIC)
            environment = {**os.environ, "PLAYHEAD_PROJECT": str(make_project(folder, broker.servers)),
                           "PLAYHEAD_WAREHOUSE": str(folder / "lake"),
                           "PLAYHEAD_BENCH_KAFKA": broker.servers, "PLAYHEAD_BENCH_TOPIC": TOPIC}
            seconds, _, _ = timed([BINARY, "simulate", "media_events", "--events", str(EVENTS), "--seed", "7",
                                   "--to", "kafka"], environment)
            print(f"{EVENTS:,} events; simulate --to kafka: {EVENTS / seconds / 1e6:.3f} M events/s", flush=True)
            subprocess.run([SOURCE / "build/release/bin/kafka_read"], env=environment, check=True)
            rates = playhead_runs(broker, folder, environment)
            spark_rates = spark_runs(broker, folder, environment)
            if rates and spark_rates:
                ratio = statistics.median(rates) / statistics.median(spark_rates)
                print(f"medians: playhead {statistics.median(rates) / 1e6:.3f}, Spark"
                      f" {statistics.median(spark_rates) / 1e6:.3f} M events/s: {ratio:.1f} times")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
