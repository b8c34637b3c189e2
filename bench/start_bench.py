"""Start-up, whole process: `playhead --version`. CPU time says more than wall time on a busy machine."""

import os
import resource
import statistics
import subprocess
import time

PLAYHEAD = os.environ["PLAYHEAD_BIN"]
RUNS = 31


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main():
    wall, cpu = [], []
    for _ in range(RUNS + 1):
        cpu_before, started = cpu_seconds(), time.perf_counter()
        subprocess.run([PLAYHEAD, "--version"], check=True, stdout=subprocess.DEVNULL)
        wall.append((time.perf_counter() - started) * 1000)
        cpu.append((cpu_seconds() - cpu_before) * 1000)
    # The first run reads the libraries from disk.
    wall, cpu = wall[1:], cpu[1:]
    print(f"playhead --version, {RUNS} runs: wall median {statistics.median(wall):.1f} ms, "
          f"min {min(wall):.1f}, max {max(wall):.1f}; CPU median {statistics.median(cpu):.1f} ms")


if __name__ == "__main__":
    main()
