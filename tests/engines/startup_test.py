"""The startup project's answers, beside an independent computation of the same definitions in Python and
SQLite (startup_oracle.py), on simulated files and, where they are at hand, on the real ones; and what
happens when landing files come again, change, or are refused."""

import os
import shutil
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
import startup_oracle  # noqa: E402

from playhead_lake import Lake, equal, sample_data  # noqa: E402


def rounded(value):
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 6) if isinstance(value, float) else value


def check_answers(lake, folder):
    oracle = startup_oracle.answers(folder)
    asked = {answer["name"]: answer for answer in lake.json("ask")}
    equal("the questions", sorted(asked), sorted(oracle))
    for name, want in oracle.items():
        equal(name, rounded(asked[name]["rows"]), rounded(want["rows"]))
        equal(f"rivals of {name}", [rounded(rival["rows"]) for rival in asked[name]["rivals"]],
              [rounded(rows) for rows in want["rivals"].values()])
    return asked


def still(path):
    """Makes a file look as if it had rested, so that the test need not wait."""
    past = time.time() - 10
    os.utime(path, (past, past))


def simulated():
    with Lake("startup") as lake:
        lake.run("simulate", "--events", "2000", "--to", f"{lake.landing}/")
        summary = {line["stream"]: line for line in lake.json("ingest", "--once")}
        for line in summary.values():
            equal(f"{line['stream']}: read", line["read"], line["good"] + line["dead"])
            equal(f"{line['stream']}: files", line["files"], 1)
        check_answers(lake, lake.landing)
        lake.audit()

        # The same files again change nothing.
        again = {line["stream"]: line for line in lake.json("ingest", "--once")}
        equal("read again", sum(line["read"] for line in again.values()), 0)
        snapshots = lake.sql("select count(*) as n from bronze.users")[0]["n"]
        equal("users", int(snapshots), summary["users"]["good"])

        # A changed file replaces the rows of its name.
        users = next(lake.landing.rglob("users.csv"))
        lines = users.read_text().splitlines(keepends=True)
        users.write_text("".join(lines[:-10]))
        still(users)
        lake.run("ingest", "--once")
        equal("users after a change", lake.count("bronze.users"), len(lines) - 11)
        lake.audit()

        # Raw keeps both deliveries.
        raw = sorted(p for p in (lake.warehouse / "raw" / "users").rglob("*") if p.is_file())
        equal("raw copies", len(raw), 2)
        equal("landing is left alone", users.exists(), True)


def real(folder):
    with Lake("startup") as lake:
        shutil.copytree(folder, lake.landing)
        lake.run("ingest", "--once")
        for table in ("users", "movies", "streams", "authors", "books", "reviews"):
            equal(f"dead letters of {table}", lake.count(f"bronze.{table}_dead"), 0)
        check_answers(lake, lake.landing)
        lake.audit()


def main():
    simulated()
    folder = sample_data()
    if folder is None:
        print("no real sample files beside this checkout: only simulated ones were checked")
    else:
        real(folder / "startup")


if __name__ == "__main__":
    main()
