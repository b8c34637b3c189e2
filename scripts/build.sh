#!/usr/bin/env bash
# build.sh [--preset NAME] [--configure-only] [TARGET…]: configures when needed and builds; callers
# queue on one lock.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

preset=dev
configure_only=0
targets=()
while [[ $# -gt 0 ]]; do
  case "$1" in
    --preset) preset="${2:?--preset needs a name}"; shift 2 ;;
    --preset=*) preset="${1#*=}"; shift ;;
    --configure-only) configure_only=1; shift ;;
    -*) die "build: unknown option $1" ;;
    *) targets+=("$1"); shift ;;
  esac
done

"$root/scripts/setup.sh"
if [[ $preset == fuzz ]]; then install_packages clang-19 libclang-rt-19-dev; fi

# A precompiled header is otherwise a cache miss for everything that includes it.
export CCACHE_SLOPPINESS=pch_defines,time_macros
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1

mkdir -p "$root/build"
# One lock for all presets: two builds at once would only fight for the same cores and memory.
exec 8>"$root/build/.lock"
flock 8

dir="$root/build/$preset"
# Ninja re-runs CMake for changed CMake files, but only `cmake --preset` reads a changed preset.
if [[ ! -f $dir/build.ninja || $root/CMakePresets.json -nt $dir/.configured ]]; then
  cd "$root"
  if ! log="$(cmake --preset "$preset" 2>&1)"; then
    printf '%s\n' "$log" >&2
    exit 1
  fi
  touch "$dir/.configured"
fi

[[ $configure_only -eq 0 ]] || exit 0

# Without named targets everything is tried, so that one broken folder does not hide the others.
keep_going=()
[[ ${#targets[@]} -gt 0 ]] || keep_going=(-k 0)
ninja_command=(ninja -C "$dir" -j "${PLAYHEAD_BUILD_JOBS:-$(nproc)}" "${keep_going[@]}" "${targets[@]}")
if [[ -t 1 ]]; then
  exec "${ninja_command[@]}"
fi
# In a pipe: the failures' output and the last line, not one line a step.
log="$dir/build.log"
if "${ninja_command[@]}" >"$log" 2>&1; then
  tail -n 1 "$log"
else
  code=$?
  # What failed and why: neither a line a step nor the compiler's command line.
  grep -vE '^(/usr/bin/ccache |\[[0-9]+/[0-9]+\] (Building|Linking|Re-checking|Creating|Generating|Running|Re-running|Automatic)|-- |ninja: Entering)' \
    "$log" || true
  exit "$code"
fi
