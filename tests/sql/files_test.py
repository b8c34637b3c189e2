"""Runs the data-driven tests tests/sql/**/*.test; with arguments only those whose path contains one.

A file is a list of blocks, separated by blank lines, run in order in a fresh copy of a project:

    # about: what is claimed                (comment)
    project startup                         (first block; default content)
    file late.jsonl                         a file in the project folder: the lines up to ----
    {"event_id": "1", ...}
    ----
    run ingest --stream media_events FILE   must exit 0
    query DI                                one letter a column: D date, I integer, R real, T text,
    select ...                              B boolean; tab-separated rows follow, NULL and (empty)
    ----                                    are written so
    2024-01-01	1
    out ask mean_duration --format csv      stdout must be exactly the lines below; the project's
                                            folder is written PROJECT, a load's id in _topic LOAD
    ----
    fails 2 tables nothing                  that exit code; stderr must hold every line below
    ----

Arguments of run, out and fails may be in quotes as in a shell; those that begin with tests/ are paths
from the root of the repository.
"""

import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(os.environ.get("PLAYHEAD_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
BINARY = os.environ.get("PLAYHEAD_BIN", str(SOURCE / "build/dev/playhead"))
FORMS = {
    "D": r"\d{4}-\d\d-\d\d|NULL",
    "I": r"-?\d+|NULL",
    "R": r"-?\d+(\.\d+)?(e[+-]?\d+)?|NULL",
    "B": r"true|false|NULL",
    "T": r"(?s).*",
}


class Failure(Exception):
    pass


def playhead(folder, arguments):
    full = [str(SOURCE / a) if a.startswith("tests/") else a for a in arguments]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PLAYHEAD_")}
    return subprocess.run([BINARY, *full], cwd=folder, env=environment, capture_output=True,
                          text=True, timeout=120, stdin=subprocess.DEVNULL)


def must_run(folder, arguments):
    result = playhead(folder, arguments)
    if result.returncode != 0:
        raise Failure(f"exit {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def cell(value):
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == "":
        return "(empty)"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def equal(kind, got, expected):
    if kind == "R" and "NULL" not in (got, expected):
        return abs(float(got) - float(expected)) <= 1e-9 * max(1.0, abs(float(expected)))
    return got == expected


def query(folder, kinds, sql, expected):
    text = must_run(folder, ["sql", "--format", "json", "-c", sql])
    rows = [[cell(value) for _, value in row]
            for row in json.loads(text, object_pairs_hook=list, parse_float=str)]
    wanted = [line.split("\t") for line in expected]
    for row in rows:
        if len(row) != len(kinds):
            raise Failure(f"{len(row)} columns, expected {len(kinds)}")
        for kind, value in zip(kinds, row):
            if not re.fullmatch(FORMS[kind], value):
                raise Failure(f"'{value}' is not of kind {kind}")
    same = len(rows) == len(wanted) and all(
        len(w) == len(r) and all(map(equal, kinds, r, w)) for r, w in zip(rows, wanted))
    if not same:
        got = "\n".join("\t".join(row) for row in rows)
        raise Failure(f"got\n{got}\nexpected\n" + "\n".join(expected))


def blocks(lines):
    """(line number, head, lines before ----, lines after it)"""
    at = 0
    while at < len(lines):
        if not lines[at].strip() or lines[at].startswith("#"):
            at += 1
            continue
        start = at
        head = lines[at]
        verb = head.split()[0]
        before, after = [], []
        at += 1
        if verb in ("file", "query"):
            while at < len(lines) and lines[at] != "----":
                before.append(lines[at])
                at += 1
        if at < len(lines) and lines[at] == "----":
            at += 1
            while verb != "file" and at < len(lines) and lines[at].strip():
                after.append(lines[at])
                at += 1
        yield start + 1, head, before, after


def run_block(folder, head, before, after):
    verb, _, rest = head.partition(" ")
    if verb == "file":
        (folder / rest).parent.mkdir(parents=True, exist_ok=True)
        (folder / rest).write_text("".join(line + "\n" for line in before), encoding="utf-8")
    elif verb == "run":
        must_run(folder, shlex.split(rest))
    elif verb == "query":
        query(folder, rest, "\n".join(before), after)
    elif verb == "out":
        got = must_run(folder, shlex.split(rest)).replace(str(folder), "PROJECT")
        got = re.sub(r"(file:\S+)#[0-9a-f]{12}\b", r"\1#LOAD", got).splitlines()
        if got != after:
            raise Failure("got\n" + "\n".join(got) + "\nexpected\n" + "\n".join(after))
    elif verb == "fails":
        code, *arguments = shlex.split(rest)
        result = playhead(folder, arguments)
        if result.returncode != int(code):
            raise Failure(f"exit {result.returncode}, expected {code}: {result.stderr.strip()}")
        for line in after:
            if line not in result.stderr:
                raise Failure(f"stderr lacks '{line}':\n{result.stderr}")
    else:
        raise Failure(f"unknown word '{verb}'")


def run_file(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    project = next((line.split()[1] for line in lines if line.startswith("project ")), "content")
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary).resolve() / project
        shutil.copytree(SOURCE / "projects" / project, folder,
                        ignore=shutil.ignore_patterns("lake", "landing", "target"))
        for line, head, before, after in blocks(lines):
            if head.startswith("project "):
                continue
            try:
                run_block(folder, head, before, after)
            except Failure as failure:
                print(f"{path.relative_to(SOURCE)}:{line}: {head}\n{failure}\n")
                return False
    return True


def main():
    paths = [p for p in sorted((SOURCE / "tests/sql").glob("**/*.test"))
             if not sys.argv[1:] or any(word in str(p) for word in sys.argv[1:])]
    failed = [p for p in paths if not run_file(p)]
    print(f"{len(paths) - len(failed)} of {len(paths)} files passed")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
