"""Another program appends to a table of ours, then deletes from it: the audit names what it wrote, judges
all rows at our own positions, and says exactly what is missing or doubled of ours. Ingest goes on meanwhile."""

import json
import subprocess

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog

from playhead_lake import Lake, equal

EVENTS = 500


def load_table(lake):
    catalog = SqlCatalog("playhead", uri=f"sqlite:///{lake.warehouse}/catalog.db",
                         warehouse=f"file://{lake.warehouse}")
    return catalog.load_table("bronze.media_events")


def audit(lake, expect):
    """(lines about our sources, lines about other writers, stderr)"""
    done = subprocess.run([lake.binary, "audit", "--format", "json"], env=lake.environment(),
                          capture_output=True, text=True, timeout=240, check=False)
    equal("exit of audit\n" + done.stderr, done.returncode, expect)
    lines = json.loads(done.stdout)
    return ([line for line in lines if line["exact"] is not None],
            [line for line in lines if line["exact"] is None], done.stderr)


def main():
    with Lake("content") as lake:
        for seed in (1, 2):
            events = lake.folder / f"{seed}.jsonl"
            lake.run("simulate", "media_events", "--events", EVENTS, "--seed", seed, "--faults",
                     "0.05", "--to", events)
        lake.run("ingest", "--stream", "media_events", lake.folder / "1.jsonl")
        good = lake.count("bronze.media_events")

        # Rows of ours once more, and rows of a source of its own.
        table = load_table(lake)
        copied = table.scan(limit=7).to_arrow()
        backfill = copied.slice(0, 3)
        topic = backfill.schema.get_field_index("_topic")
        backfill = backfill.set_column(topic, backfill.schema.field(topic),
                                       pa.array(["backfill"] * 3, backfill.schema.field(topic).type))
        table.append(backfill)
        backfill_snapshot = table.current_snapshot().snapshot_id
        own, foreign, text = audit(lake, 0)
        equal("own rows", [(line["rows"], line["exact"]) for line in own], [(good, True)])
        equal("foreign rows", [(line["rows"], line["source"]) for line in foreign],
              [(3, f"snapshot {backfill_snapshot} of another writer (append)")])
        assert "exact; 3 rows of other writers" in text, text

        table.append(copied)
        copy_snapshot = table.current_snapshot().snapshot_id
        own, foreign, text = audit(lake, 1)
        equal("rows at our positions", [(line["rows"], line["exact"]) for line in own],
              [(good + 7, False)])
        assert "7 rows stand at a position that another row has" in text, text
        equal("foreign rows", sorted((line["rows"], line["source"]) for line in foreign),
              [(3, f"snapshot {backfill_snapshot} of another writer (append)"),
               (7, f"snapshot {copy_snapshot} of another writer (append)")])

        lake.run("ingest", "--stream", "media_events", lake.folder / "2.jsonl")
        own, foreign, _ = audit(lake, 1)
        equal("two sources", sorted((line["source"][:12], line["exact"]) for line in own),
              [("file:1.jsonl", False), ("file:2.jsonl", True)])
        equal("both appends are still named", len(foreign), 2)
        equal("everybody sees all rows", lake.count("bronze.media_events"),
              sum(line["rows"] for line in own) + 3)

        # A partition field of identity and one of a day, as folders are called.
        partitions = {p["partition"] for p in
                      lake.json("tables", "bronze.media_events", "--show", "partitions")}
        assert all(p.startswith("event_type=") and "/date=2025-" in p for p in partitions), partitions

        # Rows of ours are deleted: that is said, and by whom.
        pauses = int(lake.sql("select count(*) as n from bronze.media_events "
                              "where event_type = 'pause' and _topic like 'file:1.jsonl%'")[0]["n"])
        load_table(lake).delete("event_type = 'pause'")
        own, foreign, text = audit(lake, 1)
        first = next(line for line in own if line["source"].startswith("file:1.jsonl"))
        equal("rows left", first["rows"], good + 7 - pauses)
        assert first["exact"] is False, first
        assert any("(delete)" in line["source"] or "(overwrite)" in line["source"]
                   for line in foreign), foreign
        assert "NOT exact" in text, text


if __name__ == "__main__":
    main()
