#!/usr/bin/env bash
# demo.sh [EVENTS]: the main job from start to answers for all five projects, each in a fresh warehouse
# below build/demo. No other server is needed.
#   content, listening, campaigns: simulated users POST events to the collector, while ingest in the same
#                                  process commits them to Iceberg tables
#   streampro, startup:            simulated landing files are ingested
# EVENTS are content's; the others have a share of it. One record in fifty is faulty. Each step prints its
# time and rate; the answers come with their definitions.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

events="${1:-200000}"
[[ $events =~ ^[0-9]+$ && $events -ge 100 ]] || die "demo: EVENTS must be a number from 100: $events"
# The demo's own test runs another build elsewhere.
playhead="${PLAYHEAD_BIN:-$root/build/release/playhead}"
work="${PLAYHEAD_DEMO_FOLDER:-$root/build/demo}"
rm -rf "$work"
mkdir -p "$work"

step() { printf '\n== %s\n' "$*"; }
seconds_since() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN{printf "%.2f", b - a}'; }
rate() { awk -v n="$1" -v s="$2" 'BEGIN{printf "%d", n / s}'; }

up_pid=""
stop_up() {
  if [[ -n $up_pid ]] && kill -0 "$up_pid" 2>/dev/null; then
    kill -TERM "$up_pid"
    wait "$up_pid" || true
  fi
  up_pid=""
}
trap stop_up EXIT

# Starts the collector with ingest and sets `url`.
start_up() {
  local log="$work/$1-up.log"
  # Its summary comes as a file: what counts is said when the rows can be read.
  "$playhead" up --listen 127.0.0.1:0 2>"$log" >"$work/$1-summary.csv" &
  up_pid=$!
  url=""
  for _ in $(seq 200); do
    url="$(sed -n 's|^.*listening on \(http://[0-9.:]*\).*$|\1|p' "$log" | head -n 1)"
    [[ -z $url ]] || return 0
    kill -0 "$up_pid" 2>/dev/null || { cat "$log" >&2; die "demo: playhead up ended"; }
    sleep 0.05
  done
  cat "$log" >&2
  die "demo: the collector did not start"
}

# Rows and dead letters in all tables of the project.
committed() { "$playhead" tables --format csv | awk -F, 'NR > 1 {n += $2} END {print n + 0}'; }

# The bar is drawn on a terminal only.
wait_for_commits() {
  local wanted="$1" have deadline=$((SECONDS + 300))
  while true; do
    have="$(committed)"
    [[ ! -t 2 ]] || printf '\r\033[K%s of %s events committed (%d%%)' "$have" "$wanted" \
      $((100 * have / wanted)) >&2
    [[ $have -lt $wanted ]] || break
    kill -0 "$up_pid" 2>/dev/null || die "demo: playhead up ended; see $work"
    ((SECONDS < deadline)) || die "demo: $have of $wanted events were committed in 300 s; see $work"
    sleep 0.2
  done
  [[ ! -t 2 ]] || printf '\r\033[K' >&2
}

use_project() {
  export PLAYHEAD_PROJECT="$root/projects/$1"
  export PLAYHEAD_WAREHOUSE="$work/$1"
  export PLAYHEAD_LANDING="$work/$1-landing"
}

results() {
  step "$1: tables"
  "$playhead" tables --format table
  step "$1: dead letters, by reason"
  "$playhead" dead --show reasons --format table
  step "$1: answers"
  "$playhead" ask --format table
  step "$1: audit (every record a row or a dead letter, exactly once)"
  "$playhead" audit --format table
}

# over_http PROJECT EVENTS
over_http() {
  local started seconds
  use_project "$1"
  step "$1: $2 events over HTTP, collector and ingest in one process (playhead up)"
  start_up "$1"
  started="$(date +%s.%N)"
  "$playhead" simulate --events "$2" --seed 7 --faults 0.02 --to "$url" --truth "$work/$1.json"
  wait_for_commits "$2"
  seconds="$(seconds_since "$started")"
  echo "$2 events from user to table, committed and readable, in $seconds s ($(rate "$2" "$seconds") events/s)"
  stop_up
  results "$1"
}

# from_landing PROJECT EVENTS
from_landing() {
  local started seconds count
  use_project "$1"
  step "$1: landing files from the simulator"
  started="$(date +%s.%N)"
  "$playhead" simulate --events "$2" --seed 7 --faults 0.02 --to "$PLAYHEAD_LANDING/" --truth "$work/$1.json"
  echo "$(find "$PLAYHEAD_LANDING" -type f | wc -l) files, $(du -sh "$PLAYHEAD_LANDING" | cut -f 1)," \
    "in $(seconds_since "$started") s"
  step "$1: ingest of what has landed"
  started="$(date +%s.%N)"
  "$playhead" ingest --once --format table
  seconds="$(seconds_since "$started")"
  count="$(committed)"
  echo "$count records committed and readable in $seconds s ($(rate "$count" "$seconds") records/s)"
  results "$1"
}

demo_started="$(date +%s.%N)"
over_http content "$events"
over_http listening $((events / 4))
over_http campaigns $((events / 2))
from_landing streampro $((events / 2))
from_landing startup $((events / 10))

step "five projects in $(seconds_since "$demo_started") s; their tables are open: try"
echo "  PLAYHEAD_PROJECT=projects/content PLAYHEAD_WAREHOUSE=build/demo/content build/release/playhead sql"
echo "  duckdb -c \"select count(*) from '$work/content/bronze/media_events/data/**/*.parquet'\""
