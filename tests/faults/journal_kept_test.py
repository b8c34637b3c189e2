"""What the collector acknowledged is kept until it is in a table: however long nobody ingests, whatever
the catalog's state is, under whatever topic it came, and around whatever is damaged."""

import contextlib
import sqlite3
import urllib.error
import urllib.request

from playhead_lake import Lake, equal
from plays_topic import SMALL_SEGMENTS, declare, send

HOUR_US = 3600 * 1_000_000


def segments(lake):
    return sorted((lake.warehouse / "journal").glob("segment-*.db"))


def age(lake, hours):
    """As if everything in the journal had been written so long ago."""
    for path in segments(lake):
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.execute("update segment set created_at_us = created_at_us - ?", (hours * HOUR_US,))


def collect_and_stop(lake):
    lake.start_up(command="collect", env=SMALL_SEGMENTS)
    lake.stop_up()


def ids(lake):
    return sorted(int(row["id"]) for row in lake.sql("select id from bronze.plays"))


def ready(lake):
    try:
        with urllib.request.urlopen(f"{lake.url}/readyz", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def collect_alone_for_days():
    with Lake("content") as lake:
        declare(lake, "plays")
        lake.start_up(command="collect", env=SMALL_SEGMENTS)
        for first in range(0, 400, 20):
            send(lake, first, first + 20, filler=9_000)
        lake.stop_up()
        count = len(segments(lake))
        assert count >= 3, count
        age(lake, 28)
        collect_and_stop(lake)
        equal("segments, before there is a lake", len(segments(lake)), count)
        lake.run("ingest", "--once")
        equal("rows", ids(lake), list(range(400)))

        # The same with a lake that has taken the first part.
        lake.start_up(command="collect", env=SMALL_SEGMENTS)
        for first in range(400, 600, 20):
            send(lake, first, first + 20, filler=9_000)
        lake.stop_up()
        age(lake, 28)
        collect_and_stop(lake)
        lake.run("ingest", "--once")
        equal("rows", ids(lake), list(range(600)))
        collect_and_stop(lake)
        equal("segments, once all is in the table", len(segments(lake)), 1)
        lake.audit()


def catalog_in_any_state():
    """The intake begins and goes on; ingest follows when it can."""
    with Lake("content") as lake:
        declare(lake, "plays")
        lake.start_up()
        send(lake, 0, 10)
        lake.wait_for_rows("bronze.plays", 10)
        lake.stop_up()
        catalog = lake.warehouse / "catalog.db"

        # Locked by somebody for longer than a statement waits.
        with contextlib.closing(sqlite3.connect(catalog, isolation_level=None)) as db:
            db.execute("begin exclusive")
            lake.start_up(until="listening")
            send(lake, 10, 20)
            status, why = ready(lake)
            equal("ready", status, 503)
            assert "ingest" in why, why
            db.execute("rollback")
        lake.wait_for_rows("bronze.plays", 20)
        lake.stop_up()

        # Damaged, with nothing left of it in its WAL.
        with contextlib.closing(sqlite3.connect(catalog)) as db:
            db.execute("pragma wal_checkpoint(truncate)")
        kept = catalog.read_bytes()
        catalog.write_bytes(b"x" * 20_000)
        lake.start_up()
        send(lake, 20, 30)
        status, why = ready(lake)
        equal("ready", status, 503)
        assert str(catalog) in why, why
        catalog.write_bytes(kept)
        lake.wait_for_rows("bronze.plays", 30)
        equal("ready again", ready(lake)[0], 200)
        lake.stop_up()
        equal("rows", ids(lake), list(range(30)))
        lake.audit()


def topic_renamed():
    with Lake("content") as lake:
        declare(lake, "old")
        lake.start_up(command="collect")
        answer = send(lake, 0, 500)
        assert answer["log_id"].endswith("/old"), answer["log_id"]
        lake.stop_up()
        lake.run("ingest", "--once")

        # Its last events are not ingested when the topic gets another name.
        lake.start_up(command="collect")
        send(lake, 500, 520)
        lake.stop_up()
        declare(lake, "new")
        lake.start_up(command="collect")
        equal("the new topic's first offset", send(lake, 520, 1_220)["first_offset"], 0)
        lake.stop_up()
        age(lake, 28)
        collect_and_stop(lake)
        lake.run("ingest", "--once", expect=2)
        equal("nothing is taken behind them", ids(lake), list(range(500)))
        declare(lake, "old")
        lake.run("ingest", "--once")
        declare(lake, "new")
        lake.run("ingest", "--once")
        equal("rows", ids(lake), list(range(1_220)))
        lake.audit()


def segment_damaged():
    with Lake("content") as lake:
        declare(lake, "plays")
        lake.start_up(command="collect", env=SMALL_SEGMENTS)
        for first in range(0, 400, 10):
            send(lake, first, first + 10, filler=9_000)
        lake.stop_up()
        assert len(segments(lake)) >= 3
        damaged = segments(lake)[1]
        with open(damaged, "r+b") as file:
            file.seek(300_000)
            file.write(bytes(range(7, 135)) * 64)
        lake.start_up(command="collect", env=SMALL_SEGMENTS)
        equal("offsets go on", send(lake, 400, 410)["first_offset"], 400)
        lake.stop_up()
        lake.run("ingest", "--once", expect=2)
        before = ids(lake)
        assert 0 < len(before) < 400 and before == list(range(len(before))), before
        lake.run("ingest", "--once", "--accept-gap")
        have = ids(lake)
        lost = sorted(set(range(410)) - set(have))
        assert 0 < len(lost) <= 40, lost
        equal("dead letters of our making", lake.count("bronze.plays_dead"), 0)
        lake.run("ingest", "--once")
        equal("rows", ids(lake), have)
        lake.audit()


collect_alone_for_days()
catalog_in_any_state()
topic_renamed()
segment_damaged()
