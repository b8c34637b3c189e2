#!/usr/bin/env bash
# test.sh [--fast] [CTEST ARGUMENT…]: sets up, builds and runs the tests; ends with ctest's summary.
# --fast runs the unit tests only: no Python packages. All tests run the dev preset; the release is
# built by `./dev demo` and `./dev bench`.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

fast=0
ctest_arguments=()
for argument in "$@"; do
  if [[ $argument == --fast ]]; then fast=1; else ctest_arguments+=("$argument"); fi
done

"$root/scripts/build.sh" --preset dev >&2
if [[ $fast -eq 1 ]]; then
  ctest_arguments+=(-L unit)
else
  install_python_packages
  install_spark
  "$root/scripts/faults.sh"
fi
exec ctest --test-dir "$root/build/dev" --output-on-failure --no-tests=error -j 2 \
  "${ctest_arguments[@]}"
