"""The declaration of a stream changes: columns are added at any place, put in another order, taken out and
in again, widened, and structs get fields. Each change is met by a table that has rows, one that is empty and
one that is not there yet; rows come as a file to a stream, as a landing file and over HTTP to `playhead up`;
and `playhead sql`, PyIceberg and DuckDB over the plain files read what came before and after."""

import json
import subprocess

from foreign_tables import check_folder, check_readers
from playhead_lake import Lake, equal
from small_project import make_project, rest

N = ("n", "BIGINT")
SCORE = ("score", "INTEGER")
SHARE = ("share", "FLOAT")
PRICE = ("price", '"DECIMAL(6,2)"')
PLACE = ("place", '"STRUCT(city VARCHAR, zone INTEGER)"')
STOPS = ("stops", '"STRUCT(at INTEGER)[]"')
RATES = ("rates", '"MAP(VARCHAR, INTEGER)"')
TITLE = ("title", "VARCHAR")

# (what, columns); the rows of a step have values of its columns
STEPS = [
    ("first", [N, SCORE, SHARE, PRICE, PLACE, STOPS, RATES, TITLE]),
    ("a column after all others", [N, SCORE, SHARE, PRICE, PLACE, STOPS, RATES, TITLE, ("zzz", "BIGINT")]),
    ("columns in front and between", [("flag", "BOOLEAN"), N, SCORE, ("tags", '"VARCHAR[]"'), SHARE, PRICE,
                                      PLACE, STOPS, RATES, TITLE, ("zzz", "BIGINT")]),
    ("another order", [("zzz", "BIGINT"), RATES, TITLE, STOPS, PLACE, PRICE, SHARE, ("tags", '"VARCHAR[]"'),
                       SCORE, N, ("flag", "BOOLEAN")]),
    ("not declared any more", [N, SCORE, SHARE, PRICE, PLACE, STOPS, RATES]),
    ("declared again", [N, SCORE, SHARE, PRICE, PLACE, STOPS, RATES, TITLE]),
    ("wider", [N, ("score", "BIGINT"), ("share", "DOUBLE"), ("price", '"DECIMAL(12,2)"'), PLACE,
               ("stops", '"STRUCT(at BIGINT)[]"'), ("rates", '"MAP(VARCHAR, BIGINT)"'), TITLE]),
    ("narrower than the table", [N, SCORE, SHARE, PRICE, PLACE, STOPS, RATES, TITLE]),
    ("fields of structs", [N, SCORE, SHARE, PRICE,
                           ("place", '"STRUCT(street VARCHAR, zone INTEGER, far STRUCT(x INTEGER), city VARCHAR)"'),
                           ("stops", '"STRUCT(name VARCHAR, at INTEGER)[]"'), RATES, TITLE]),
]


def declare(lake, columns):
    """Three streams alike: fed by HTTP, by files, and by nothing until the last step."""
    lines = "".join(f"    - {{name: {name}, data_type: {kind}}}\n" for name, kind in columns)
    tables = ""
    for name, source in (("events", "topic: events, format: json"), ("files", "format: jsonl"),
                         ("late", "format: jsonl")):
        tables += (f"- name: {name}\n  config:\n    meta: {{playhead: {{{source}}}}}\n  columns:\n{lines}")
    folder = lake.folder / "project"
    if folder.exists():
        (folder / "models" / "sources.yml").unlink()
        (folder / "models").rmdir()
    lake.project = make_project(folder, tables)


def value_of(name, n):
    return {"n": n, "score": n, "share": n / 2, "price": f"{n}.25", "title": f"title {n}", "zzz": 10 * n,
            "flag": n % 2 == 0, "tags": ["a", str(n)], "rates": {"x": n},
            "place": {"city": "Oslo", "zone": n, "street": "s", "far": {"x": n}},
            "stops": [{"at": n, "name": "m"}, {"at": n + 1, "name": None}]}[name]


def record(columns, n):
    return json.dumps({name: value_of(name, n) for name, _ in columns}) + "\n"


def deliver(lake, columns, step):
    """Two rows to each of `events` and `files`, by each of the ways in."""
    numbers = iter(range(100 * step, 100 * step + 100))
    rows = {"events": [], "files": []}

    def batch(table):
        taken = [next(numbers), next(numbers)]
        rows[table] += taken
        return "".join(record(columns, n) for n in taken)

    direct = lake.folder / f"direct-{step}.jsonl"
    direct.write_text(batch("files"))
    lake.run("ingest", "--stream", "files", direct)
    landing = lake.landing / f"{step:03}" / "files.jsonl"
    landing.parent.mkdir(parents=True)
    landing.write_text(batch("files"))
    rest(landing)
    lake.run("ingest", "--once")
    lake.start_up("--epoch-interval-ms", "50")
    status, answer = lake.post("events", batch("events").encode(), {"Content-Type": "application/x-ndjson"})
    equal(f"answer {answer}", status, 200)
    lake.wait_for_rows("bronze.events", 2 * (step + 1))
    lake.stop_up()
    return rows


def declared_at(step):
    return {name for name, _ in STEPS[step][1]}


def check(lake, table, numbers):
    """Every number ever delivered, with the values that were declared when it came."""
    rows = {row["n"]: row for row in check_readers(lake, f"bronze.{table}")}
    equal(f"{table}: rows", sorted(rows), sorted(n for step in numbers for n in step))
    for step, of_step in enumerate(numbers):
        for n in of_step:
            for name in declared_at(step) & set(rows[n]):
                have, want = rows[n][name], value_of(name, n)
                if name == "price":
                    equal(f"{table} {n} {name}", float(have), float(want))
                elif name in ("place", "stops"):
                    first = have if name == "place" else have[0]
                    base = want if name == "place" else want[0]
                    for field in ("city", "zone") if name == "place" else ("at",):
                        equal(f"{table} {n} {name}.{field}", first[field], base[field])
                    if step == len(STEPS) - 1:
                        equal(f"{table} {n} {name}", {k: first[k] for k in base}, base)
                else:
                    equal(f"{table} {n} {name}", have, want)
            for name in set(rows[n]) - declared_at(step):
                if not name.startswith("_"):
                    equal(f"{table} {n} {name}, not declared", rows[n][name], None)
    flat = ["n", "score", "share", "title", "_topic", "_offset"]
    check_folder(lake, f"bronze.{table}", flat)


def main():
    with Lake("content") as lake:
        numbers = {"events": [], "files": []}
        for step, (what, columns) in enumerate(STEPS):
            declare(lake, columns)
            rows = deliver(lake, columns, step)
            for table, more in rows.items():
                numbers[table].append(more)
                check(lake, table, numbers[table])
            equal("the empty one", lake.count("bronze.late"), 0)
            print("ok:", what)
        late = lake.landing / "late.jsonl"
        late.write_text(record(STEPS[-1][1], 7))
        rest(late)
        lake.run("ingest", "--once")
        row = check_readers(lake, "bronze.late")[0]
        equal("the one that was empty all along", (row["n"], row["place"]["far"], row["zzz"]), (7, {"x": 7}, None))
        lake.audit()

        # Another type is refused, with both sides; and there is a way back.
        declare(lake, [N, ("score", "VARCHAR")])
        done = subprocess.run([lake.binary, "ingest", "--once"], env=lake.environment(),
                              capture_output=True, text=True, check=False)
        equal("exit", done.returncode, 2)
        assert "column=score: the table has BIGINT, the declaration VARCHAR" in done.stderr, done.stderr
        declare(lake, STEPS[-1][1])
        lake.run("ingest", "--once")


if __name__ == "__main__":
    main()
