"""Many small landing files: many in a commit, each once, each by itself when one of them is changed or refused."""

import json
import os
import sqlite3

import pyarrow as pa
import pyarrow.parquet as pq

from playhead_lake import Lake, equal
from small_project import make_project, rest

TABLES = """
- name: notes
  config: {meta: {playhead: {format: jsonl, landing: "notes/*"}}}
  columns:
    - {name: id, data_type: BIGINT, data_tests: [not_null]}
    - {name: note, data_type: VARCHAR}
- name: marks
  config: {meta: {playhead: {format: parquet, landing: "marks/*"}}}
  columns:
    - {name: id, data_type: BIGINT}
    - {name: note, data_type: VARCHAR}
"""
FILES = 300


def put(lake, name, content):
    path = lake.landing / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return rest(path)


def note(number, word="first"):
    """Two rows and a dead letter."""
    return "".join(json.dumps(row) + "\n" for row in
                   ({"id": number, "note": word}, {"note": "no id"}, {"id": -number, "note": word})).encode()


def ingest(lake, expect=0):
    return {line["stream"]: line for line in
            json.loads(lake.run("ingest", "--once", "--format", "json", expect=expect))}


def known(lake):
    with sqlite3.connect(f"file:{lake.warehouse}/catalog.db?mode=ro", uri=True) as db:
        return dict(db.execute("select name, stamp from playhead_landing_seen where table_name = 'notes'"))


def taken_together(lake):
    for number in range(FILES):
        put(lake, f"notes/{number:04}.jsonl", note(number))
    first = ingest(lake)["notes"]
    equal("files", (first["files"], first["good"], first["dead"]), (FILES, 2 * FILES, FILES))
    snapshots = lake.sql("select count(*) as n from playhead.snapshots where table_name = 'notes'")[0]["n"]
    assert int(snapshots) <= 3, f"{snapshots} commits for {FILES} files"
    rows = lake.sql("""select count(distinct _topic) as files, count(*) as n, sum(id) as sum,
        count(*) filter (regexp_extract(_topic, '/(\\d+)', 1)::int = abs(id)) as own from bronze.notes""")[0]
    equal("rows", [int(rows[k]) for k in ("files", "n", "sum", "own")], [FILES, 2 * FILES, 0, 2 * FILES])
    equal("ledger", lake.sql("""select count(*) as n, min(rows_good) as good, max(rows_dead) as dead
        from playhead.landing_files where is_current""")[0], {"n": FILES, "good": 2, "dead": 1})
    lake.audit()


def known_by_their_stamps(lake):
    stamps = known(lake)
    equal("known files", len(stamps), FILES)
    equal("read again", ingest(lake).get("notes", {}).get("read", 0), 0)
    equal("stamps of files that were not looked into", known(lake), stamps)
    # Touched, and the same: read once, and known from then on.
    name = "notes/0007.jsonl"
    put(lake, name, note(7))
    equal("a file that was touched", ingest(lake).get("notes", {}).get("files", 0), 0)
    touched = known(lake)
    assert touched.pop(name) != stamps.pop(name)
    equal("stamps of the others", touched, stamps)
    # Size and time are the same, the content is not.
    path = lake.landing / name
    before = path.stat()
    path.write_bytes(note(7, "other"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    equal("a file of the same size and time", ingest(lake)["notes"]["files"], 1)
    equal("its rows", lake.csv("select distinct note from bronze.notes where abs(id) = 7")[1:], [["other"]])


def changed_together(lake):
    for number in range(0, 40, 3):
        put(lake, f"notes/{number:04}.jsonl", note(number, "changed"))
    equal("changed files", ingest(lake)["notes"]["files"], 14)
    equal("rows", lake.count("bronze.notes"), 2 * FILES)
    equal("changed rows", lake.csv("select distinct id // 3 from bronze.notes where note = 'changed' and id >= 0 order by 1")[1:],
          [[str(i)] for i in range(14)])
    equal("dead letters", lake.count("bronze.notes_dead"), FILES)
    lake.audit()


def one_refused_among_them(lake):
    whole = pa.table({"id": range(2000), "note": [str(i * 7919) for i in range(2000)]})
    for number in range(5):
        path = lake.landing / "marks" / f"{number}.parquet"
        path.parent.mkdir(exist_ok=True)
        pq.write_table(whole, path, row_group_size=1000, compression="none", use_dictionary=False)
        if number == 2:
            # The second row group is damaged: rows of the first are staged when that is found.
            second = pq.ParquetFile(path).metadata.row_group(1).column(0).data_page_offset
            content = bytearray(path.read_bytes())
            content[second:second + 8] = b"\xff" * 8
            path.write_bytes(content)
        rest(path)
    put(lake, os.fsdecode(b"notes/caf\xe9.jsonl"), note(1))
    said = lake.says("ingest", "--once", expect=2)
    assert "marks/2.parquet" in said and "caf\\\\xe9.jsonl" in said, said
    assert "stream stopped" not in said, said
    equal("rows", lake.count("bronze.marks"), 4 * 2000)
    equal("files", lake.csv("select distinct _topic[:14] from bronze.marks order by 1")[1:],
          [[f"file:marks/{n}.p"] for n in (0, 1, 3, 4)])
    os.remove(os.fsencode(lake.landing) + b"/notes/caf\xe9.jsonl")
    lake.audit()


def odd_names_and_times(lake):
    put(lake, "notes/a\nb\t'c\".jsonl", note(5000))
    future = put(lake, "notes/future.jsonl", note(5001))
    os.utime(future, (4_000_000_000, 4_000_000_000))
    put(lake, "notes/upload.jsonl.part", note(5002))
    os.mkfifo(lake.landing / "notes" / "pipe.jsonl")
    outside = put(lake, "../outside.jsonl", note(5003))
    (lake.landing / "notes" / "link.jsonl").symlink_to(outside)
    said = lake.says("ingest", "--once", expect=2)  # marks/2.parquet
    for name in ("notes/upload.jsonl.part", "notes/pipe.jsonl"):
        assert name in said, f"not said: {name}\n{said}"
    rows = lake.csv("select id from bronze.notes where id >= 5000 order by 1")[1:]
    equal("rows", rows, [["5000"], ["5001"], ["5003"]])
    equal("the link's name", lake.csv("select name from playhead.landing_files where name like '%link%'")[1:],
          [["notes/link.jsonl"]])
    lake.audit()


def killed_on_the_way(lake):
    """As kill -9 at each step of the commit of changed and new files: all of them once, or all of them again."""
    rows = lake.count("bronze.notes")
    for turn, step in enumerate(("before_plan", "after_plan", "published_one", "published", "after_objects",
                                 "after_transaction", "after_hint")):
        for number in range(100, 110):
            put(lake, f"notes/{number:04}.jsonl", note(number, step))
        for number in range(4):
            put(lake, f"notes/{6000 + turn * 10 + number}.jsonl", note(6000 + turn * 10 + number, step))
        lake.run("ingest", "--once", expect=-9, env={"PLAYHEAD_CRASH_AT": f"commit.{step}"})
        ingest(lake, expect=2)  # marks/2.parquet
        rows += 8
        equal(f"{step}: rows", lake.count("bronze.notes"), rows)
        equal(f"{step}: rows of the files", lake.count(f"bronze.notes where note = '{step}'"), 28)
        lake.audit()


with Lake("content") as many:
    many.project = make_project(many.folder / "project", TABLES)
    taken_together(many)
    known_by_their_stamps(many)
    changed_together(many)
    one_refused_among_them(many)
    odd_names_and_times(many)
    killed_on_the_way(many)
