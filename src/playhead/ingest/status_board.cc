#include "playhead/ingest/status_board.h"

#include <utility>

namespace playhead::ingest {

void StatusBoard::Add(const StreamSummary& delta) {
  if (metrics_ != nullptr) {
    metrics_->Add(Metric::kIngestRecords, static_cast<double>(delta.good), {delta.stream, "good"});
    metrics_->Add(Metric::kIngestRecords, static_cast<double>(delta.dead), {delta.stream, "dead"});
    metrics_->Add(Metric::kIngestRecords, static_cast<double>(delta.skipped),
                  {delta.stream, "skipped"});
    for (const auto& [reason, count] : delta.dead_by_reason) {
      metrics_->Add(Metric::kIngestDeadRecords, static_cast<double>(count), {delta.stream, reason});
    }
    metrics_->Add(Metric::kIngestCommits, static_cast<double>(delta.commits), {delta.stream});
  }
  const std::lock_guard lock(mutex_);
  StreamSummary& sum = states_[delta.stream].summary;
  sum.stream = delta.stream;
  sum.read += delta.read;
  sum.good += delta.good;
  sum.dead += delta.dead;
  sum.skipped += delta.skipped;
  sum.files += delta.files;
  sum.bytes += delta.bytes;
  sum.seconds += delta.seconds;
  sum.commits += delta.commits;
  for (const auto& [reason, count] : delta.dead_by_reason) sum.dead_by_reason[reason] += count;
}

void StatusBoard::Hold(const std::string& stream, std::string held_by) {
  if (metrics_ != nullptr) {
    metrics_->Set(Metric::kIngestHeld, held_by.empty() ? 0 : 1, {stream});
  }
  const std::lock_guard lock(mutex_);
  StreamState& state = states_[stream];
  state.summary.stream = stream;
  state.held_by = std::move(held_by);
}

void StatusBoard::SetLag(const std::string& stream, int64_t records) {
  const std::lock_guard lock(mutex_);
  StreamState& state = states_[stream];
  state.summary.stream = stream;
  state.lag = records;
}

std::vector<StreamState> StatusBoard::States() const {
  const std::lock_guard lock(mutex_);
  std::vector<StreamState> states;
  states.reserve(states_.size());
  for (const auto& [name, state] : states_) states.push_back(state);
  return states;
}

}  // namespace playhead::ingest
