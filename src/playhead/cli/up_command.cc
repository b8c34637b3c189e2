#include "playhead/cli/up_command.h"

#include "playhead/base/logging.h"
#include "playhead/base/metrics.h"
#include "playhead/base/stop_signal.h"
#include "playhead/cli/ingest_runner.h"
#include "playhead/cli/output.h"
#include "playhead/cli/summary.h"
#include "playhead/cli/warehouse.h"
#include "playhead/config/config.h"
#include "playhead/ingest/lake.h"
#include "playhead/log/journal.h"
#include "playhead/log/kafka_journal.h"
#include "playhead/server/collector.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

/// Where `/readyz` says what keeps ingest from starting.
constexpr const char* kWarehouse = "warehouse";
constexpr int64_t kWarehouseRetryMicros = 5'000'000;

/// The journal and the collector that writes it; ended in the order that loses nothing.
struct Intake {
  std::unique_ptr<log::Journal> journal;
  std::unique_ptr<server::Collector> collector;

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
  return log::Journal::Open(config.journal_folder, SystemClock(), options);
}

Result<Intake> StartIntake(const config::ResolvedConfig& config, Metrics& metrics,
                           const ingest::StatusBoard* board) {
  Intake intake;
  PH_ASSIGN_OR_RETURN(intake.journal, OpenJournal(config, metrics));
  std::vector<server::CollectorStream> streams;
  for (const project::Stream& declaration : config.project.streams) {
    if (declaration.topic.empty()) continue;
    const ingest::IngestStream stream = ingest::MakeIngestStream(declaration);
    streams.push_back(
        {.name = stream.name, .topic = declaration.topic, .schema = stream.row_schema});
  }
  server::CollectorOptions options = config::CollectorOptionsOf(config);
  if (board != nullptr) {
    options.readiness_checks.push_back({.name = "ingest", .check = [board]() -> Status {
                                          for (const ingest::StreamState& state : board->States()) {
                                            if (state.held_by.empty()) continue;
                                            return Error(StatusCode::kUnavailable, "{}: {}",
                                                         state.summary.stream, state.held_by);
                                          }
                                          return {};
                                        }});
  }
  PH_ASSIGN_OR_RETURN(intake.collector,
                      server::Collector::Start(std::move(streams), *intake.journal, SystemClock(),
                                               metrics, std::move(options)));
  logging::Info("collector", fmt::format("listening on http://{}", intake.collector->address()));
  return intake;
}

using Warehouse = std::unique_ptr<WritableWarehouse>;

/// A warehouse that cannot be opened keeps no event out: it is tried again, and `/readyz` says why.
bool MayOpenLater(const Result<Warehouse>& warehouse) {
  return !warehouse.ok() && warehouse.error().code() != StatusCode::kAlreadyExists;
}

Result<Warehouse> OpenLater(const config::ResolvedConfig& config, ingest::StatusBoard& board,
                            Result<Warehouse> warehouse, const std::stop_token& stop) {
  std::string reported;
  while (MayOpenLater(warehouse)) {
    const std::string why = warehouse.error().ToString();
    board.Hold(kWarehouse, why);
    if (why != reported) {
      logging::Error("up", "events are taken in, but cannot be ingested", {{"why", why}});
    }
    reported = why;
    if (!ingest::SleepUnlessStopped(stop, kWarehouseRetryMicros)) return warehouse;
    warehouse = WritableWarehouse::Open(config, board);
  }
  if (warehouse.ok() && !reported.empty()) board.Hold(kWarehouse, "");
  return warehouse;
}

int RunUp(const config::ResolvedConfig& config) {
  const StopSignal signal;
  Metrics metrics;
  ingest::StatusBoard board(&metrics);
  Result<Warehouse> warehouse = WritableWarehouse::Open(config, board);
  if (!warehouse.ok() && !MayOpenLater(warehouse)) return Fail(warehouse.error());
  Result<Intake> intake = StartIntake(config, metrics, &board);
  if (!intake.ok()) return Fail(intake.error());
  warehouse = OpenLater(config, board, std::move(warehouse), signal.token());
  if (!warehouse.ok()) return Fail(warehouse.error());
  IngestRunner runner(config, **warehouse, {});
  runner.Start();
  signal.Wait();
  logging::Info("up", "stopping: the open epoch is finished first");
  // Nothing new comes in, then what is in the journal's open epochs is committed.
  intake->collector->Stop();
  runner.Stop();
  const Status done = runner.Join();
  intake->Stop();
  const Status printed = PrintSummary(board.States(), {});
  if (!done.ok()) return Fail(done);
  return printed.ok() ? kExitDone : Fail(printed);
}

int RunCollect(const config::ResolvedConfig& config) {
  const StopSignal signal;
  Metrics metrics;
  Result<Intake> intake = StartIntake(config, metrics, nullptr);
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
  line.AddSettingFlag(up, "--listen", "listen");
  line.AddSettingFlag(up, "--epoch-interval-ms", "epoch.interval_ms");
  line.OnRun(up, RunUp);
  CLI::App& collect = line.Add("collect", "Runs the collector alone, until SIGTERM",
                               "playhead collect --listen 127.0.0.1:8090");
  line.AddSettingFlag(collect, "--listen", "listen");
  line.OnRun(collect, RunCollect);
}

}  // namespace playhead::cli
