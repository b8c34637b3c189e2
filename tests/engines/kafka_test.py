"""A real broker feeds a lake: every offset is a row, a dead letter or skipped, exactly once. Written to by
another client than ours: all compressions, keys, headers, bad records, transactions; the topic is made
anew, loses offsets and grows under us; the broker goes away. Killing ingest is
tests/faults/kafka_kill_test.py."""

import json
import sys
import time
import urllib.error
import urllib.request

from kafka_broker import Broker, Sent
from kafka_lake import KafkaLake, wait_until
from playhead_lake import equal

TOPIC = "media-events"
TABLE = "bronze.media_events"
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


def event(number):
    return {
        "event_id": f"event-{number}", "event_type": ("play", "pause", "stop")[number % 3],
        "timestamp": f"2026-01-{1 + number % 3:02}T10:00:{number % 60:02}Z", "user_id": f"u{number % 7}",
        "device_id": "d1", "session_id": "s1", "ip_address": "192.0.2.1", "content_id": f"c{number % 5}",
        "content_type": "movie", "title": "An Invented Film", "genre": ["drama", "noir"],
        "duration_seconds": 5400, "language": "en", "current_timestamp": number * 1.5,
        "schema_version": "1.0", "event_source": "smart_tv"}


def good(number):
    return json.dumps(event(number)).encode()


# One of each kind of record that cannot be a row of the table.
def bad_records():
    late = {**event(1), "timestamp": "1999-12-31T23:59:59Z"}
    return [
        b'{"event_id": "cut off', b'{"event_id": "\xff\xfe", "event_type": "play"}', b"", None,
        b"[1, 2, 3]", b"null", b"[" * 1000 + b"]" * 1000,
        json.dumps({**event(1), "duration_seconds": "long"}).encode(),
        json.dumps({key: value for key, value in event(1).items() if key != "user_id"}).encode(),
        json.dumps(late).encode(), b"x" * 10_000_000]


class MediaLake(KafkaLake):
    """A lake of `content`, which is held against what was written, position by position."""

    def rows(self):
        return {(int(row["_topic_partition"]), int(row["_offset"])): row["event_id"]
                for row in self.sql(f"select _topic_partition, _offset, event_id from {TABLE}")}

    def dead(self):
        """{position: row}, bytes as hexadecimal text."""
        rows = self.sql(f"select _topic_partition, _offset, hex(_record) as record, hex(_key) as key, _headers,"
                        f" epoch_ms(_log_time) as log_ms from {TABLE}_dead")
        return {(int(row["_topic_partition"]), int(row["_offset"])): row for row in rows}

    def check(self, sent):
        """The lake holds exactly what was written: as rows, or byte for byte as dead letters."""
        rows, dead = self.rows(), self.dead()
        equal("rows", len(rows), self.count(TABLE))
        equal("dead letters", len(dead), self.count(f"{TABLE}_dead"))
        equal("a record is both row and dead letter", set(rows) & set(dead), set())
        equal("positions", set(rows) | set(dead), set(sent))
        for position, event_id in rows.items():
            equal(f"row at {position}", event_id, json.loads(sent[position])["event_id"])
        for position, row in dead.items():
            want = sent[position] if isinstance(sent[position], bytes) else b""
            equal(f"dead letter at {position}", row["record"], want.hex().upper())
        self.audit()


def every_record_once(broker):
    """All compressions, keys, headers and bad records, from three partitions."""
    broker.create(TOPIC)
    with MediaLake(broker) as lake:
        sent, number = {}, 0
        for codec in CODECS:
            log = Sent(broker.producer(compression_type=codec), TOPIC)
            for _ in range(400):
                log.send(good(number), partition=number % 3)
                number += 1
            sent.update(log.flush())
        bad = bad_records()
        log = Sent(broker.producer(compression_type="zstd"), TOPIC)
        for value in bad:
            log.send(value, note=value if value else "nothing", partition=1, timestamp=1_767_225_600_123,
                     key=b"\x00key\xff", headers=[("trace", b"a1"), ("trace", b"a2"), ("raw", b"\xff\x00"),
                                                  ("nil", None)])
        log.send(b"no headers", partition=2)
        log.send(good(number), partition=2, key=b"k", headers=[("h", b"v")])
        sent.update(log.flush())

        equal("read, good, dead, skipped", lake.once(),
              (len(sent), number + 1, len(bad) + 1, 0))
        lake.check(sent)
        dead = lake.dead()
        for position, row in dead.items():
            if position[0] == 1:
                equal("key", row["key"], b"\x00key\xff".hex().upper())
                equal("headers", json.loads(row["_headers"]),
                      {"trace": ["a1", "a2"], "raw": {"base64": "/wA="}, "nil": None})
                equal("log time", int(row["log_ms"]), 1_767_225_600_123)
            else:
                equal("no key", row["key"], None)
                equal("no headers", row["_headers"], None)
        equal("read again", lake.once(), (0, 0, 0, 0))
    broker.delete(TOPIC)


def only_committed(broker):
    """Aborted transactions and control records are skipped and counted; an open one is not waited for."""
    broker.create(TOPIC)
    with MediaLake(broker) as lake:
        producer = broker.producer(transactional_id="t1")
        producer.init_transactions(60)
        log = Sent(producer, TOPIC)
        want = {}
        for transaction in range(6):
            log.records = {}
            producer.begin_transaction()
            for k in range(10):
                number = transaction * 10 + k
                log.send(good(number), partition=number % 3)
            log.flush()
            if transaction % 3 == 1:
                producer.abort_transaction()
            else:
                want.update(log.records)
                producer.commit_transaction()
        # Each transaction left one control record in each partition; two of six were aborted.
        equal("read, good, dead, skipped", lake.once(), (60 + 18, 40, 0, 20 + 18))
        lake.check(want)
        equal("read again", lake.once(), (0, 0, 0, 0))

        log.records = {}
        producer.begin_transaction()
        for k in range(6):
            log.send(good(100 + k), partition=k % 3)
        log.flush()
        equal("read while a transaction is open", lake.once(), (0, 0, 0, 0))
        producer.commit_transaction()
        equal("read when it is committed", lake.once(), (6 + 3, 6, 0, 3))
        want.update(log.records)
        lake.check(want)
    broker.delete(TOPIC)


def lost_offsets(broker):
    """What retention took before we read it stops that partition by name; the others go on."""
    broker.create(TOPIC)
    with MediaLake(broker) as lake:
        log = Sent(broker.producer(), TOPIC)
        for number in range(30):
            log.send(good(number), partition=number % 3)
        log.flush()
        equal("first", lake.once(), (30, 30, 0, 0))
        for number in range(30, 60):
            log.send(good(number), partition=number % 3)
        sent = dict(log.flush())
        broker.delete_records(TOPIC, 1, 15)  # the table stands at 10
        said = lake.refused("ingest", "--once")
        for word in ("media_events", TOPIC, "partition=1", "10 to 14", "--accept-gap"):
            assert word in said, f"{word!r} is not in: {said}"
        equal("rows of the other partitions", len(lake.rows()), 30 + 20)
        equal("read on", lake.once("--accept-gap"), (10, 5, 0, 5))
        for offset in range(10, 15):
            del sent[(1, offset)]
        lake.check(sent)
        equal("read again, without the flag", lake.once(), (0, 0, 0, 0))

        # Nothing at all is left of a partition: the gap is recorded all the same.
        log.send(good(60), partition=2)
        log.flush()
        broker.delete_records(TOPIC, 2, 21)
        assert "20 to 20" in lake.refused("ingest", "--once")
        equal("the whole gap", lake.once("--accept-gap"), (1, 0, 0, 1))
        equal("read again, without the flag", lake.once(), (0, 0, 0, 0))
        lake.check(sent)
    broker.delete(TOPIC)


def topic_made_anew(broker):
    """A topic of the same name is another log: no offset of it is taken for one of the old topic's, even
    when the new one is longer and ingest is running."""
    broker.create(TOPIC)
    with MediaLake(broker) as lake:
        log = Sent(broker.producer(), TOPIC)
        for number in range(30):
            log.send(good(number), partition=number % 3)
        old = dict(log.flush())
        lake.start_ingest()
        lake.wait_for_rows(TABLE, 30)
        broker.delete(TOPIC)
        broker.create(TOPIC)
        anew = Sent(broker.producer(), TOPIC)
        for number in range(1000, 1090):
            anew.send(good(number), partition=number % 3)
        anew.flush()
        equal("positions of the new topic", {offset for _, offset in anew.records}, set(range(30)))
        wait_until(lambda: "made anew" in (lake.folder / "ingest.log").read_text(), "it says so")
        time.sleep(1)
        lake.stop_ingest(expect=2)
        lake.check(old)

        said = lake.refused("ingest", "--once")
        for word in ("made anew", "media_events", "partition=", "--accept-gap"):
            assert word in said, f"{word!r} is not in: {said}"
        lake.check(old)
        equal("accepted", lake.once("--accept-gap")[1], 90)
        equal("rows of both", lake.count(TABLE), 120)
        lake.audit()
        equal("read again, without the flag", lake.once(), (0, 0, 0, 0))
    broker.delete(TOPIC)


def more_partitions(broker):
    """Partitions that a topic gets, while ingest runs and between runs, are read from their beginning."""
    broker.create(TOPIC, partitions=1)
    with MediaLake(broker) as lake:
        log = Sent(broker.producer(), TOPIC)
        for number in range(20):
            log.send(good(number), partition=0)
        log.flush()
        lake.start_ingest()
        lake.wait_for_rows(TABLE, 20)
        broker.grow(TOPIC, 3)
        # The first records of a new partition are there before ingest can know of it.
        log.producer = broker.producer()
        for number in range(20, 80):
            log.send(good(number), partition=number % 3)
        log.flush()
        lake.wait_for_rows(TABLE, 80)
        lake.stop_ingest()
        lake.check(log.records)

        broker.grow(TOPIC, 5)
        log.producer = broker.producer()
        for number in range(80, 130):
            log.send(good(number), partition=number % 5)
        log.flush()
        equal("read, good, dead, skipped", lake.once(), (50, 50, 0, 0))
        lake.check(log.records)
        equal("read again", lake.once(), (0, 0, 0, 0))
    broker.delete(TOPIC)


def broker_away(broker):
    """While the broker is away nothing ends, nothing is acknowledged and nothing is lost; /readyz and
    /metrics say so. A run that should end says why."""
    broker.create(TOPIC)
    with MediaLake(broker, **{"message.timeout.ms": "2000"}) as lake:
        lake.start_up()
        log = Sent(broker.producer(), TOPIC)
        for number in range(30):
            log.send(good(number), partition=number % 3)
        sent = dict(log.flush())
        lake.wait_for_rows(TABLE, 30)
        equal("ready", get(lake, "/readyz")[0], 200)
        equal("held", held(lake), 0)

        broker.stop()
        wait_until(lambda: get(lake, "/readyz")[0] == 503 and "media_events" in get(lake, "/readyz")[1],
                   "/readyz names the stream")
        equal("held", held(lake), 1)
        status, answer = lake.post("media_events", good(30), {"Idempotency-Key": "k30"})
        equal("answer while the broker is away", status, 503)
        assert broker.servers in json.dumps(answer), answer
        with MediaLake(broker) as other:
            said = other.refused("ingest", "--once")
        assert "does not answer" in said and broker.servers in said, said

        broker.start()
        answers = []
        wait_until(lambda: answers.append(lake.post("media_events", good(30), {"Idempotency-Key": "k30"}))
                   or answers[-1][0] == 200, "the collector takes records again")
        receipt = answers[-1][1]
        # The refused one may have been stored all the same; then it is there twice.
        log = Sent(broker.producer(), TOPIC)
        for number in range(31, 60):
            log.send(good(number), partition=number % 3)
        sent.update(log.flush())
        sent[(receipt["partition"], receipt["first_offset"])] = good(30)
        lake.wait_for_rows(TABLE, len(sent))
        wait_until(lambda: get(lake, "/readyz")[0] == 200, "ready again")
        equal("held", held(lake), 0)
        lake.stop_up()
        rows = lake.rows()
        for position, event_id in rows.items():
            equal(f"row at {position}", event_id, json.loads(sent.get(position, good(30)))["event_id"])
        equal("positions not in the table", set(sent) - set(rows), set())
        lake.audit()
    broker.delete(TOPIC)


def get(lake, path):
    try:
        with urllib.request.urlopen(lake.url + path, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def held(lake):
    """The metric that an alarm would watch."""
    [line] = [line for line in get(lake, "/metrics")[1].splitlines()
              if line.startswith("playhead_ingest_held{")]
    assert 'stream="media_events"' in line, line
    return float(line.split()[-1])


def refused_properties(broker):
    with MediaLake(broker, **{"isolation.level": "read_uncommitted"}) as lake:
        said = lake.refused("ingest", "--once")
        assert "isolation.level" in said, said
    with MediaLake(broker, **{"no.such.property": "1"}) as lake:
        said = lake.refused("ingest", "--once")
        assert "no.such.property" in said, said


PARTS = (every_record_once, only_committed, lost_offsets, topic_made_anew, more_partitions,
         refused_properties, broker_away)


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
