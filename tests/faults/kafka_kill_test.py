"""kill -9 at 50 random moments while ingest takes a Kafka topic whose records are faulty at 5 %: rows and
dead letters are the simulator's truth, position by position, and the audit is exact.

usage: kafka_kill_test.py [SEED]; a failure prints the seed that repeats the moments."""

import random
import sys
import time

from kafka_broker import Broker, Sent
from kafka_lake import KafkaLake
from playhead_lake import equal
from simulated_truth import check, read_truth

KILLS = 50
RECORDS = 20_000
TOPIC = "media-events"


def simulated(lake):
    """Records as the simulator makes them, and its truth."""
    lines, truth = lake.folder / "events.jsonl", lake.folder / "truth.json"
    lake.run("simulate", "media_events", "--events", RECORDS, "--seed", "31", "--faults", "0.05",
             "--to", lines, "--truth", truth)
    records = lines.read_bytes().removesuffix(b"\n").split(b"\n")
    equal("records", len(records), RECORDS)
    return records, read_truth(truth)


def check_positions(lake, sent):
    """Each written record is one row or, byte for byte, one dead letter."""
    rows = [(int(row["_topic_partition"]), int(row["_offset"]))
            for row in lake.sql("select _topic_partition, _offset from bronze.media_events")]
    dead = {(int(row["_topic_partition"]), int(row["_offset"])): row["record"] for row in lake.sql(
        "select _topic_partition, _offset, hex(_record) as record from bronze.media_events_dead")}
    equal("positions", sorted([*rows, *dead]), sorted(sent))
    for position, record in dead.items():
        equal(f"dead letter at {position}", record, sent[position].hex().upper())


def kill_again_and_again(broker, seed):
    chance = random.Random(seed)
    broker.create(TOPIC)
    with KafkaLake(broker) as lake:
        records, truth = simulated(lake)
        log = Sent(broker.producer(compression_type="lz4"), TOPIC)
        share = len(records) // (KILLS + 1)

        def send(count):
            for record in records[len(log.records):len(log.records) + count]:
                log.send(record, partition=chance.randrange(3))
            log.flush()

        send(share)
        started = time.monotonic()
        lake.once()
        run_seconds = time.monotonic() - started

        for _ in range(KILLS):
            # One half is there when ingest starts, the other comes while it runs.
            send(share // 2)
            lake.start_ingest("--epoch-interval-ms", "20")
            end = time.monotonic() + chance.uniform(0, 1.5 * run_seconds)
            send(share - share // 2)
            time.sleep(max(0, end - time.monotonic()))
            lake.ingest.kill()
            equal("ended by", lake.ingest.wait(), -9)
        send(len(records))

        lake.once()
        check(lake, truth)
        check_positions(lake, log.records)
        equal("read again", lake.once(), (0, 0, 0, 0))
        [row] = lake.sql("select count(distinct _ingested_at) as n from bronze.media_events")
        # Otherwise the kills would all have come before the first commit.
        assert int(row["n"]) > 5, f"only {row['n']} epochs were committed"
        dead = truth["streams"]["media_events"]["dead"]
        print(f"killed {KILLS} times at moments up to {1.5 * run_seconds:.2f} s, {row['n']} epochs committed:"
              f" {RECORDS} records, {dead} dead letters, nothing lost, nothing doubled")


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
    print(f"seed {seed}", flush=True)
    started = time.monotonic()
    with Broker() as broker:
        kill_again_and_again(broker, seed)
    print(f"{time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
