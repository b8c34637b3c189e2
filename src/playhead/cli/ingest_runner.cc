#include "playhead/cli/ingest_runner.h"

#include "playhead/base/logging.h"
#include "playhead/cli/journal_floor.h"
#include "playhead/cli/log_reader.h"
#include "playhead/ingest/landing.h"
#include "playhead/ingest/log_ingest.h"

#include <algorithm>

namespace playhead::cli {
namespace {

constexpr int64_t kStreamRestartMicros = 5'000'000;

}  // namespace

IngestRunner::IngestRunner(const config::ResolvedConfig& config, WritableWarehouse& warehouse,
                           IngestRunnerOptions options)
    : config_(config), warehouse_(warehouse), options_(options) {}

IngestRunner::~IngestRunner() {
  Stop();
  threads_.clear();
}

void IngestRunner::Start() {
  for (const auto& [stream, why] : warehouse_.refused()) Report(stream, why);
  for (const ingest::IngestStream& stream : warehouse_.streams()) {
    if (stream.declaration->topic.empty() || options_.landing_dates) continue;
    threads_.emplace_back([this, &stream](std::stop_token stop) { RunStream(stream, stop); });
  }
  const bool has_landing = std::ranges::any_of(
      warehouse_.streams(), [](const auto& s) { return !s.declaration->landing.empty(); });
  if (has_landing) {
    threads_.emplace_back([this](std::stop_token stop) { RunLanding(stop); });
  }
}

void IngestRunner::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
}

Status IngestRunner::Join() {
  for (std::jthread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
  const std::lock_guard lock(mutex_);
  Status stopped;
  for (const auto& [stream, why] : failures_) {
    if (why.code() != StatusCode::kCancelled) return why.WithContext(stream);
    stopped = why;
  }
  // A commit that waits is no failure of its stream, but its records or files are not in the table.
  for (const ingest::StreamState& state : warehouse_.board().States()) {
    if (state.held_by.empty()) continue;
    return Error(StatusCode::kUnavailable, "{}: {}", state.summary.stream, state.held_by);
  }
  return stopped;
}

void IngestRunner::Report(const std::string& stream, const Status& status) {
  const bool is_stop = status.code() == StatusCode::kCancelled;
  if (!is_stop) warehouse_.board().Hold(stream, status.ToString());
  const std::lock_guard lock(mutex_);
  Status& last = failures_[stream];
  // A stream that is tried again and again says the same only once.
  const bool is_known = last.message() == status.message();
  last = status;
  if (is_known || is_stop) return;
  logging::Error("ingest", "stream stopped", {{"stream", stream}, {"why", status.ToString()}});
}

void IngestRunner::Settled(const std::string& stream, const Status& refusal) {
  const std::lock_guard lock(mutex_);
  failures_.erase(stream);
  // Said where it was refused; the other files are in.
  if (!refusal.ok()) failures_[stream] = refusal;
}

void IngestRunner::RunStream(const ingest::IngestStream& stream, std::stop_token stop) {
  while (true) {
    Status status;
    auto reader = OpenLogReader(config_, stream.declaration->topic);
    if (!reader.ok()) {
      status = reader.error();
    } else if (Status ensured = warehouse_.EnsureTables(stream); !ensured.ok()) {
      status = std::move(ensured);
    } else {
      ingest::LogIngest ingest(warehouse_.lake(), stream, **reader,
                               {.limits = EpochLimitsOf(config_),
                                .once = options_.once,
                                .accept_gap = options_.accept_gap,
                                .declared_topics = DeclaredTopics(config_)});
      status = ingest.Run(stop);
    }
    if (status.ok()) return Settled(stream.name, {});
    Report(stream.name, status);
    // A stopped partition needs a person; anything else may be mended from outside meanwhile.
    if (options_.once || status.code() == StatusCode::kDataCorrupt) return;
    if (!ingest::SleepUnlessStopped(stop, kStreamRestartMicros)) return;
  }
}

void IngestRunner::RunLanding(std::stop_token stop) {
  while (true) {
    ingest::LandingIngest landing(warehouse_.lake(), config_.landing_folder, warehouse_.streams(),
                                  {.still_us = config_.settings.Integer("landing_rest_ms") * 1000,
                                   .once = options_.once,
                                   .poll_us = config_.settings.Integer("landing_poll_ms") * 1000,
                                   .dates = options_.landing_dates.value_or(ingest::DateRange()),
                                   .progress = {},
                                   .ready = [this](const ingest::IngestStream& stream) {
                                     const auto refused = warehouse_.refused().find(stream.name);
                                     return refused == warehouse_.refused().end() ? Status()
                                                                                  : refused->second;
                                   }});
    const Status status = landing.Run(stop);
    if (status.ok()) return Settled("landing", landing.first_refusal());
    Report("landing", status);
    if (options_.once || !ingest::SleepUnlessStopped(stop, kStreamRestartMicros)) return;
  }
}

}  // namespace playhead::cli
