#!/usr/bin/env bash
# Resolves third_party/python-tests.in and writes every package with version and hash to
# third_party/python-tests.txt. Run by hand when a version is to move.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

make_venv
report="$(mktemp)"
trap 'rm -f "$report"' EXIT
"$venv/bin/pip" install -q --disable-pip-version-check --only-binary :all: --dry-run \
  --ignore-installed --report "$report" -r "$third_party/python-tests.in"
"$venv/bin/python" - "$report" >"$third_party/python-tests.txt" <<'PYTHON'
import json
import sys

print("# Written by scripts/pin_python.sh from python-tests.in; wheels for CPython 3.11, x86_64.")
with open(sys.argv[1]) as file:
    packages = json.load(file)["install"]
for package in sorted(packages, key=lambda p: p["metadata"]["name"].lower()):
    name, version = package["metadata"]["name"], package["metadata"]["version"]
    sha256 = package["download_info"]["archive_info"]["hashes"]["sha256"]
    print(f"{name}=={version} --hash=sha256:{sha256}")
PYTHON
