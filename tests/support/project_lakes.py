"""The five shipped projects, each with some rows in every table that its simulator feeds, and dead letters."""

import contextlib
from typing import NamedTuple

from playhead_lake import Lake

# Streams that come over a log; the tables of the others arrive as landing files.
TOPICS = {
    "content": ["media_events"],
    "campaigns": ["view_log_events"],
    "listening": ["listen_events", "page_view_events", "auth_events", "status_change_events"],
}
LANDING = ["startup", "streampro"]
EVENTS = 120


def fill(lake, name):
    if name in LANDING:
        lake.run("simulate", "--events", EVENTS, "--seed", 5, "--faults", "0.05", "--to", f"{lake.landing}/")
        lake.run("ingest", "--once")
        return
    for stream in TOPICS[name]:
        events = lake.folder / f"{stream}.jsonl"
        lake.run("simulate", stream, "--events", EVENTS, "--seed", 5, "--to", events)
        with open(events, "a", encoding="utf-8") as file:
            file.write("not json\n")
        lake.run("ingest", "--stream", stream, events)


@contextlib.contextmanager
def project_lakes():
    """The lakes by project."""
    with contextlib.ExitStack() as stack:
        lakes = {name: stack.enter_context(Lake(name)) for name in [*TOPICS, *LANDING]}
        for name, lake in lakes.items():
            fill(lake, name)
        yield lakes


class Table(NamedTuple):
    """What `playhead sql` says of a table."""
    columns: list
    positions: list  # the rows' identities, sorted


def tables(lake):
    """All tables of a lake by name, those of dead letters included."""
    by_name = {}
    for row in lake.sql("""select table_name, column_name from information_schema.columns
        where table_schema = 'bronze' order by table_name, ordinal_position"""):
        by_name.setdefault(row["table_name"], Table([], [])).columns.append(row["column_name"])
    for row in lake.sql(" union all ".join(
            f"select '{name}' as name, _topic, _topic_partition, _offset from bronze.{name}"
            for name in by_name)):
        by_name[row["name"]].positions.append(
            (row["_topic"], int(row["_topic_partition"]), int(row["_offset"])))
    return {name: Table(table.columns, sorted(table.positions)) for name, table in by_name.items()}
