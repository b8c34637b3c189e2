#!/usr/bin/env bash
# faults.sh [--record] [SEEDS]: builds the release and runs the simulation of the commit core (10,000
# seeds without a number), then the same with each mend taken out, which must find the fault. --record
# writes the tables into docs/reliability.md.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

record=0
seeds=10000
for argument in "$@"; do
  case "$argument" in
    --record) record=1 ;;
    *) [[ $argument =~ ^[0-9]+$ ]] || die "faults: SEEDS must be a number: $argument"; seeds="$argument" ;;
  esac
done

"$root/scripts/build.sh" --preset release faults_commit_simulation_test >&2
output="$(mktemp)"
trap 'rm -f "$output"' EXIT
code=0
PLAYHEAD_SIMULATION_SEEDS="$seeds" "$root/build/release/bin/faults_commit_simulation_test" \
  --gtest_brief=1 2>/dev/null >"$output" || code=$?
cat "$output"
[[ $code -eq 0 ]] || die "faults: the simulation found a fault (see above)"
[[ $record -eq 1 ]] || exit 0

page="$root/docs/reliability.md"
{
  sed '/<!-- simulation -->/q' "$page"
  printf '\n`./dev faults --record %s`:\n\n' "$seeds"
  grep '^| *[s0-9-]' "$output"
  printf '\n| mend taken out | seeds until it is found | first problem |\n|---|--:|---|\n'
  grep -E '^\| [A-Z]' "$output"
  printf '\n<!-- end of simulation -->\n'
  sed '1,/<!-- end of simulation -->/d' "$page"
} >"$page.new"
mv "$page.new" "$page"
