"""What the simulator says it made, faults included, is what the lake holds after the way through a real
broker: written by `simulate --to kafka`, or sent over HTTP to a collector whose log is Kafka."""

import sys
import time

from confluent_kafka import Consumer, TopicPartition

from kafka_broker import Broker
from kafka_lake import KafkaLake
from playhead_lake import equal
from simulated_truth import check, read_truth

# Streams of each project and their topics.
STREAMS = {
    "content": {"media_events": "media-events"},
    "listening": {name: name for name in ("listen_events", "page_view_events", "auth_events",
                                          "status_change_events")},
    "campaigns": {"view_log_events": "view-log-events-1"},
}


def simulated(lake, to, events):
    file = lake.folder / "truth.json"
    lake.run("simulate", "--events", events, "--seed", "23", "--faults", "0.05", "--to", to, "--truth", file)
    return read_truth(file)


def topic_held(broker, topic):
    """{(partition, offset): value}, as another client reads the topic."""
    consumer = Consumer({"bootstrap.servers": broker.servers, "group.id": "reads-beside", "log_level": 0,
                         "enable.partition.eof": True, "enable.auto.commit": False})
    partitions = sorted(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    held, ended, end = {}, set(), time.monotonic() + 60
    while len(ended) < len(partitions):
        assert time.monotonic() < end, f"{topic} was not read to its end in 60 s"
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error() is not None:
            ended.add(message.partition())
        else:
            held[(message.partition(), message.offset())] = message.value()
    consumer.close()
    return held


def check_positions(broker, lake, streams, truth):
    """Every record of every topic is a row or a dead letter of its stream, by position, once; the dead
    letters byte for byte."""
    for stream, topic in streams.items():
        held = topic_held(broker, topic)
        equal(f"records in {topic}", len(held), truth["streams"][stream]["records"])
        rows = [(int(row["_topic_partition"]), int(row["_offset"]))
                for row in lake.sql(f"select _topic_partition, _offset from bronze.{stream}")]
        dead = {(int(row["_topic_partition"]), int(row["_offset"])): row["record"] for row in lake.sql(
            f"select _topic_partition, _offset, hex(_record) as record from bronze.{stream}_dead")}
        equal(f"positions of {stream}", sorted([*rows, *dead]), sorted(held))
        for position, record in dead.items():
            equal(f"dead letter of {stream} at {position}", record, held[position].hex().upper())


def from_simulator(broker, project, events):
    for topic in STREAMS[project].values():
        broker.create(topic)
    with KafkaLake(broker, project) as lake:
        truth = simulated(lake, "kafka", events)
        taken = {line["stream"]: line for line in lake.json("ingest", "--once")}
        for stream, want in truth["streams"].items():
            line = taken[stream]
            equal(f"read, good, dead, skipped of {stream}",
                  (line["read"], line["good"], line["dead"], line["skipped"]),
                  (want["records"], want["good"], want["dead"], 0))
        check(lake, truth)
        check_positions(broker, lake, STREAMS[project], truth)
        assert sum(want["dead"] for want in truth["streams"].values()) > 0, "no fault was made"
        again = lake.json("ingest", "--once")
        equal("read again", [line["read"] for line in again], [0] * len(again))
    for topic in STREAMS[project].values():
        broker.delete(topic)


def content(broker):
    from_simulator(broker, "content", 6000)


def listening(broker):
    from_simulator(broker, "listening", 1500)


def campaigns(broker):
    from_simulator(broker, "campaigns", 6000)


def collector(broker):
    """HTTP to collector to broker to table; a receipt names the record's place in the topic."""
    topic = STREAMS["content"]["media_events"]
    broker.create(topic)
    with KafkaLake(broker) as lake:
        lake.start_up()
        truth = simulated(lake, lake.url, 6000)
        want = truth["streams"]["media_events"]
        lake.wait_for_rows("bronze.media_events", want["good"])
        lake.wait_for_rows("bronze.media_events_dead", want["dead"])
        check(lake, truth)
        check_positions(broker, lake, STREAMS["content"], truth)

        bodies = [b'{"event_id": "a"}', b'{"event_id": "b"}', b'{"event_id": "c"}']
        status, receipt = lake.post("media_events", b"\n".join(bodies), {"Idempotency-Key": "one"})
        equal("status", status, 200)
        held = topic_held(broker, topic)
        equal("log id ends with the topic's id", receipt["log_id"].split("/", 1)[1], broker.topic_id(topic))
        equal("the acknowledged records are in the topic",
              [held[(receipt["partition"], result["offset"])] for result in receipt["results"]], bodies)
        again = lake.post("media_events", b"\n".join(bodies), {"Idempotency-Key": "one"})[1]
        equal("the same request again", again["first_offset"], receipt["first_offset"])
        equal("records in the topic", len(topic_held(broker, topic)), len(held))
        lake.wait_for_rows("bronze.media_events_dead", want["dead"] + len(bodies))
        lake.stop_up()
        lake.audit()
    broker.delete(topic)


PARTS = (content, listening, campaigns, collector)


def main():
    """All parts, or those named."""
    with Broker() as broker:
        for part in PARTS:
            if len(sys.argv) > 1 and part.__name__ not in sys.argv[1:]:
                continue
            started = time.monotonic()
            part(broker)
            print(f"{part.__name__}: {time.monotonic() - started:.1f} s", flush=True)


if __name__ == "__main__":
    main()
