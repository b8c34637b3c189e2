# kafka.sh start|stop|status: a Kafka broker (KRaft, one node) that listens on 127.0.0.1 only.
#
# Settings, as environment variables:
#   KAFKA_PORT             where clients connect; default 9092. Brokers of several ports run side by side.
#   KAFKA_CONTROLLER_PORT  default KAFKA_PORT + 1
#   KAFKA_HEAP             the JVM's -Xmx; default 1g
#   KAFKA_PROPERTIES       a file of more broker settings; they go over those of this script
# Its files are below build/services/kafka/<KAFKA_PORT>/; remove that folder to start empty.
source "$(dirname "${BASH_SOURCE[0]}")/../common.sh"

readonly port="${KAFKA_PORT:-9092}"
readonly controller_port="${KAFKA_CONTROLLER_PORT:-$((port + 1))}"
readonly heap="${KAFKA_HEAP:-1g}"
readonly config="$root/scripts/services/kafka"
readonly libs="$third_party/services/kafka"
readonly folder="$root/build/services/kafka/$port"
readonly pid_file="$folder/kafka.pid"
readonly log="$folder/kafka.log"
readonly start_seconds_max=60

# Prints the pid when it is a broker's: after a reboot the number may be another process's.
running_pid() {
  local pid
  pid="$(cat "$pid_file" 2>/dev/null)" || return 1
  [[ $pid =~ ^[0-9]+$ && -r /proc/$pid/cmdline ]] || return 1
  tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF "kafka.Kafka $folder/server.properties" || return 1
  printf '%s' "$pid"
}

is_listening() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

# java_kafka MAIN_CLASS ARGUMENT…
java_kafka() {
  java -Dlog4j2.configurationFile="$config/log4j2.properties" -cp "$libs/*" "$@"
}

format() {
  local id
  id="$(java_kafka kafka.tools.StorageTool random-uuid 2>>"$log" | tail -n 1)"
  java_kafka kafka.tools.StorageTool format --standalone -t "$id" \
    -c "$folder/server.properties" >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "services: the broker's storage could not be made"; }
}

start() {
  local pid deadline
  if pid="$(running_pid)"; then
    say "services: kafka already runs: port=$port pid=$pid"
    return 0
  fi
  ! is_listening || die "services: port $port is taken by another program; set KAFKA_PORT"
  install_packages openjdk-17-jre-headless
  maven_jars kafka
  mkdir -p "$folder"
  : >"$log"
  sed -e "s|@PORT@|$port|g" -e "s|@CONTROLLER_PORT@|$controller_port|g" \
    -e "s|@DATA@|$folder/data|g" "$config/server.properties.in" >"$folder/server.properties"
  # Of two lines for one setting the later one counts.
  [[ -z ${KAFKA_PROPERTIES:-} ]] || cat "$KAFKA_PROPERTIES" >>"$folder/server.properties"
  [[ -f $folder/data/meta.properties ]] || format
  # In a session of its own, so that Ctrl-C in the caller's terminal does not end it.
  setsid java -Xms256m -Xmx"$heap" -XX:+UseG1GC -Djava.net.preferIPv4Stack=true \
    -Dkafka.logs.dir="$folder" -Dlog4j2.configurationFile="$config/log4j2.properties" \
    -cp "$libs/*" kafka.Kafka "$folder/server.properties" </dev/null >>"$log" 2>&1 &
  pid=$!
  printf '%s\n' "$pid" >"$pid_file"
  deadline=$((SECONDS + start_seconds_max))
  # The port opens before the broker knows itself to be registered; the log line comes after both.
  until grep -q 'Kafka Server started' "$log" && is_listening; do
    kill -0 "$pid" 2>/dev/null || { tail -n 30 "$log" >&2; die "services: kafka ended; see $log"; }
    ((SECONDS < deadline)) || { stop; die "services: kafka did not start in $start_seconds_max s; see $log"; }
    sleep 0.2
  done
  say "services: kafka is ready: bootstrap.servers=127.0.0.1:$port pid=$pid"
}

stop() {
  local pid
  if ! pid="$(running_pid)"; then
    say "services: kafka does not run: port=$port"
    rm -f "$pid_file"
    return 0
  fi
  kill "$pid"
  for _ in {1..100}; do
    kill -0 "$pid" 2>/dev/null || { rm -f "$pid_file"; say "services: kafka stopped: port=$port"; return 0; }
    sleep 0.2
  done
  kill -9 "$pid"
  rm -f "$pid_file"
  say "services: kafka was killed: it did not stop in 20 s"
}

status() {
  local pid
  if pid="$(running_pid)" && is_listening; then
    say "services: kafka runs: bootstrap.servers=127.0.0.1:$port pid=$pid"
  else
    say "services: kafka does not run: port=$port"
    return 1
  fi
}

case "${1:-}" in
  start|stop|status) "$1" ;;
  *) die "usage: ./dev services start|stop|status kafka" ;;
esac
