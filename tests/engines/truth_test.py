"""What the simulator says it made is what the lake holds: over HTTP, from a file, from landing files."""

import gzip
import json

from playhead_lake import Lake, equal

EVENTS = 5000


def counts(lake):
    rows = lake.sql("""select event_type, cast(cast(timestamp as timestamp) as date)::varchar as day,
      count(*) as n from bronze.media_events group by all""")
    return {(row["event_type"], row["day"]): int(row["n"]) for row in rows}


def content_over_http():
    with Lake("content") as lake:
        lake.start_up()
        truth_file = lake.folder / "truth.json"
        lake.run("simulate", "media_events", "--events", EVENTS, "--seed", "11", "--to", lake.url,
                 "--truth", truth_file)
        lake.wait_for_rows("bronze.media_events", EVENTS)
        lake.stop_up()
        by_http = counts(lake)
        equal("all events", sum(by_http.values()), EVENTS)
        equal("dead letters", lake.count("bronze.media_events_dead"), 0)
        answers = lake.json("ask")
        lake.audit()
        truth = json.loads(truth_file.read_text())
    return by_http, answers, truth


def content_from_file(by_http, answers):
    with Lake("content") as lake:
        events = lake.folder / "events.jsonl"
        lake.run("simulate", "media_events", "--events", EVENTS, "--seed", "11", "--to", events)
        packed = lake.folder / "packed.jsonl.gz"
        packed.write_bytes(gzip.compress(events.read_bytes()))
        summary = lake.json("ingest", "--stream", "media_events", packed)
        equal("summary", (summary[0]["read"], summary[0]["good"], summary[0]["dead"]),
              (EVENTS, EVENTS, 0))
        equal("the same counts by file", counts(lake), by_http)
        again = lake.json("ingest", "--stream", "media_events", packed)
        equal("the same file again", again[0]["read"], 0)
        equal("rows after the same file again", lake.count("bronze.media_events"), EVENTS)
        for have, want in zip(lake.json("ask"), answers):
            equal(f"answer of {want['name']}", rounded(have["rows"]), rounded(want["rows"]))
        lake.audit()


def check_truth(answers, truth):
    """Every answer that the simulator computed while generating equals the lake's."""
    equal("questions with a truth", sorted(want["name"] for want in truth["answers"]),
          sorted(answer["name"] for answer in answers))
    for want in truth["answers"]:
        have = next(answer for answer in answers if answer["name"] == want["name"])
        equal(f"columns of {want['name']}", have["columns"], want["columns"])
        equal(f"answer of {want['name']}", rounded(have["rows"]), rounded(want["rows"]))


def rounded(value):
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def startup():
    with Lake("startup") as lake:
        truth_file = lake.folder / "truth.json"
        lake.run("simulate", "--events", "3000", "--seed", "5", "--to", f"{lake.landing}/",
                 "--truth", truth_file)
        lake.run("ingest", "--once")
        check_truth(lake.json("ask"), json.loads(truth_file.read_text()))
        lake.audit()


def main():
    by_http, answers, truth = content_over_http()
    check_truth(answers, truth)
    content_from_file(by_http, answers)
    startup()


if __name__ == "__main__":
    main()
