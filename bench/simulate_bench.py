"""`playhead simulate` to standard output, the whole program on one core, for each kind of event stream.
The output goes into a pipe that `cat` empties on the other cores."""

import os
import pathlib
import statistics
import subprocess
import time

PLAYHEAD = os.environ["PLAYHEAD_BIN"]
PROJECTS = pathlib.Path(os.environ["PLAYHEAD_SOURCE_DIR"]) / "projects"
EVENTS = 1_000_000
RUNS = 5
CORES = sorted(os.sched_getaffinity(0))


def seconds(project, faults):
    started = time.perf_counter()
    with subprocess.Popen(
            ["taskset", "-c", str(CORES[0]), PLAYHEAD, "--project", PROJECTS / project, "simulate",
             "--events", str(EVENTS), "--faults", faults, "--to", "-"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as simulate:
        others = ",".join(map(str, CORES[1:] or CORES))
        with subprocess.Popen(["taskset", "-c", others, "cat"], stdin=simulate.stdout,
                              stdout=subprocess.DEVNULL):
            simulate.stdout.close()
    assert simulate.returncode == 0, simulate.returncode
    return time.perf_counter() - started


def main():
    for project, faults in (("content", "0"), ("content", "0.05"), ("listening", "0"),
                            ("campaigns", "0")):
        rates = [EVENTS / seconds(project, faults) / 1000 for _ in range(RUNS + 1)][1:]
        print(f"{project:10} faults {faults:4}  median {statistics.median(rates):6.0f} k events/s   "
              f"runs {' '.join(f'{rate:.0f}' for rate in rates)}", flush=True)


if __name__ == "__main__":
    main()
