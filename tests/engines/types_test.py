"""Every type that docs/formats/project.md promises is ingested from JSON, CSV and Parquet, and as a partition
column it is either ingested or refused by `config`."""

import csv
import datetime
import decimal
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.expressions import EqualTo

from playhead_lake import SOURCE, Lake, equal
from small_project import make_project, rest

UTC = datetime.timezone.utc

# By the name in the docs: a declaration, its Arrow type, and two values as JSON, as Python and as SQL prints them.
TYPES = {
    "BOOLEAN": ("BOOLEAN", pa.bool_(), [(True, True, "true"), (False, False, "false")]),
    "INTEGER": ("INTEGER", pa.int32(), [(-7, -7, "-7"), (2147483647, 2147483647, "2147483647")]),
    "BIGINT": ("BIGINT", pa.int64(), [(-7, -7, "-7"), (2**63 - 1, 2**63 - 1, str(2**63 - 1))]),
    "FLOAT": ("FLOAT", pa.float32(), [(0.5, 0.5, "0.5"), (-2.25, -2.25, "-2.25")]),
    "DOUBLE": ("DOUBLE", pa.float64(), [(0.1, 0.1, "0.1"), (1e300, 1e300, "1e+300")]),
    "DECIMAL(p,s)": ("DECIMAL(10,2)", pa.decimal128(10, 2),
                     [("1.25", decimal.Decimal("1.25"), "1.25"), ("-0.5", decimal.Decimal("-0.50"), "-0.50")]),
    "VARCHAR": ("VARCHAR", pa.string(), [("play", "play", "play"), ("é/=%", "é/=%", "é/=%")]),
    "DATE": ("DATE", pa.date32(), [("2026-01-02", datetime.date(2026, 1, 2), "2026-01-02"),
                                   ("1969-12-31", datetime.date(1969, 12, 31), "1969-12-31")]),
    "TIMESTAMP": ("TIMESTAMP", pa.timestamp("us"), [
        ("2026-01-02T03:04:05", datetime.datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        ("1969-12-31T23:59:59", datetime.datetime(1969, 12, 31, 23, 59, 59), "1969-12-31 23:59:59")]),
    "TIMESTAMPTZ": ("TIMESTAMPTZ", pa.timestamp("us", "UTC"), [
        ("2026-01-02T03:04:05Z", datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02 03:04:05+00"),
        ("1969-12-31T23:59:59Z", datetime.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
         "1969-12-31 23:59:59+00")]),
    "BLOB": ("BLOB", pa.binary(), [("ab", b"ab", "ab"), ("c", b"c", "c")]),
    "T[]": ("VARCHAR[]", pa.list_(pa.string()), [(["a", "b"], ["a", "b"], "[a, b]"), ([], [], "[]")]),
    "STRUCT(name T, …)": ("STRUCT(a BIGINT, b DATE[])",
                          pa.struct([("a", pa.int64()), ("b", pa.list_(pa.date32()))]),
                          [({"a": 1, "b": ["2026-01-02"]}, {"a": 1, "b": [datetime.date(2026, 1, 2)]},
                            "{'a': 1, 'b': [2026-01-02]}"),
                           ({"a": None, "b": []}, {"a": None, "b": []}, "{'a': NULL, 'b': []}")]),
    "MAP(VARCHAR, T)": ("MAP(VARCHAR, BIGINT)", pa.map_(pa.string(), pa.int64()),
                        [({"k": 1}, [("k", 1)], "{k=1}"), ({}, [], "{}")]),
}
ALIASES = {"INT": "INTEGER", "REAL": "FLOAT", "STRING": "VARCHAR", "TEXT": "VARCHAR", "BOOL": "BOOLEAN",
           "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}
TRANSFORMS = {"identity": {"BOOLEAN", "INTEGER", "BIGINT", "VARCHAR", "DATE"},
              "day": {"TIMESTAMPTZ", "TIMESTAMP", "DATE"},
              "hour": {"TIMESTAMPTZ", "TIMESTAMP"}}


def docs():
    return re.sub(r"\s+", " ", (SOURCE / "docs" / "formats" / "project.md").read_text(encoding="utf-8"))


def promised():
    names = re.search(r"nested at will: (.*?)\. Field names", docs()).group(1)
    return set(re.findall(r"`([^`]+)`", names))


def table(name, columns, fmt, partition=None):
    lines = [f"- name: {name}", "  config:", "    meta:", "      playhead:", f"        format: {fmt}",
             f"        partition_by: [{partition or ''}]", "  columns:"]
    return "\n".join(lines + [f'    - {{name: {c}, data_type: "{t}"}}' for c, t in columns])


def write(path, columns, fmt):
    """Two rows of values and one of nulls."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if fmt == "parquet":
        arrays = [pa.array([v[1] for v in values] + [None], arrow) for _, (_, arrow, values) in columns]
        pq.write_table(pa.table(arrays, names=[c for c, _ in columns]), path)
    elif fmt == "jsonl":
        rows = [{c: kind[2][i][0] for c, kind in columns} for i in range(2)] + [{}]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        with open(path, "w", newline="", encoding="utf-8") as out:
            writer = csv.writer(out)
            writer.writerow(c for c, _ in columns)
            for i in range(2):
                values = [kind[2][i][0] for _, kind in columns]
                writer.writerow(v if isinstance(v, str) else json.dumps(v) for v in values)
            writer.writerow("" for _ in columns)
    rest(path)


def check_values(lake, name, columns):
    for column, (_, _, values) in columns:
        rows = lake.sql(f"select {column}::varchar as v from bronze.{name} order by _offset")
        equal(f"{name}.{column}", [row["v"] for row in rows], [v[2] for v in values] + [None])
    equal(f"dead letters of {name}", lake.count(f"bronze.{name}_dead"), 0)


def test_values():
    equal("types in the docs", promised(), set(TYPES) | set(ALIASES))
    columns = [(f"c{i}", kind) for i, kind in enumerate(TYPES.values())]
    columns += [(f"a{i}", (alias, *TYPES[name][1:])) for i, (alias, name) in enumerate(ALIASES.items())]
    declared = [(c, kind[0]) for c, kind in columns]
    with Lake("content") as lake:
        lake.project = make_project(lake.folder / "project", "\n".join(
            table(f"all_{fmt}", declared, fmt) for fmt in ("jsonl", "csv", "parquet")))
        for fmt in ("jsonl", "csv", "parquet"):
            write(lake.landing / f"all_{fmt}.{fmt}", columns, fmt)
        lake.run("ingest", "--once")
        for fmt in ("jsonl", "csv", "parquet"):
            equal(f"rows of {fmt}", lake.count(f"bronze.all_{fmt}"), 3)
            check_values(lake, f"all_{fmt}", columns)
        lake.audit()


def test_partitions():
    for transform, names in TRANSFORMS.items():
        listed = re.search({"identity": r"An identity field is of type ([A-Z, ]+ or [A-Z]+)\."}.get(
            transform, r"`day`, `hour` \(both of TIMESTAMPTZ, TIMESTAMP; `day` of DATE too"), docs())
        assert listed, f"the docs do not list the types of {transform}"
        if transform == "identity":
            equal("identity types in the docs", set(re.findall(r"[A-Z]{2,}", listed.group(1))), names)
    combined = [(f"{transform}_{i}", name, transform)
                for transform in TRANSFORMS for i, name in enumerate(TYPES)]

    def declare(folder, chosen):
        return make_project(folder, "\n".join(
            table(label, [("key", TYPES[name][0])], "jsonl", f"{transform}(key) as part"
                  if transform != "identity" else "key") for label, name, transform in chosen))

    with Lake("content") as lake:
        lake.project = declare(lake.folder / "all", combined)
        answer = lake.says("config", expect=2)
        refused = set(re.findall(r"tables\[(\w+)\]\.config\.meta\.playhead\.partition_by: column key of type", answer))
        equal("refused by config", refused,
              {label for label, name, transform in combined if name not in TRANSFORMS[transform]})

        taken = [c for c in combined if c[0] not in refused]
        lake.project = declare(lake.folder / "taken", taken)
        for label, name, _ in taken:
            write(lake.landing / f"{label}.jsonl", [("key", TYPES[name])], "jsonl")
        lake.run("ingest", "--once")
        catalog = SqlCatalog("playhead", uri=f"sqlite:///{lake.warehouse}/catalog.db",
                             warehouse=f"file://{lake.warehouse}")
        for label, name, transform in taken:
            equal(f"rows of {label} in PyIceberg", len(catalog.load_table(f"bronze.{label}").scan().to_arrow()), 3)
            equal(f"rows of {label}", lake.count(f"bronze.{label}"), 3)
            check_values(lake, label, [("key", TYPES[name])])
            parts = list((lake.warehouse / "bronze" / label / "data").iterdir())
            equal(f"folders of {label}", len(parts), 3)
            first = TYPES[name][2][0][2]
            if transform == "identity":
                rows = lake.count(f"bronze.{label} where key = '{first}'")
                equal(f"rows of {label} with {first}", rows, 1)
                value = TYPES[name][2][0][1]
                found = catalog.load_table(f"bronze.{label}").scan(EqualTo("key", str(value) if name == "DATE" else value))
                equal(f"rows of {label} with {first} in PyIceberg", len(found.to_arrow()), 1)
        lake.audit()


test_values()
test_partitions()
