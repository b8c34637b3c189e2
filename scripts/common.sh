# Sourced by ./dev and the scripts beside it: paths and small helpers.
set -euo pipefail

readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly third_party="$root/third_party"
readonly prefix="$third_party/prefix"
readonly venv="$third_party/venv"

say() { printf '%s\n' "$*" >&2; }
die() { say "dev: $*"; exit 2; }

# Runs a command as root: directly, or through sudo for other users.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root or sudo is needed to run: $*"
  fi
}

# Prints the packages among "$@" that dpkg does not have installed.
missing_packages() {
  local installed package
  installed=" $(dpkg-query -W -f='${db:Status-Status}=${Package} ' "$@" 2>/dev/null || true)"
  for package in "$@"; do
    [[ $installed == *" installed=$package "* ]] || printf '%s\n' "$package"
  done
}

# Installs what is missing of "$@"; does not touch the network when nothing is.
install_packages() {
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -eq 0 ]] && return 0
  say "setup: installing Debian packages: ${missing[*]}"
  local log
  log="$(mktemp)"
  if ! { as_root apt-get update -q &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q \
           --no-install-recommends "${missing[@]}"; } </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "apt-get failed"
  fi
  rm -f "$log"
}

# Digest of stdin; the key of a stamp.
digest() { sha256sum | cut -c1-32; }

# stamp_matches FILE KEY
stamp_matches() { [[ -f $1 && $(<"$1") == "$2" ]]; }

# Makes the empty virtual environment that setup's pip and the tests share. Always with Debian's own
# Python, whatever else is on PATH: its version is known, and python3-venv brings pip.
make_venv() {
  [[ -x $venv/bin/pip ]] || /usr/bin/python3 -m venv "$venv"
}

# Brings the virtual environment to what third_party/python-tests.txt pins.
install_python_packages() {
  local pins="$third_party/python-tests.txt" key
  key="$(digest <"$pins")"
  # Two callers at once would install into each other.
  exec 7>"$third_party/venv.lock"
  flock 7
  make_venv
  if ! stamp_matches "$venv/.stamp" "$key"; then
    say "setup: installing the tests' Python packages"
    "$venv/bin/pip" install -q --disable-pip-version-check --require-hashes --no-deps \
      --only-binary :all: -r "$pins" >&2
    printf '%s' "$key" >"$venv/.stamp"
  fi
  exec 7>&-
}

# maven_jars NAME: brings third_party/services/NAME to the jars of scripts/services/NAME/pom.xml. Maven
# compares every file with the checksum the registry states; -C makes a difference fatal.
maven_jars() {
  local pom="$root/scripts/services/$1/pom.xml" jars="$third_party/services/$1" key work
  key="$(digest <"$pom")"
  mkdir -p "$third_party/services"
  # Two callers at once would fetch into the same folder.
  exec 6>"$third_party/services/$1.lock"
  flock 6
  if ! stamp_matches "$jars/.stamp" "$key"; then
    install_packages maven
    say "setup: fetching the jars of $1 from Maven Central"
    work="$(mktemp -d "$third_party/services/$1.XXXXXX")"
    if ! mvn -C -B -q -f "$pom" dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$work" >"$work/maven.log" 2>&1 </dev/null; then
      tail -n 40 "$work/maven.log" >&2
      rm -rf "$work"
      die "Maven could not fetch the jars of $1"
    fi
    rm -rf "$jars"
    mv "$work" "$jars"
    printf '%s' "$key" >"$jars/.stamp"
  fi
  exec 6>&-
}

# PySpark of third_party/spark.txt into the virtual environment, and the jars it needs.
install_spark() {
  local pins="$third_party/spark.txt" key
  key="$(digest <"$pins")"
  install_packages openjdk-17-jre-headless
  maven_jars spark
  exec 7>"$third_party/venv.lock"
  flock 7
  make_venv
  if ! stamp_matches "$venv/.spark-stamp" "$key"; then
    say "setup: installing PySpark"
    # Without isolation it is packed by the environment's own setuptools: nothing unpinned is fetched.
    "$venv/bin/pip" install -qq --disable-pip-version-check --require-hashes --no-deps \
      --no-build-isolation -r "$pins" >&2
    printf '%s' "$key" >"$venv/.spark-stamp"
  fi
  exec 7>&-
}
