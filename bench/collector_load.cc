// Load on a collector: durable events per second in batches of 500, and the latency of single
// events at a steady 1,000 a second. Without arguments it runs its own collector with a stream like
// `media_events` on an ephemeral port; with `--port N --stream NAME` it loads one that runs
// already. Clients, collector and journal share the machine's cores.
//
// The limit on paper: a durable answer waits for one fsync; a batch of 250 kB is parsed once by the
// stream's decoder (about 1 GB/s a core) and written twice (WAL, segment).

#include "playhead/base/uuid.h"
#include "playhead/collector/collector.h"
#include "playhead/http/raw_http_client.h"
#include "playhead/log/journal.h"

#include <arrow/api.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace playhead {
namespace {

namespace fs = std::filesystem;
using std::chrono::duration;
using std::chrono::steady_clock;

constexpr int kRuns = 5;
constexpr int kBatchRecords = 500;
constexpr int kBodies = 32;
constexpr int kBatchClients = 8;
constexpr int kSingleClients = 16;
constexpr int kSinglesPerSecond = 1'000;
constexpr std::chrono::seconds kRunTime(5);
constexpr std::chrono::seconds kWarmUp(2);

std::shared_ptr<const decode::RowSchema> MediaEventsSchema() {
  auto schema = std::make_shared<decode::RowSchema>();
  const auto add = [&](std::string name, std::shared_ptr<arrow::DataType> type, bool required) {
    schema->columns.push_back({.name = std::move(name),
                               .type = std::move(type),
                               .is_required = required,
                               .accepted_values = {}});
  };
  for (const char* name : {"event_id", "event_type"}) add(name, arrow::utf8(), true);
  add("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), true);
  for (const char* name : {"user_id", "device_id", "session_id", "ip_address", "content_id",
                           "content_type", "title"}) {
    add(name, arrow::utf8(), false);
  }
  add("genre", arrow::list(arrow::utf8()), false);
  add("duration_seconds", arrow::int64(), false);
  add("language", arrow::utf8(), false);
  add("current_timestamp", arrow::float64(), false);
  for (const char* name : {"schema_version", "event_source"}) add(name, arrow::utf8(), false);
  schema->partition_by = {{"event_type", PartitionTransform::kIdentity, "event_type"},
                          {"timestamp", PartitionTransform::kDay, "date"}};
  schema->event_time_column = "timestamp";
  return schema;
}

// An invented viewer's event of about 0.5 kB, on one line.
std::string Event(unsigned& state) {
  const auto next = [&] { return state = state * 1664525U + 1013904223U; };
  static constexpr std::array<const char*, 3> kTypes = {"play", "pause", "stop"};
  const time_t now = time(nullptr);
  char at[32];
  std::strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", std::gmtime(&now));
  return fmt::format(
      R"({{"event_id":"{:08x}-0000-4000-8000-{:012x}","event_type":"{}","timestamp":"{}.{:03}Z",)"
      R"("user_id":"user-{:06}","device_id":"device-{:08x}","session_id":"session-{:08x}",)"
      R"("ip_address":"10.0.{}.{}","content_id":"content-{:04}","content_type":"movie",)"
      R"("title":"The Lighthouse Keeper's Holiday {}","genre":["drama","comedy"],)"
      R"("duration_seconds":{},"language":"en","current_timestamp":{}.{},"schema_version":"1.0",)"
      R"("event_source":"smart_tv"}})"
      "\n",
      next(), next(), kTypes[next() / 7 % 3], at, next() % 1000, next() % 1'000'000, next(), next(),
      next() % 256, next() % 256, next() % 5000, next() % 5000, 3600 + next() % 7200, next() % 7200,
      next() % 1000);
}

struct Target {
  int port = 0;
  std::string path;
};

std::string Request(const Target& target, const std::string& body) {
  return fmt::format(
      "POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
      "Content-Length: {}\r\n\r\n{}",
      target.path, body.size(), body);
}

// Sends a request and waits for its 200; anything else ends the benchmark.
void Exchange(http::RawHttpClient& client, const std::string& request) {
  client.Send(request);
  const auto answer = client.Receive();
  if (answer && answer->status == 200) return;
  std::fprintf(stderr, "collector_load: %s\n", answer ? answer->body.c_str() : "connection lost");
  std::exit(2);
}

double Percentile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto index = std::min(values.size() - 1, static_cast<size_t>(share * values.size()));
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(index), values.end());
  return values[index];
}

struct Measured {
  int64_t requests = 0;
  int64_t bytes = 0;
  double seconds = 0;
  std::vector<double> latencies_ms;
};

void Print(const char* name, int run, Measured& measured, int records_per_request) {
  const double events = static_cast<double>(measured.requests) * records_per_request;
  std::printf(
      "%-14s run %d  %9.0f events/s  %7.1f MB/s  p50 %6.2f ms  p99 %6.2f ms  max %7.2f ms\n", name,
      run, events / measured.seconds, static_cast<double>(measured.bytes) / 1e6 / measured.seconds,
      Percentile(measured.latencies_ms, 0.5), Percentile(measured.latencies_ms, 0.99),
      Percentile(measured.latencies_ms, 1));
  std::fflush(stdout);
}

// One client of a run: its connection and what it measured.
class Client {
 public:
  explicit Client(int port) : connection_(port) {}

  // Latency counts from `from`.
  void Send(const std::string& request, steady_clock::time_point from) {
    Exchange(connection_, request);
    measured_.latencies_ms.push_back(
        duration<double, std::milli>(steady_clock::now() - from).count());
    ++measured_.requests;
    measured_.bytes += static_cast<int64_t>(request.size());
  }
  const Measured& measured() const { return measured_; }

 private:
  http::RawHttpClient connection_;
  Measured measured_;
};

// Runs `work(client, number, began)` for each client on a thread of its own; their sum.
template <typename Work>
Measured RunClients(const Target& target, int clients, const Work& work) {
  Measured total;
  std::mutex mutex;
  const auto began = steady_clock::now();
  {
    std::vector<std::jthread> threads;
    for (int number = 0; number < clients; ++number) {
      threads.emplace_back([&, number] {
        Client client(target.port);
        work(client, number, began);
        const Measured& own = client.measured();
        const std::lock_guard lock(mutex);
        total.requests += own.requests;
        total.bytes += own.bytes;
        total.latencies_ms.insert(total.latencies_ms.end(), own.latencies_ms.begin(),
                                  own.latencies_ms.end());
      });
    }
  }
  total.seconds = duration<double>(steady_clock::now() - began).count();
  return total;
}

// Each client sends its next batch as soon as the last one was answered.
Measured Batches(const Target& target, const std::vector<std::string>& requests,
                 std::chrono::seconds time) {
  return RunClients(target, kBatchClients, [&](Client& client, int number, auto began) {
    for (auto i = static_cast<size_t>(number) * 5; steady_clock::now() < began + time; ++i) {
      client.Send(requests[i % requests.size()], steady_clock::now());
    }
  });
}

// Every event has its moment; a late answer delays the next one of its client, and that counts:
// latency is from the moment the event was due.
Measured Singles(const Target& target, const std::vector<std::string>& requests,
                 std::chrono::seconds time) {
  return RunClients(target, kSingleClients, [&](Client& client, int number, auto began) {
    for (int64_t i = number; i < time.count() * kSinglesPerSecond; i += kSingleClients) {
      const auto due = began + std::chrono::microseconds(i * 1'000'000 / kSinglesPerSecond);
      std::this_thread::sleep_until(due);
      client.Send(requests[static_cast<size_t>(i) % requests.size()], due);
    }
  });
}

// What the disk itself takes: 4 kB and fsync.
void PrintFsync(const std::string& folder) {
  const std::string path = folder + "/fsync";
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  const std::string page(4096, 'p');
  std::vector<double> times_ms;
  for (int i = 0; i < 500; ++i) {
    const auto began = steady_clock::now();
    if (pwrite(fd, page.data(), page.size(), off_t{i % 64} * 4096) < 0 || fsync(fd) != 0) break;
    times_ms.push_back(duration<double, std::milli>(steady_clock::now() - began).count());
  }
  close(fd);
  fs::remove(path);
  std::printf("%-14s p50 %.2f ms  p99 %.2f ms\n", "fsync of 4 kB", Percentile(times_ms, 0.5),
              Percentile(times_ms, 0.99));
}

void Load(const Target& target) {
  unsigned state = 1;
  std::vector<std::string> batches;
  std::vector<std::string> singles;
  int64_t bytes = 0;
  for (int b = 0; b < kBodies; ++b) {
    std::string body;
    for (int i = 0; i < kBatchRecords; ++i) body += Event(state);
    bytes += static_cast<int64_t>(body.size());
    batches.push_back(Request(target, body));
    singles.push_back(Request(target, Event(state)));
  }
  std::printf("%-14s %lld bytes\n", "mean event",
              static_cast<long long>(bytes / kBodies / kBatchRecords));
  (void)Batches(target, batches, kWarmUp);
  for (int run = 1; run <= kRuns; ++run) {
    Measured measured = Batches(target, batches, kRunTime);
    Print("batches of 500", run, measured, kBatchRecords);
  }
  (void)Singles(target, singles, kWarmUp);
  for (int run = 1; run <= kRuns; ++run) {
    Measured measured = Singles(target, singles, kRunTime);
    Print("single events", run, measured, 1);
  }
}

int Main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 4 && arguments[0] == "--port" && arguments[2] == "--stream") {
    Load({.port = std::atoi(arguments[1].c_str()), .path = "/v1/events/" + arguments[3]});
    return 0;
  }
  if (!arguments.empty()) {
    std::fprintf(stderr, "usage: collector_load [--port N --stream NAME]\n");
    return 2;
  }
  const std::string folder = (fs::temp_directory_path() / NewUuid()).string();
  auto journal = *log::Journal::Open(folder, SystemClock());
  PrintFsync(folder);
  Metrics metrics;
  auto collector = *collector::Collector::Start(
      {{.name = "media_events", .topic = "media-events", .schema = MediaEventsSchema()}}, *journal,
      SystemClock(), metrics, {.listen = "127.0.0.1:0", .readiness_checks = {}});
  Load({.port = collector->port(), .path = "/v1/events/media_events"});
  collector->Stop();
  journal->Close();
  fs::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace playhead

int main(int argc, char** argv) { return playhead::Main(argc, argv); }
