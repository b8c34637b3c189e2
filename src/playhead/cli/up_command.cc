#include "playhead/cli/up_command.h"

#include "playhead/base/logging.h"
#include "playhead/base/metrics.h"
#include "playhead/base/stop_signal.h"
#include "playhead/base/thread_annotations.h"
#include "playhead/cli/ingest_runner.h"
#include "playhead/cli/journal_floor.h"
#include "playhead/cli/live_status.h"
#include "playhead/cli/output.h"
#include "playhead/cli/summary.h"
#include "playhead/cli/warehouse.h"
#include "playhead/collector/collector.h"
#include "playhead/config/config.h"
#include "playhead/ingest/lake.h"
#include "playhead/log/journal.h"
#include "playhead/log/kafka_journal.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::cli {
namespace {

constexpr int64_t kFirstPauseMicros = 500'000;
constexpr int64_t kLongestPauseMicros = 15'000'000;

/// The journal and the collector that writes it; ended in the order that loses nothing.
struct Intake {
  std::unique_ptr<log::Journal> journal;
  std::unique_ptr<collector::Collector> collector;

  Intake() = default;
  Intake(Intake&&) = default;
  ~Intake() { Stop(); }
  void Stop() {
    if (collector != nullptr) collector->Stop();
    if (journal != nullptr) journal->Close();
  }
};

Result<std::unique_ptr<log::Journal>> OpenJournal(const config::ResolvedConfig& config,
                                                  Metrics& metrics) {
  if (config.target.log_type == "kafka") {
    return log::OpenKafkaJournal(config.target.kafka_properties, {.metrics = &metrics});
  }
  log::JournalOptions options = config::JournalOptionsOf(config);
  options.metrics = &metrics;
  options.committed = [&config](const std::string& journal_id) {
    return CommittedOffsets(config, journal_id);
  };
  return log::Journal::Open(config.journal_folder, SystemClock(), options);
}

/// The first stream that is held, and by what.
Status StreamsMove(const ingest::StatusBoard& board) {
  for (const ingest::StreamState& state : board.States()) {
    if (state.held_by.empty()) continue;
    return Error(StatusCode::kUnavailable, "{}: {}", state.summary.stream, state.held_by);
  }
  return {};
}

Result<Intake> StartIntake(const config::ResolvedConfig& config, Metrics& metrics,
                           std::vector<collector::ReadinessCheck> checks) {
  Intake intake;
  PH_ASSIGN_OR_RETURN(intake.journal, OpenJournal(config, metrics));
  std::vector<collector::CollectorStream> streams;
  for (const project::Stream& declaration : config.project.streams) {
    if (declaration.topic.empty()) continue;
    const ingest::IngestStream stream = ingest::MakeIngestStream(declaration);
    streams.push_back(
        {.name = stream.name, .topic = declaration.topic, .schema = stream.row_schema});
  }
  collector::CollectorOptions options = config::CollectorOptionsOf(config);
  for (collector::ReadinessCheck& check : checks) {
    options.readiness_checks.push_back(std::move(check));
  }
  PH_ASSIGN_OR_RETURN(intake.collector,
                      collector::Collector::Start(std::move(streams), *intake.journal,
                                                  SystemClock(), metrics, std::move(options)));
  logging::Info("collector", fmt::format("listening on http://{}", intake.collector->address()));
  return intake;
}

/// Why ingest has not begun, until it has. Threads: any.
class NotBegun {
 public:
  void Set(Status why) {
    const std::lock_guard lock(mutex_);
    why_ = std::move(why);
  }
  Status Get() const {
    const std::lock_guard lock(mutex_);
    return why_;
  }

 private:
  mutable std::mutex mutex_;
  Status why_ PH_GUARDED_BY(mutex_) = Error(StatusCode::kUnavailable, "ingest has not begun yet");
};

/// A warehouse that cannot be opened keeps no event out: it is tried again, with growing pauses,
/// until it can or the process is stopped.
Result<std::unique_ptr<WritableWarehouse>> OpenWarehouse(const config::ResolvedConfig& config,
                                                         ingest::StatusBoard& board,
                                                         NotBegun& not_begun,
                                                         const std::stop_token& stop) {
  for (int64_t pause_us = kFirstPauseMicros;;
       pause_us = std::min(pause_us * 2, kLongestPauseMicros)) {
    auto warehouse = WritableWarehouse::Open(config, board);
    not_begun.Set(warehouse.ok() ? Status() : warehouse.error());
    if (warehouse.ok()) return warehouse;
    logging::Error("up", "ingest does not run, events are taken all the same",
                   {{"why", warehouse.error().ToString()}, {"again_in_ms", pause_us / 1000}});
    if (!ingest::SleepUnlessStopped(stop, pause_us)) return warehouse;
  }
}

int RunUp(const config::ResolvedConfig& config) {
  const StopSignal signal;
  Metrics metrics;
  ingest::StatusBoard board(&metrics);
  NotBegun not_begun;
  Result<Intake> intake =
      StartIntake(config, metrics,
                  {{.name = "ingest", .check = [&not_begun] { return not_begun.Get(); }},
                   {.name = "ingest", .check = [&board] { return StreamsMove(board); }}});
  if (!intake.ok()) return Fail(intake.error());
  std::optional<LiveStatus> live(std::in_place, board);
  auto warehouse = OpenWarehouse(config, board, not_begun, signal.token());
  if (!warehouse.ok()) {
    live.reset();
    intake->Stop();
    return Fail(warehouse.error());
  }
  IngestRunner runner(config, **warehouse, {});
  runner.Start();
  logging::Info("up", "ingest runs");
  signal.Wait();
  logging::Info("up", "stopping: the open epoch is finished first");
  // Nothing new comes in, then what is in the journal's open epochs is committed.
  intake->collector->Stop();
  runner.Stop();
  const Status done = runner.Join();
  intake->Stop();
  live.reset();
  const Status printed = PrintSummary(board.States(), {});
  if (!done.ok()) return Fail(done);
  return printed.ok() ? kExitDone : Fail(printed);
}

int RunCollect(const config::ResolvedConfig& config) {
  const StopSignal signal;
  Metrics metrics;
  Result<Intake> intake = StartIntake(config, metrics, {});
  if (!intake.ok()) return Fail(intake.error());
  signal.Wait();
  logging::Info("collector", "stopping");
  intake->Stop();
  return kExitDone;
}

}  // namespace

void AddUpCommand(CommandLine& line) {
  CLI::App& up = line.Add("up", "Runs the collector and ingest in one process, until SIGTERM",
                          "playhead up --listen 127.0.0.1:8090");
  line.AddSettingFlag(up, "listen");
  line.AddSettingFlag(up, "epoch.interval_ms");
  line.OnRun(up, RunUp);
  CLI::App& collect = line.Add("collect", "Runs the collector alone, until SIGTERM",
                               "playhead collect --listen 127.0.0.1:8090");
  line.AddSettingFlag(collect, "listen");
  line.OnRun(collect, RunCollect);
}

}  // namespace playhead::cli
