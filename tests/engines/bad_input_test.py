"""5 % of each of ten kinds of bad and odd records in one file: good + dead = in, every dead letter is the
input's line byte for byte, every good row is its own, as PyIceberg and DuckDB read them."""

import hashlib
import json

import duckdb
from pyiceberg.catalog.sql import SqlCatalog

from bad_records import BIG_BYTES, KINDS, spoil
from playhead_lake import Lake, equal

EVENTS = 200  # ten of each kind; 100 MB of them are long values


def make(lake):
    """Writes the file; returns the records as (kind, line) by number. Blank lines are no records."""
    events = lake.folder / "events.jsonl"
    lake.run("simulate", "media_events", "--events", EVENTS, "--seed", "3", "--to", events)
    records = list(spoil(events.read_bytes().splitlines(), KINDS))
    with open(lake.folder / "bad.jsonl", "wb") as file:
        for number, (_, line) in enumerate(records):
            file.write(line + (b"\r\n" if number % 3 == 0 else b"\n"))
            if number % 10 == 0:
                file.write(b"\n  \n")
    return records


def tables(lake):
    catalog = SqlCatalog("playhead", uri=f"sqlite:///{lake.warehouse}/catalog.db",
                         warehouse=f"file://{lake.warehouse}")
    for name in ("media_events", "media_events_dead"):
        arrow = catalog.load_table(f"bronze.{name}").scan().to_arrow()
        yield {row["_offset"]: row for row in arrow.to_pylist()}


def check_good(row, kind, line):
    sent = json.loads(line)
    for column in ("event_id", "event_type", "user_id", "content_id", "duration_seconds", "title", "genre"):
        equal(column, row[column], sent.get(column))
    if kind == "big":
        value = row["title"] if "note" not in sent else json.loads(row["_extra"])["note"]
        equal("length of a long value", len(value), BIG_BYTES)
        equal("a long value", value, sent.get("note", sent["title"]))
    elif kind == "unknown":
        equal("_extra", json.loads(row["_extra"]),
              {"player": sent["player"], "bitrate_kbps": sent["bitrate_kbps"]})
    else:
        equal("_extra", row["_extra"], None)


def main():
    with Lake("content") as lake:
        records = make(lake)
        summary = lake.json("ingest", "--stream", "media_events", lake.folder / "bad.jsonl")[0]
        wanted_dead = [n for n, (kind, _) in enumerate(records) if kind and KINDS[kind][1]]
        equal("summary", (summary["read"], summary["good"], summary["dead"]),
              (EVENTS, EVENTS - len(wanted_dead), len(wanted_dead)))
        equal("dead letters wanted", len(wanted_dead), EVENTS * 8 // 20)

        good, dead = tables(lake)
        equal("offsets of dead letters", sorted(dead), wanted_dead)
        equal("good + dead = in", sorted([*good, *dead]), list(range(EVENTS)))
        seen = {}
        for number, (kind, line) in enumerate(records):
            if number in good:
                check_good(good[number], kind, line)
                continue
            letter = dead[number]
            equal(f"bytes of record {number}, {kind}", letter["_record"], line)
            assert letter["_reason"] in KINDS[kind][1], f"record {number}, {kind}: {letter['_reason']}"
            assert letter["_detail"], f"record {number} has no detail"
            seen.setdefault(kind, set()).add(letter["_reason"])
        equal("reasons by kind", seen, {kind: reasons for kind, (_, reasons) in KINDS.items() if reasons})

        # DuckDB's own reading of the files, beside PyIceberg's.
        files = f"{lake.warehouse}/bronze/media_events_dead/data/**/*.parquet"
        rows = duckdb.execute(f"select _offset, md5(_record) from read_parquet('{files}') order by all")
        equal("dead letters as DuckDB reads them", rows.fetchall(),
              [(n, hashlib.md5(records[n][1]).hexdigest()) for n in wanted_dead])
        lake.audit()


if __name__ == "__main__":
    main()
