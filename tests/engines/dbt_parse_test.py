"""dbt reads every project in projects/ without a warning, and sees what playhead sees in it.

Each project is copied to a temporary folder (dbt writes target/ and logs/ beside its input) and
compiled, which parses it first. dbt ignores silently what stands in a wrong place, so the manifest is
compared with the files as well: every event_time, freshness and meta.playhead must have arrived, and
what belongs under `config:` must not stand beside it.

PLAYHEAD_VENV names the virtual environment with dbt-core and dbt-duckdb; default third_party/venv.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(
    os.environ.get("PLAYHEAD_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2]
)
VENV = pathlib.Path(os.environ.get("PLAYHEAD_VENV") or ROOT / "third_party" / "venv")
PROJECTS = sorted(path.parent for path in (ROOT / "projects").glob("*/playhead.yml"))

TABLE_KEYS = {"name", "identifier", "description", "config", "columns"}


def dbt(folder, *arguments):
    """Runs dbt in the project folder; its log as one JSON object a line."""
    return subprocess.run(
        [VENV / "bin" / "dbt", "--log-format", "json", "--show-all-deprecations", "--warn-error"]
        + [*arguments, "--profiles-dir", "."],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "DO_NOT_TRACK": "1"},
        timeout=240,
    )


def complaints(log):
    """What dbt says above level `info`; a line that is not JSON is a Python warning or a crash."""
    found = []
    for line in log.splitlines():
        try:
            info = json.loads(line)["info"]
        except (ValueError, KeyError, TypeError):
            found.append(line)
            continue
        if info["level"] in ("warn", "error") or "deprecat" in info["msg"].lower():
            found.append(info["msg"])
    return found


def declared(folder, paths, key):
    """The entries under `key` of all YAML files below the given folders."""
    for path in paths:
        for file in sorted((folder / path).rglob("*.yml")):
            yield from yaml.safe_load(file.read_text()).get(key) or []


class DbtReadsProject(unittest.TestCase):
    def test_every_project(self):
        self.assertTrue(PROJECTS, "no project found")
        for project in PROJECTS:
            with self.subTest(project.name), tempfile.TemporaryDirectory() as temporary:
                folder = pathlib.Path(temporary) / project.name
                ignored = shutil.ignore_patterns("lake", "landing", "logs", "target")
                shutil.copytree(project, folder, ignore=ignored)
                run = dbt(folder, "compile")
                self.assertEqual(complaints(run.stdout + run.stderr), [])
                self.assertEqual(run.returncode, 0)
                manifest = json.loads((folder / "target" / "manifest.json").read_text())
                self.check_sources(folder, manifest)
                self.check_analyses(folder, manifest)

    def check_sources(self, folder, manifest):
        seen = {(node["source_name"], node["name"]): node for node in manifest["sources"].values()}
        for source in declared(folder, ["models"], "sources"):
            for table in source["tables"]:
                node = seen.pop((source["name"], table["name"]))
                self.assertLessEqual(set(table), TABLE_KEYS, table["name"])
                config = table["config"]
                self.assertEqual(node["config"]["event_time"], config.get("event_time"))
                self.assertEqual(node["loaded_at_field"], config["loaded_at_field"])
                self.assertEqual(node["config"]["meta"], config["meta"])
                for bound, limit in config["freshness"].items():
                    self.assertEqual(node["freshness"][bound], limit)
                for column in table["columns"]:
                    parsed = node["columns"][column["name"]]
                    self.assertEqual(parsed["data_type"], column["data_type"])
                    self.assertTrue(parsed["description"], column["name"])
        self.assertEqual(seen, {})

    def check_analyses(self, folder, manifest):
        nodes = {
            node["name"]: node
            for node in manifest["nodes"].values()
            if node["resource_type"] == "analysis"
        }
        named = set()
        for analysis in declared(folder, ["analyses"], "analyses"):
            meta = nodes[analysis["name"]]["config"]["meta"]["playhead"]
            self.assertEqual(meta, analysis["config"]["meta"]["playhead"])
            self.assertTrue(meta["question"] and meta["definition"] and meta["rivals"])
            named.add(analysis["name"])
            named.update(rival["name"] for rival in meta["rivals"])
        self.assertEqual(set(nodes), named, "an SQL file without a question, or the reverse")
        for name, node in nodes.items():
            self.assertNotIn("{{", node["compiled_code"], name)


if __name__ == "__main__":
    unittest.main()
