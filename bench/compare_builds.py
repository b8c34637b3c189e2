"""The CPU that a load of 1,000,000 `content` events takes, of several builds of playhead side by side.

    python bench/compare_builds.py [--runs N] PROGRAM PROGRAM …

For ablations: build the program with and without a part, keep both files, and compare. One core for each
(taskset), in turn, so that what else the machine does meets all of them; user and system time, the least and the
median of the runs, and the difference from the first program. Differences below 1 % are noise.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent
CORE = str(max(os.sched_getaffinity(0)))


def load(program, file, lake):
    """CPU seconds of one load into a new warehouse."""
    process = subprocess.Popen(["taskset", "-c", CORE, program, "ingest", file, "--stream", "media_events"],
                               env={**os.environ, "PLAYHEAD_PROJECT": str(SOURCE / "projects" / "content"),
                                    "PLAYHEAD_WAREHOUSE": str(lake)},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, code, usage = os.wait4(process.pid, 0)
    shutil.rmtree(lake)
    if code != 0:
        raise SystemExit(f"{program} failed")
    return usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("programs", nargs="*", metavar="PROGRAM", default=[os.environ.get("PLAYHEAD_BIN")])
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="playhead-bench-"))
    try:
        file = folder / "events.jsonl"
        subprocess.run([arguments.programs[0], "simulate", "media_events", "--events", "1000000", "--seed", "7",
                        "--to", file], check=True, capture_output=True,
                       env={**os.environ, "PLAYHEAD_PROJECT": str(SOURCE / "projects" / "content")})
        seconds = {program: [] for program in arguments.programs}
        for _ in range(arguments.runs):
            for program in arguments.programs:
                seconds[program].append(load(program, file, folder / "lake"))
        first = seconds[arguments.programs[0]]
        for program, own in seconds.items():
            median = statistics.median(own)
            print(f"{program}: least {min(own):.3f} s ({min(own) / min(first) - 1:+.1%}),"
                  f" median {median:.3f} s ({median / statistics.median(first) - 1:+.1%})")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
