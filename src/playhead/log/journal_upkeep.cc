#include "playhead/log/journal_upkeep.h"

#include "playhead/base/crash_point.h"
#include "playhead/base/logging.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace playhead::log {
namespace {

constexpr std::chrono::seconds kRound(1);
constexpr int kPassesMax = 3;
// Asking what is committed reads the catalog.
constexpr int64_t kFloorPauseMicros = 10'000'000;

}  // namespace

JournalUpkeep::JournalUpkeep(std::string folder, JournalDb db, JournalState state,
                             const Clock& clock, JournalUpkeepOptions options)
    : folder_(std::move(folder)),
      journal_id_(std::move(state.journal_id)),
      clock_(clock),
      options_(std::move(options)),
      first_segment_(state.first_segment),
      db_(std::move(db)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

JournalUpkeep::~JournalUpkeep() { Stop(); }

void JournalUpkeep::OnOldSegment(int64_t number, SegmentFacts facts) {
  const std::lock_guard lock(mutex_);
  segments_[number] = std::move(facts);
}

void JournalUpkeep::OnUnfinished(std::unique_ptr<SegmentWriter> segment) {
  const std::lock_guard lock(mutex_);
  closed_.push_back(std::move(segment));
}

void JournalUpkeep::OnNewSegment(const SegmentInfo& info, TopicOffsets bases,
                                 std::unique_ptr<SegmentWriter> closed) {
  {
    const std::lock_guard lock(mutex_);
    segments_[info.number] = {.created_at_us = info.created_at_us, .bases = std::move(bases)};
    current_ = info.number;
    bytes_since_checkpoint_ = 0;
    wants_finish_ = false;
    if (closed) closed_.push_back(std::move(closed));
  }
  wake_.notify_one();
}

void JournalUpkeep::OnCommit(int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    bytes_since_checkpoint_ += bytes;
    if (bytes_since_checkpoint_ < options_.checkpoint_bytes) return;
  }
  wake_.notify_one();
}

void JournalUpkeep::OnFinished() {
  const std::lock_guard lock(mutex_);
  bytes_since_checkpoint_ = 0;
  wants_finish_ = false;
}

void JournalUpkeep::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void JournalUpkeep::Loop(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    Round();
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, kRound, [&] {
      return !closed_.empty() ||
             (bytes_since_checkpoint_ >= options_.checkpoint_bytes && !wants_finish_);
    });
  }
  Round();
  checkpointed_.reset();
}

void JournalUpkeep::Round() {
  FinishClosedSegments();
  CheckpointCurrent();
  if (const Status status = Trim(); !status.ok()) {
    logging::Warn("log", "cannot drop old journal segments", {{"error", status.ToString()}});
  }
}

void JournalUpkeep::FinishClosedSegments() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& segment : closed_) unfinished_.push_back(std::move(segment));
    closed_.clear();
  }
  std::erase_if(unfinished_, [](const std::unique_ptr<SegmentWriter>& segment) {
    // A reader in the middle of a row makes this fail; the next round tries again.
    return segment->db().CheckpointAndTruncate().ok();
  });
}

void JournalUpkeep::CheckpointCurrent() {
  int64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (current_ == 0 || bytes_since_checkpoint_ == 0 || wants_finish_) return;
    number = current_;
    bytes_since_checkpoint_ = 0;
  }
  if (!checkpointed_ || checkpointed_->first != number) {
    checkpointed_.reset();
    Result<sqlite::Database> db = sqlite::Database::Open(
        SegmentPath(folder_, number), {.create = false, .wal_autocheckpoint_pages = 0});
    if (!db.ok()) {
      logging::Warn("log", "cannot checkpoint the journal", {{"error", db.status().ToString()}});
      return;
    }
    checkpointed_.emplace(number, *std::move(db));
  }
  sqlite::WalProgress progress;
  for (int pass = 0; pass < kPassesMax; ++pass) {
    const Result<sqlite::WalProgress> result = checkpointed_->second.Checkpoint();
    if (!result.ok()) {
      logging::Warn("log", "cannot checkpoint the journal",
                    {{"error", result.status().ToString()}});
      return;
    }
    progress = *result;
    if (progress.moved_pages == progress.pages) break;
  }
  // Even when all pages seen here are moved: an append that began before they were goes on behind
  // them, and only one that begins after the last page was moved begins the WAL anew.
  const int64_t wal_bytes = progress.pages * SegmentWriter::kPageBytes;
  if (progress.moved_pages < progress.pages || wal_bytes >= options_.checkpoint_bytes) {
    wants_finish_ = true;
  }
  if (options_.metrics != nullptr) {
    options_.metrics->Set(Metric::kLogWalBytes, static_cast<double>(wal_bytes));
  }
}

int64_t JournalUpkeep::OlderThanRetention() {
  const std::lock_guard lock(mutex_);
  int64_t keep_from = first_segment_;
  // A segment's newest record is older than the segment after it.
  for (const auto& [number, facts] : segments_) {
    if (number <= first_segment_) continue;
    if (facts.created_at_us + options_.retention_us > clock_.NowMicros()) break;
    keep_from = number;
  }
  return keep_from;
}

Result<int64_t> JournalUpkeep::NeededFrom(int64_t old_enough) {
  if (!options_.committed) return int64_t{first_segment_};
  PH_ASSIGN_OR_RETURN(const TopicOffsets committed, options_.committed(journal_id_));
  const std::lock_guard lock(mutex_);
  int64_t keep_from = first_segment_;
  // A segment's records end where the next one begins.
  for (const auto& [number, facts] : segments_) {
    if (number <= first_segment_) continue;
    const bool is_needed = std::ranges::any_of(facts.bases, [&](const auto& base) {
      const auto floor = committed.find(base.first);
      return floor != committed.end() && floor->second < base.second;
    });
    if (is_needed || number > old_enough) break;
    keep_from = number;
  }
  return keep_from;
}

Status JournalUpkeep::Trim() {
  const int64_t first = first_segment_;
  const int64_t old_enough = OlderThanRetention();
  int64_t keep_from = first;
  if (old_enough > first &&
      (!looked_ticks_ || clock_.TicksMicros() - *looked_ticks_ >= kFloorPauseMicros)) {
    const Result<int64_t> needed = NeededFrom(old_enough);
    looked_ticks_ = clock_.TicksMicros();
    const std::string refusal = needed.ok() ? "" : needed.status().message();
    if (refusal != last_refusal_ && !refusal.empty()) {
      logging::Warn("log", "old journal segments stay: what is ingested is not known",
                    {{"why", refusal}});
    }
    last_refusal_ = refusal;
    if (needed.ok()) keep_from = *needed;
  }
  if (keep_from > first) {
    CrashPoint("journal.trim");
    TopicOffsets begins;
    {
      const std::lock_guard lock(mutex_);
      begins = segments_.at(keep_from).bases;
    }
    PH_RETURN_IF_ERROR(db_.SetFirstSegment(keep_from, begins));
    first_segment_ = keep_from;
    looked_ticks_.reset();
    std::erase_if(unfinished_,
                  [&](const auto& segment) { return segment->info().number < keep_from; });
    for (int64_t number = first; number < keep_from; ++number) {
      CrashPoint("journal.trim");
      // A file that cannot be removed now is removed at the next start.
      const Status status = RemoveDatabase(SegmentPath(folder_, number));
      if (!status.ok()) logging::Warn("log", "segment stays", {{"error", status.ToString()}});
    }
    logging::Info("log", "dropped old journal segments",
                  {{"first", first}, {"count", keep_from - first}});
  }
  const std::lock_guard lock(mutex_);
  segments_.erase(segments_.begin(), segments_.lower_bound(keep_from));
  if (options_.metrics != nullptr) {
    options_.metrics->Set(Metric::kLogSegments, static_cast<double>(segments_.size()));
  }
  return {};
}

}  // namespace playhead::log
