"""The demo feeds all five projects, answers every question of theirs, and its audits are exact."""

import os
import pathlib
import re
import subprocess
import tempfile

from playhead_lake import BINARY, SOURCE, equal

EVENTS = 1000
PROJECTS = ["content", "listening", "campaigns", "streampro", "startup"]


def main():
    questions = sorted(file.stem for project in PROJECTS
                       for file in (SOURCE / "projects" / project / "analyses").glob("*.sql"))
    assert len(questions) > len(PROJECTS), questions
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PLAYHEAD_BIN": BINARY, "PLAYHEAD_DEMO_FOLDER": f"{folder}/demo"}
        done = subprocess.run([SOURCE / "scripts" / "demo.sh", str(EVENTS)], env=environment, check=False,
                              capture_output=True, timeout=300, text=True)
        equal("the demo ends with", (done.returncode, done.stderr[-2000:] if done.returncode else ""), (0, ""))
        made = sorted(path.name for path in pathlib.Path(folder, "demo").iterdir() if path.is_dir()
                      and (path / "catalog.db").is_file())
    out = done.stdout
    equal("warehouses", made, sorted(PROJECTS))
    equal("exact audits", len(re.findall(r"^audit: .*: exact$", done.stderr, re.M)), len(PROJECTS))
    for question in questions:
        assert re.search(rf"^{question}$", out, re.M), f"no answer to {question}"
    equal("times with rates", len(re.findall(r" in [0-9.]+ s \([0-9]+ (?:events|records)/s\)", out)),
          len(PROJECTS))
    assert "\r" not in done.stderr and "\x1b" not in out + done.stderr, "a progress bar in a pipe"


if __name__ == "__main__":
    main()
