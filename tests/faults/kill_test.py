"""Ends the process as kill -9 would at every named step of a journal write and of a commit, while clients post
events. After the restart nothing acknowledged is lost, nothing is doubled, a second restart changes nothing,
and the audit is exact."""

import json
import random
import sys
import time
import urllib.error

from playhead_lake import Lake, equal

JOURNAL_STEPS = ["journal.before_write", "journal.before_commit", "journal.after_commit",
                 "journal.before_ack"]
COMMIT_STEPS = ["commit.before_plan", "commit.after_plan", "commit.published_one", "commit.published",
                "commit.after_objects", "commit.after_transaction",
                "commit.after_hint"]
BATCH = 20


def event(number):
    return {
        "event_id": f"event-{number}", "event_type": ("play", "pause", "stop")[number % 3],
        "timestamp": f"2026-01-{1 + number % 3:02}T10:00:{number % 60:02}Z", "user_id": f"u{number % 7}",
        "device_id": "d1", "session_id": "s1", "ip_address": "192.0.2.1", "content_id": f"c{number % 5}",
        "content_type": "movie", "title": "An Invented Film", "genre": ["drama", "noir"],
        "duration_seconds": 5400, "language": "en", "current_timestamp": number * 1.5,
        "schema_version": "1.0", "event_source": "smart_tv"}


def body(first):
    lines = [json.dumps(event(number)) for number in range(first, first + BATCH)]
    lines[BATCH // 2] = '{"event_id": "broken'  # one dead letter in each batch
    return "\n".join(lines).encode()


def post_until_killed(lake, acknowledged, first):
    """Posts batches, repeating an unanswered one never; returns the next free event number."""
    end = time.monotonic() + 60
    while lake.server.poll() is None and time.monotonic() < end:
        try:
            status, receipt = lake.post("media_events", body(first), timeout=10)
        except (OSError, urllib.error.URLError):
            return first + BATCH
        assert status == 200, (status, receipt)
        equal("receipt's count", receipt["count"], BATCH)
        acknowledged.append((receipt["first_offset"], first))
        first += BATCH
        time.sleep(0.02)
    if lake.server.poll() is not None:
        return first
    raise AssertionError("the process was not killed: the step is never passed")


def check(lake, step, acknowledged, sent):
    lake.json("ingest", "--once")
    rows = lake.sql("select event_id, _offset from bronze.media_events")
    ids = [row["event_id"] for row in rows]
    equal(f"{step}: every event once", len(ids), len(set(ids)))
    have = set(ids)
    for first_offset, first in acknowledged:
        for number in range(first, first + BATCH):
            if number != first + BATCH // 2:
                assert f"event-{number}" in have, f"{step}: acknowledged event-{number} is lost"
    dead = lake.count("bronze.media_events_dead")
    assert len(acknowledged) <= dead <= sent // BATCH, f"{step}: {dead} dead letters"
    equal(f"{step}: good and dead", len(ids) / (BATCH - 1), dead)
    lake.audit()
    before = lake.sql("select count(*) as n, sum(_offset) as s from bronze.media_events")
    summary = lake.json("ingest", "--once")
    equal(f"{step}: read by the second restart", sum(line["read"] for line in summary), 0)
    equal(f"{step}: rows after the second restart",
          lake.sql("select count(*) as n, sum(_offset) as s from bronze.media_events"), before)
    lake.audit()


def killed_at(step, passing):
    with Lake("content") as lake:
        acknowledged, first = [], 0
        lake.start_up("--epoch-interval-ms", "100", env={"PLAYHEAD_CRASH_AT": f"{step}:{passing}"})
        first = post_until_killed(lake, acknowledged, first)
        equal("ended by", lake.server.wait(), -9)
        # The next process is killed in the same place again, while it recovers or goes on.
        try:
            lake.start_up("--epoch-interval-ms", "100", env={"PLAYHEAD_CRASH_AT": step})
            first = post_until_killed(lake, acknowledged, first)
        except AssertionError:
            equal("ended by", lake.server.wait(timeout=5), -9)  # killed before it listened
        check(lake, step, acknowledged, first)


def main():
    steps = sys.argv[1:] or JOURNAL_STEPS + COMMIT_STEPS
    generator = random.Random(7)
    for step in steps:
        passing = generator.randint(2, 4)
        killed_at(step, passing)
        print(f"killed at {step}, passing {passing}: nothing lost, nothing doubled", flush=True)


if __name__ == "__main__":
    main()
