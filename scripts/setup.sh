#!/usr/bin/env bash
# Brings a Debian 12 machine and third_party/prefix to the state the build needs.
#
# Every part is stamped with a digest of its lock file and of the functions that make it, so a second
# run only compares stamps. Nothing is downloaded but through a package client that checks a pinned hash.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly jobs="${PLAYHEAD_BUILD_JOBS:-$(nproc)}"

debian_packages() {
  local packages
  mapfile -t packages < <(grep -v '^#' "$third_party/debian-packages.txt")
  # Clients that a machine may have from elsewhere; Debian's own is installed only in their absence.
  command -v npm >/dev/null || packages+=(npm)
  cargo_command >/dev/null || packages+=(cargo-web)
  install_packages "${packages[@]}"
}

# Prints a cargo that reads lock file version 4 and the sparse index (1.78 and later).
# Debian 12's package `cargo` is older; its package `cargo-web` is current.
cargo_command() {
  local candidate minor
  for candidate in cargo /usr/bin/cargo; do
    command -v "$candidate" >/dev/null || continue
    minor="$("$candidate" --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')"
    [[ -n $minor && $minor -ge 78 ]] && { command -v "$candidate"; return 0; }
  done
  return 1
}

# Lock file of a part, and the functions whose text decides what is in it.
declare -rA lock_file=(
  [arrow]="$third_party/arrow.txt"
  [duckdb-library]="$third_party/npm/package-lock.json"
  [rdkafka]="$third_party/npm/package-lock.json"
  [duckdb-headers]="$third_party/cargo/Cargo.lock"
  [simdjson]="$third_party/cargo/Cargo.lock"
)
declare -rA recipe=(
  [arrow]="arrow_part"
  [duckdb-library]="npm_parts"
  [rdkafka]="npm_parts build_rdkafka"
  [duckdb-headers]="cargo_parts"
  [simdjson]="cargo_parts"
)

# part_key NAME: what the stamp of an up-to-date part holds.
part_key() {
  # shellcheck disable=SC2086  # a recipe is a list of function names
  { cat "${lock_file[$1]}"; declare -f ${recipe[$1]}; } | digest
}

part_is_stale() { ! stamp_matches "$prefix/$1/.stamp" "$(part_key "$1")"; }

# publish_part NAME STAGED_DIR: replaces the part in one rename.
publish_part() {
  part_key "$1" >"$2/.stamp"
  rm -rf "${prefix:?}/$1"
  mv "$2" "$prefix/$1"
  say "setup: $1 ready"
}

# A temporary folder inside the prefix, so that publishing is a rename; main removes what is left.
staging_dir() { mktemp -d "$prefix/.staging.XXXXXX"; }

arrow_part() {
  local work
  work="$(staging_dir)"
  make_venv
  "$venv/bin/pip" install -q --disable-pip-version-check --no-deps --require-hashes \
    --only-binary :all: --platform manylinux_2_28_x86_64 --python-version 3.11 \
    --implementation cp --abi cp311 --target "$work/wheel" -r "$third_party/arrow.txt"
  mkdir -p "$work/part/include" "$work/part/lib"
  mv "$work"/wheel/pyarrow/include/{arrow,parquet} "$work/part/include/"
  mv "$work"/wheel/pyarrow/lib{arrow,arrow_compute,parquet}.so.* \
    "$work/part/lib/"
  mv "$work"/wheel/pyarrow-*.dist-info/licenses "$work/part/" 2>/dev/null || true
  publish_part arrow "$work/part"
  rm -rf "$work"
}

npm_parts() {
  local work
  work="$(staging_dir)"
  cp "$third_party"/npm/package{,-lock}.json "$work/"
  # Without --ignore-scripts the Kafka package would try to build a Node module.
  (cd "$work" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  mkdir -p "$work/part/lib"
  mv "$work"/node_modules/@duckdb/node-bindings-linux-x64/libduckdb.so "$work/part/lib/"
  publish_part duckdb-library "$work/part"
  build_rdkafka "$work/node_modules/@confluentinc/kafka-javascript/deps/librdkafka" "$work"
  rm -rf "$work"
}

# build_rdkafka SOURCE_DIR WORK_DIR
build_rdkafka() {
  local part="$prefix/rdkafka" log="$2/rdkafka.log"
  # The npm archive drops the execute bits. --enable-static is left out on purpose: with it the
  # shared library swallows a static libcurl and does not link.
  if ! (cd "$1" && chmod +x configure lds-gen.py &&
        ./configure --prefix="$part" --disable-debug-symbols --enable-ssl --enable-gssapi \
          --enable-zstd --enable-curl &&
        make -j"$jobs" libs && make -C src install DESTDIR="$2/dest" &&
        make -C src-cpp install DESTDIR="$2/dest") >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    return 1
  fi
  publish_part rdkafka "$2/dest$part"
}

cargo_parts() {
  local work
  work="$(staging_dir)"
  cp "$third_party"/cargo/{Cargo.toml,Cargo.lock,lib.rs} "$work/"
  (cd "$work" && "$(cargo_command)" vendor --quiet --locked vendor >/dev/null)
  mkdir -p "$work/headers" "$work/simdjson"
  tar -xzf "$work/vendor/libduckdb-sys/duckdb.tar.gz" -C "$work" duckdb/src/include
  mv "$work/duckdb/src/include" "$work/headers/include"
  mv "$work"/vendor/simdjson-sys/vendor/simdjson/{simdjson.h,simdjson.cpp,LICENSE} "$work/simdjson/"
  publish_part duckdb-headers "$work/headers"
  publish_part simdjson "$work/simdjson"
  rm -rf "$work"
}

main() {
  [[ $(uname -m) == x86_64 ]] || die "the pinned libraries are built for x86_64"
  mkdir -p "$prefix"
  # Two callers at once would unpack into each other; the second waits and finds nothing to do.
  exec 9>"$third_party/setup.lock"
  flock 9
  debian_packages
  local names=() pids=() failed=()
  start() { "$2" & names+=("$1") pids+=($!); }
  if part_is_stale arrow; then start arrow arrow_part; fi
  if part_is_stale duckdb-library || part_is_stale rdkafka; then start npm npm_parts; fi
  if part_is_stale duckdb-headers || part_is_stale simdjson; then start cargo cargo_parts; fi
  local i
  for i in "${!pids[@]}"; do
    wait "${pids[i]}" || failed+=("${names[i]}")
  done
  [[ ${#pids[@]} -eq 0 ]] || rm -rf "$prefix"/.staging.*
  [[ ${#failed[@]} -eq 0 ]] || die "setup failed for: ${failed[*]}"
}

main
