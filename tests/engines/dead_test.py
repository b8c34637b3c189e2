"""Dead letters from the collector to the table: reasons, samples, what is kept with them, metrics."""

import time
import urllib.request

from playhead_lake import Lake, equal

GOOD = ('{"event_id":"%s","event_type":"play","timestamp":"2026-01-02T10:00:00Z",'
        '"user_id":"u1","content_id":"c1"}')
NO_USER = ('{"event_id":"%s","event_type":"play","timestamp":"2026-01-02T10:00:00Z",'
           '"content_id":"c1"}')


def metric(url, name):
    with urllib.request.urlopen(url + "/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return {line.split(" ")[0][len(name):]: float(line.split(" ")[1])
            for line in lines if line.startswith(name + "{")}


def main():
    with Lake("content") as lake:
        url = lake.start_up()
        body = "\n".join([GOOD % "1", NO_USER % "2", "{broken", NO_USER % "4"]) + "\n"
        status, _ = lake.post("media_events", body.encode(), {
            "User-Agent": "player/4.2", "X-Request-Id": "r-17", "Authorization": "Bearer hidden",
            "Cookie": "session=hidden"})
        equal("status", status, 200)
        lake.wait_for_rows("bronze.media_events_dead", 3)
        name = "playhead_ingest_dead_records_total"
        end = time.monotonic() + 60
        while not metric(url, name) and time.monotonic() < end:
            time.sleep(0.1)  # the count follows the commit
        equal("metric", metric(url, name), {
            '{reason="missing_field",stream="media_events"}': 2.0,
            '{reason="not_json",stream="media_events"}': 1.0})
        lake.stop_up()

        equal("rows", lake.count("bronze.media_events"), 1)
        found = lake.json("dead", "--limit", "1")
        equal("reasons", [(r["stream"], r["reason"], r["count"], len(r["samples"])) for r in found],
              [("media_events", "missing_field", 2, 1), ("media_events", "not_json", 1, 1)])
        newest = found[0]["samples"][0]
        equal("record", newest["record"], NO_USER % "4")
        equal("place", (newest["topic"], newest["partition"], newest["offset"]),
              ("media-events", 0, 3))
        equal("headers", newest["headers"], {"user-agent": "player/4.2", "x-request-id": "r-17"})
        assert newest["log_time"] is not None, newest
        equal("secrets in the table", lake.sql(
            "select count(*) as n from bronze.media_events_dead where _headers like '%hidden%'"),
            [{"n": 0}])
        equal("one reason", [r["reason"] for r in lake.json("dead", "--reason", "not_json")],
              ["not_json"])
        csv = lake.run("dead", "media_events", "--format", "csv").splitlines()
        equal("csv", [line.split(",")[:3] for line in csv],
              [["stream", "reason", "count"], ["media_events", "missing_field", "2"],
               ["media_events", "not_json", "1"]])
        lake.audit()


main()
