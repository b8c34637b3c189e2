"""Each command's --help ends with examples, and every one of them runs."""

import re
import shlex
import signal
import subprocess
import tempfile

from playhead_lake import BINARY, Lake, equal

# These run until SIGTERM; the port of their example may be taken here, so they get another.
SERVERS = ("up", "collect")


def help_of(*command):
    done = subprocess.run([BINARY, *command, "--help"], capture_output=True, text=True, timeout=60,
                          check=True)
    equal("stderr of --help", done.stderr, "")
    return done.stdout


def commands():
    listed = re.search(r"^Commands:\n((?:  .*\n)+)", help_of(), re.M).group(1)
    return re.findall(r"^  (\w+)", listed, re.M)


def examples(command):
    text = help_of(command).rstrip("\n")
    found = re.search(r"\nExamples?:\n((?:  playhead .*\n?)+)$", text)
    assert found, f"{command} --help does not end with an example:\n{text}"
    return [line.strip() for line in found.group(1).splitlines()]


def complete(*words):
    """What bash offers for the last word."""
    script = subprocess.run([BINARY, "completion", "bash"], capture_output=True, text=True,
                            timeout=60, check=True).stdout
    script += (f"COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}; _playhead;"
               " echo ${COMPREPLY[@]}")
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60,
                          check=True)
    equal("stderr of bash", done.stderr, "")
    return done.stdout.split()


def check_other_forms(names):
    equal("commands", complete("playhead", "t"), ["tables"])
    equal("flags", complete("playhead", "sql", "--fo"), ["--format"])
    equal("values", complete("playhead", "ask", "--format", "nd"), ["ndjson"])
    equal("help", complete("playhead", "help", "au"), ["audit"])
    equal("help of a command", subprocess.check_output([BINARY, "help", "sql"], text=True),
          help_of("sql"))
    equal("short flag", subprocess.check_output([BINARY, "-V"]),
          subprocess.check_output([BINARY, "version"]))
    page = subprocess.check_output([BINARY, "help", "--man"], text=True)
    equal("sections", re.findall(r"^\.SS (.*)$", page, re.M), names)


def run_server(lake, words):
    words = ["127.0.0.1:0" if word == "127.0.0.1:8090" else word for word in words]
    with tempfile.TemporaryFile("w+") as log, subprocess.Popen(
            [BINARY, *words], env=lake.environment(), stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True) as server:
        for line in server.stderr:
            log.write(line)
            if "listening on" in line:
                break
        server.send_signal(signal.SIGTERM)
        server.stderr.read()
    equal(" ".join(words), server.returncode, 0)


def main():
    names = commands()
    assert {"up", "ingest", "sql", "ask", "simulate", "dead", "audit"} <= set(names), names
    check_other_forms(names)
    with Lake("content") as content, Lake("startup") as startup:
        (content.folder / "events.jsonl").write_text("", encoding="utf-8")
        content.run("simulate", "media_events", "--events", 200, "--faults", "0.1", "--to",
                    content.folder / "events.jsonl")
        startup.run("simulate", "--events", 200, "--to", f"{startup.landing}/")
        startup.run("ingest", "--once")
        # In the order of the help: tables are made by `ingest` before they are asked.
        for name in names:
            for example in examples(name):
                words = shlex.split(example)[1:]
                if words[0] in SERVERS:
                    run_server(content, words)
                    continue
                words = [str(content.folder / word) if word == "events.jsonl" else word
                         for word in words]
                (startup if words[0] == "ask" else content).run(*words)
    for example in re.findall(r"^  (playhead .*?)(?:  .*)?$", help_of(), re.M):
        assert shlex.split(example)[1] in names, example


if __name__ == "__main__":
    main()
