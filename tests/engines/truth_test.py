"""What the simulator says it made is what the lake holds: over HTTP, from a file, from landing files."""

import gzip

from playhead_lake import Lake, equal
from simulated_truth import check, check_answers, is_same, read_truth

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
        truth = read_truth(truth_file)
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
            assert is_same(have["rows"], want["rows"]), f"answer of {want['name']}: {have['rows']!r}"
        lake.audit()


def landed(project, events):
    """Landing files with faults, as the project's own folders have them."""
    with Lake(project) as lake:
        truth_file = lake.folder / "truth.json"
        lake.run("simulate", "--events", events, "--seed", "5", "--faults", "0.05", "--to",
                 f"{lake.landing}/", "--truth", truth_file)
        lake.run("ingest", "--once")
        truth = read_truth(truth_file)
        dead = sum(stream["dead"] for stream in truth["streams"].values())
        assert dead > 0, "no fault was made"
        check(lake, truth)


def main():
    by_http, answers, truth = content_over_http()
    check_answers(answers, truth)
    content_from_file(by_http, answers)
    landed("startup", 3000)
    landed("streampro", 6000)


if __name__ == "__main__":
    main()
