#!/usr/bin/env bash
# demo.sh [EVENTS]: the main job from start to answers, in a fresh warehouse below build/demo.
#   1. content: simulated viewers POST events to the collector while ingest commits them to Iceberg tables
#   2. startup: simulated landing files are ingested
# Each step prints its time and rate; the answers come with their definitions.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

events="${1:-200000}"
[[ $events =~ ^[0-9]+$ ]] || die "demo: EVENTS must be a number: $events"
playhead="$root/build/release/playhead"
work="$root/build/demo"
rm -rf "$work"
mkdir -p "$work"

step() { printf '\n== %s\n' "$*"; }
elapsed_since() { printf '%s' "$(awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN{printf "%.2f", b - a}')"; }

up_pid=""
stop_up() {
  if [[ -n $up_pid ]] && kill -0 "$up_pid" 2>/dev/null; then
    kill -TERM "$up_pid"
    wait "$up_pid" || true
  fi
  up_pid=""
}
trap stop_up EXIT

export PLAYHEAD_PROJECT="$root/projects/content"
export PLAYHEAD_WAREHOUSE="$work/content"

step "content: the collector and ingest in one process (playhead up)"
"$playhead" up --listen 127.0.0.1:0 2>"$work/up.log" &
up_pid=$!
url=""
for _ in $(seq 100); do
  url="$(sed -n 's|^.*listening on \(http://[0-9.:]*\).*$|\1|p' "$work/up.log" | head -n 1)"
  [[ -z $url ]] || break
  kill -0 "$up_pid" 2>/dev/null || { cat "$work/up.log" >&2; die "demo: playhead up ended"; }
  sleep 0.1
done
[[ -n $url ]] || { cat "$work/up.log" >&2; die "demo: the collector did not start"; }
echo "collector at $url"

step "content: simulated viewers send $events events over HTTP"
started="$(date +%s.%N)"
"$playhead" simulate media_events --events "$events" --seed 7 --to "$url" --truth "$work/content.json"
while true; do
  rows="$("$playhead" sql -c 'select count(*) from bronze.media_events' --format csv | tail -n 1)"
  dead="$("$playhead" sql -c 'select count(*) from bronze.media_events_dead' --format csv | tail -n 1)"
  [[ $((rows + dead)) -lt $events ]] || break
  sleep 0.2
done
seconds="$(elapsed_since "$started")"
echo "$rows rows and $dead dead letters committed and readable after $seconds s" \
  "($(awk -v n="$events" -v s="$seconds" 'BEGIN{printf "%d", n / s}') events/s from viewer to table)"
stop_up

step "content: tables"
"$playhead" tables --format table

step "content: answers"
"$playhead" ask --format table

step "content: audit (every event a row or a dead letter, exactly once)"
"$playhead" audit --format table

export PLAYHEAD_PROJECT="$root/projects/startup"
export PLAYHEAD_WAREHOUSE="$work/startup"
export PLAYHEAD_LANDING="$work/startup-landing"

step "startup: landing files from the simulator"
"$playhead" simulate --events 20000 --seed 7 --to "$PLAYHEAD_LANDING/" --truth "$work/startup.json"

step "startup: ingest"
"$playhead" ingest --once --format table

step "startup: answers"
"$playhead" ask --format table

step "startup: audit"
"$playhead" audit --format table

step "the same tables are open: try"
echo "  PLAYHEAD_PROJECT=projects/content PLAYHEAD_WAREHOUSE=build/demo/content build/release/playhead sql"
echo "  duckdb -c \"select count(*) from '$work/content/bronze/media_events/data/**/*.parquet'\""
