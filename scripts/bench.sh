#!/usr/bin/env bash
# bench.sh [NAME…]: builds the release and runs the benchmarks in bench/ (all, or those named by their
# file without suffix). bench/*.cc are google-benchmark programs, *.py and *.sh run as they are.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$root"
shopt -s nullglob
files=(bench/*.cc bench/*.py bench/*.sh)
[[ ${#files[@]} -gt 0 ]] || die "bench: bench/ holds no benchmark"

selected=()
if [[ $# -eq 0 ]]; then
  selected=("${files[@]}")
else
  for name in "$@"; do
    matches=()
    for file in "${files[@]}"; do
      [[ $file != "bench/$name".* ]] || matches+=("$file")
    done
    [[ ${#matches[@]} -gt 0 ]] ||
      die "bench: no benchmark '$name'; there are: $(printf '%s ' "${files[@]}")"
    selected+=("${matches[@]}")
  done
fi

"$root/scripts/build.sh" --preset release >&2
install_python_packages
install_spark
export PLAYHEAD_BIN="$root/build/release/playhead" PLAYHEAD_SOURCE_DIR="$root"
export PYTHONPATH="$root/tests/support"

printf 'commit   %s\n' "$(git describe --always --dirty 2>/dev/null || echo unknown)"
printf 'cpu      %s x%s\n' "$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
printf 'memory   %s\n' "$(sed -n 's/^MemTotal:\s*//p' /proc/meminfo)"
printf 'build    %s\n' "$(sed -n 's/^CMAKE_CXX_FLAGS_RELEASE:[A-Z]*=//p' build/release/CMakeCache.txt)"
for file in "${selected[@]}"; do
  printf '\n== %s\n' "$file"
  name="$(basename "${file%.*}")"
  case "$file" in
    *.cc) "build/release/bin/$name" ;;
    *.py) "$venv/bin/python" "$file" ;;
    *.sh) bash "$file" ;;
  esac
done
