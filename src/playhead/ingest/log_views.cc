#include "playhead/ingest/log_views.h"

#include <algorithm>

namespace playhead::ingest {
namespace {

constexpr int kReadWaitMs = 2000;
constexpr int64_t kReadBytes = 8LL << 20;
constexpr size_t kUuidLength = 36;

}  // namespace

const OffsetRange* LogView::Find(const LogPartition& partition) const {
  const auto found = bounds.find(partition);
  return found == bounds.end() ? nullptr : &found->second;
}

LogView& LogViews::LookAt(const std::string& topic) {
  LogView& view = views_[topic];
  view.failure = {};
  if (view.reader == nullptr) {
    auto reader = open_(topic);
    if (!reader.ok()) {
      view.failure = reader.status();
      return view;
    }
    view.reader = *std::move(reader);
  }
  const auto partitions = view.reader->Partitions();
  if (!partitions.ok()) {
    // A topic that nobody has written to.
    if (partitions.status().code() != StatusCode::kNotFound) view.failure = partitions.status();
    return view;
  }
  for (const LogPartition& partition : *partitions) {
    const Result<OffsetRange> bounds = view.reader->Bounds(partition);
    if (!bounds.ok()) {
      view.failure = bounds.status();
      continue;
    }
    view.bounds.try_emplace(partition, *bounds).first->second.end = bounds->end;
  }
  return view;
}

void LogViews::LookAgain() {
  for (const auto& [topic, view] : views_) LookAt(topic);
}

LogView& LogViews::Of(const std::string& topic) {
  const auto found = views_.find(topic);
  return found == views_.end() ? LookAt(topic) : found->second;
}

Result<std::vector<LostOffsets>> FindLostOffsets(log::LogReader& reader,
                                                 const LogPartition& partition, int64_t from,
                                                 int64_t end) {
  std::vector<LostOffsets> lost;
  // It may have been trimmed since it was looked at.
  PH_ASSIGN_OR_RETURN(const OffsetRange kept, reader.Bounds(partition));
  int64_t next = std::max(from, kept.begin);
  if (next < end) PH_RETURN_IF_ERROR(reader.Seek(partition, next));
  while (next < end) {
    PH_ASSIGN_OR_RETURN(const log::LogBatch* batch, reader.Read(kReadWaitMs, kReadBytes));
    if (batch == nullptr) {
      return Error(StatusCode::kUnavailable, "offset {} could not be read", next);
    }
    next = batch->next_offset;
    if (batch->damage.empty()) continue;
    lost.push_back({.range = {.begin = batch->begin, .end = next}, .why = batch->damage});
    if (next < end) PH_RETURN_IF_ERROR(reader.Seek(partition, next));
  }
  return lost;
}

std::optional<std::string> JournalTopicOf(const LogId& log_id) {
  if (log_id.size() < kUuidLength + 2 || log_id[kUuidLength] != '/') return std::nullopt;
  for (size_t i = 0; i < kUuidLength; ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = log_id[i];
    const bool is_digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (is_dash ? c != '-' : !is_digit) return std::nullopt;
  }
  return log_id.substr(kUuidLength + 1);
}

}  // namespace playhead::ingest
