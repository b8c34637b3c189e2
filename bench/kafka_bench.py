"""Kafka beside the program on one machine: writing (`simulate --to kafka`), reading alone (kafka_read), and
the way from topic to committed tables (`ingest --once`), for each compression. EVENTS sets the size."""

import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

from kafka_broker import Broker

SOURCE = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"])
BINARY = os.environ["PLAYHEAD_BIN"]
EVENTS = int(os.environ.get("EVENTS", "2000000"))
TOPIC = "media-events"


def timed(*command, env):
    started = time.monotonic()
    subprocess.run(command, env=env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return time.monotonic() - started


def measure(broker, codec):
    broker.create(TOPIC)
    with tempfile.TemporaryDirectory() as folder:
        project = pathlib.Path(folder) / "project"
        subprocess.run(["cp", "-r", SOURCE / "projects" / "content", project], check=True)
        (project / "playhead.yml").write_text(f"""name: content
default_target: kafka
targets:
  kafka:
    warehouse: {folder}/lake
    log:
      type: kafka
      properties:
        bootstrap.servers: {broker.servers}
        compression.type: {codec}
""")
        env = {**os.environ, "PLAYHEAD_PROJECT": str(project), "PLAYHEAD_BENCH_KAFKA": broker.servers,
               "PLAYHEAD_BENCH_TOPIC": TOPIC}
        written = timed(BINARY, "simulate", "media_events", "--events", str(EVENTS), "--to", "kafka", env=env)
        print(f"{codec}: simulate --to kafka: {EVENTS / written:,.0f} events/s", flush=True)
        subprocess.run([SOURCE / "build/release/bin/kafka_read"], env=env, check=True)
        taken = timed(BINARY, "ingest", "--once", env=env)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{codec}: ingest --once: {EVENTS / taken:,.0f} events/s, peak {peak:,.0f} MiB of any child",
              flush=True)
    broker.delete(TOPIC)


def main():
    with Broker() as broker:
        for codec in sys.argv[1:] or ["none", "lz4", "zstd"]:
            measure(broker, codec)


if __name__ == "__main__":
    main()
