"""Projects that a test makes for itself: one declaration in models/sources.yml, nothing else."""

import os
import time


def make_project(folder, tables):
    """Writes a project of landing or topic tables; `tables` is the YAML list below `tables:`, from column 0."""
    (folder / "models").mkdir(parents=True)
    (folder / "playhead.yml").write_text(
        "name: small\ndefault_target: dev\ntargets:\n  dev:\n    warehouse: ./lake\n")
    (folder / "dbt_project.yml").write_text("name: small\nversion: 1.0.0\nprofile: small\n")
    indented = "".join(f"      {line}\n" for line in tables.strip("\n").split("\n"))
    (folder / "models" / "sources.yml").write_text(
        f"version: 2\nsources:\n  - name: bronze\n    schema: bronze\n    tables:\n{indented}")
    return folder


def rest(path):
    """Makes a file look as if it had rested, so that ingest takes it at once."""
    past = time.time() - 10
    os.utime(path, (past, past))
    return path
