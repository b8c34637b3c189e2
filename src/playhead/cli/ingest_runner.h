#pragma once

#include "playhead/cli/warehouse.h"
#include "playhead/config/config.h"
#include "playhead/ingest/landing_scan.h"
#include "playhead/log/log.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

namespace playhead::cli {

struct IngestRunnerOptions {
  bool once = false;
  bool accept_gap = false;
  /// Set: only landing files of these ingestion dates are taken, and no log is read.
  std::optional<ingest::DateRange> landing_dates;
};

/// Ingest of a whole project: one thread for each stream that has a log, one for the landing
/// folder. A stream that cannot go on is logged and held; the others are not stopped.
class IngestRunner {
 public:
  IngestRunner(const config::ResolvedConfig& config, WritableWarehouse& warehouse,
               IngestRunnerOptions options);
  ~IngestRunner();

  void Start();
  /// Asks all threads to finish their epochs.
  void Stop();
  /// Waits for all threads. What has failed and not recovered, or is held: the first of it.
  /// kCancelled (`once`: stopped before the end).
  Status Join();

 private:
  void Report(const std::string& stream, const Status& status);
  /// It ended or recovered; `refusal` is what is left of it, if anything.
  void Settled(const std::string& stream, const Status& refusal);
  void RunStream(const ingest::IngestStream& stream, std::stop_token stop);
  void RunLanding(std::stop_token stop);

  const config::ResolvedConfig& config_;
  WritableWarehouse& warehouse_;
  IngestRunnerOptions options_;
  std::vector<std::jthread> threads_;
  std::mutex mutex_;
  std::map<std::string, Status> failures_;  // by stream: what it was stopped by last
};

}  // namespace playhead::cli
