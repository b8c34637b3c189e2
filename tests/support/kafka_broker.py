"""A real Kafka broker for one test, and the client library that writes to it (not the one we read with)."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

from confluent_kafka import Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic

SOURCE = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"])


def free_ports():
    """Two neighbouring ports that nobody listens on: the clients' and the controller's."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise AssertionError("no two neighbouring free ports")


class Broker:
    """Starts `./dev services start kafka` on ports of its own; ends it and removes its files."""

    def __init__(self):
        self.port = free_ports()
        self.servers = f"127.0.0.1:{self.port}"
        self.folder = SOURCE / "build" / "services" / "kafka" / str(self.port)
        self.admin = None
        self.environment = {}  # more for the service's script

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, kind, value, trace):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def service(self, verb):
        done = subprocess.run(
            [SOURCE / "dev", "services", verb, "kafka"], capture_output=True, check=False,
            env={**os.environ, "KAFKA_PORT": str(self.port), "KAFKA_HEAP": "512m", **self.environment},
            timeout=200)
        assert done.returncode == 0, f"services {verb} kafka: {done.stderr.decode()[-3000:]}"

    def start(self):
        self.service("start")
        # The client says of every lost connection; only what it returns counts here.
        self.admin = AdminClient({"bootstrap.servers": self.servers, "log_level": 0})

    def stop(self):
        self.service("stop")

    def create(self, topic, partitions=3):
        """Makes a topic, also one that is still being deleted."""
        end = time.monotonic() + 30
        while True:
            try:
                self.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result(20)
                return
            except Exception as error:  # pylint: disable=broad-except
                if "TOPIC_ALREADY_EXISTS" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def topic_id(self, topic):
        described = self.admin.describe_topics(TopicCollection([topic]))[topic].result(20)
        return str(described.topic_id)

    def grow(self, topic, partitions):
        """More partitions; a producer made before does not know them yet."""
        self.admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(20)
        # The broker's metadata may be a moment behind.
        while len(self.admin.list_topics(topic, timeout=20).topics[topic].partitions) < partitions:
            time.sleep(0.05)

    def delete(self, topic):
        self.admin.delete_topics([topic])[topic].result(20)

    def delete_records(self, topic, partition, before):
        """What retention does: the partition begins at `before`."""
        wanted = TopicPartition(topic, partition, before)
        self.admin.delete_records([wanted])[wanted].result(20)

    def producer(self, **properties):
        config = {"bootstrap.servers": self.servers, "linger.ms": 5, "acks": "all", "log_level": 0,
                  "message.max.bytes": 20_000_000}
        config.update({name.replace("_", "."): value for name, value in properties.items()})
        return Producer(config)


class Sent:
    """What was written where, from the broker's own acknowledgements: {(partition, offset): record}."""

    def __init__(self, producer, topic):
        self.producer = producer
        self.topic = topic
        self.records = {}

    def send(self, value, note=None, **more):
        def acknowledged(error, message):
            assert error is None, error
            self.records[(message.partition(), message.offset())] = note if note else value

        while True:
            try:
                self.producer.produce(self.topic, value, on_delivery=acknowledged, **more)
                break
            except BufferError:
                self.producer.poll(0.1)
        self.producer.poll(0)

    def flush(self):
        assert self.producer.flush(60) == 0, "the broker did not acknowledge everything in 60 s"
        return self.records
