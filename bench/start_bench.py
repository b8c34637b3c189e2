"""Start-up and small commits, whole commands: `playhead --version` and the time of small epochs."""

import os
import statistics
import subprocess
import time

PLAYHEAD = os.environ["PLAYHEAD_BIN"]


def main():
    seconds = []
    for _ in range(21):
        started = time.perf_counter()
        subprocess.run([PLAYHEAD, "--version"], check=True, stdout=subprocess.DEVNULL)
        seconds.append(time.perf_counter() - started)
    rest = seconds[1:]
    print(f"playhead --version, 20 runs: median {statistics.median(rest) * 1000:.1f} ms, "
          f"max {max(rest) * 1000:.1f} ms")


if __name__ == "__main__":
    main()
