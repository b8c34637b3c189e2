#!/usr/bin/env bash
# services.sh start|stop|status NAME: hands the verb to scripts/services/NAME.sh.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

readonly services="$root/scripts/services"

available() {
  local names
  names="$(cd "$services" 2>/dev/null && shopt -s nullglob && for file in *.sh; do
    printf '%s ' "${file%.sh}"
  done)" || true
  printf '%s' "${names:-none}"
}

[[ $# -eq 2 ]] || die "usage: ./dev services start|stop|status NAME (available: $(available))"
verb="$1"
name="$2"
case "$verb" in
  start|stop|status) ;;
  *) die "services: unknown verb '$verb'; there are start, stop and status" ;;
esac
[[ $name =~ ^[a-z0-9-]+$ && -f $services/$name.sh ]] ||
  die "services: no service '$name' (available: $(available))"
exec bash "$services/$name.sh" "$verb"
