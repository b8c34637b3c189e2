"""Holds a lake against the truth file of `playhead simulate`."""

import json
import math

from playhead_lake import equal


def read_truth(path):
    return json.loads(path.read_text())


def is_same(have, want):
    """Doubles agree as the truth file promises: to 1e-9, since engines add in other orders."""
    if isinstance(have, list) and isinstance(want, list):
        return len(have) == len(want) and all(map(is_same, have, want))
    if isinstance(have, float) or isinstance(want, float):
        return have is not None and want is not None and math.isclose(have, want, rel_tol=1e-9, abs_tol=1e-9)
    return have == want


def check_answers(answers, truth):
    """Every answer that the simulator computed while generating equals the lake's."""
    equal("questions with a truth", sorted(want["name"] for want in truth["answers"]),
          sorted(answer["name"] for answer in answers))
    for want in truth["answers"]:
        have = next(answer for answer in answers if answer["name"] == want["name"])
        equal(f"columns of {want['name']}", have["columns"], want["columns"])
        assert is_same(have["rows"], want["rows"]), \
            f"answer of {want['name']}: have {have['rows']!r}, want {want['rows']!r}"


def check_streams(lake, truth):
    """Rows and dead letters of every stream: how many, for which reasons, in which partitions."""
    for name, want in truth["streams"].items():
        table = f"bronze.{name}"
        equal(f"rows of {name}", lake.count(table), want["good"])
        equal(f"dead letters of {name}", lake.count(f"{table}_dead"), want["dead"])
        reasons = lake.sql(f"select _reason as reason, count(*) as n from {table}_dead group by all")
        equal(f"reasons of {name}", {row["reason"]: int(row["n"]) for row in reasons}, want["dead_reasons"])
        if "unknown_field" in want["faults"]:
            [row] = lake.sql(f"select count(*) as n from {table} where _extra is not null")
            equal(f"rows of {name} with unknown fields", int(row["n"]),
                  want["faults"]["unknown_field"]["good"])
        if want["partitions"]:
            equal(f"partitions of {name}", partitions_of(lake, table, want["partitions"][0]),
                  sorted_partitions(want["partitions"]))


# The event time that partitions are made of; the four streams of `listening` call it ts.
TIME_COLUMNS = {"media_events": "timestamp", "view_log_events": "startTimestamp"}


def partitions_of(lake, table, example):
    """Rows for each partition, computed from the rows' own columns and not from the files' folders."""
    name = table.split(".")[1]
    time = f"cast(\"{TIME_COLUMNS.get(name, 'ts')}\" at time zone 'UTC' as timestamp)"
    columns = {"date": f"strftime({time}, '%Y-%m-%d')", "hour": f"strftime({time}, '%Y-%m-%d-%H')",
               "event_type": "event_type", "ingestion_date": "cast(ingestion_date as varchar)"}
    fields = [field for field in example if field != "good"]
    selected = ", ".join(f"{columns[field]} as \"{field}\"" for field in fields)
    rows = lake.sql(f"select {selected}, count(*) as good from {table} group by all")
    return sorted_partitions({**row, "good": int(row["good"])} for row in rows)


def sorted_partitions(partitions):
    return sorted(map(dict, partitions), key=lambda row: json.dumps(row, sort_keys=True))


def check(lake, truth):
    """Rows, dead letters, partitions, answers where the simulator knows them, and the audit."""
    check_streams(lake, truth)
    if truth["answers"]:
        check_answers(lake.json("ask"), truth)
    lake.audit()
