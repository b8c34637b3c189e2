#include "playhead/log/journal_recovery.h"

#include "playhead/base/logging.h"

#include <filesystem>
#include <set>

namespace playhead::log {
namespace {

namespace fs = std::filesystem;

Result<std::set<int64_t>> SegmentsIn(const std::string& folder) {
  std::set<int64_t> numbers;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (const auto number = SegmentNumber(it->path().filename().string())) numbers.insert(*number);
  }
  if (error) {
    return Error(StatusCode::kUnavailable, "cannot list the journal: path={} error={}", folder,
                 error.message());
  }
  return numbers;
}

Result<bool> HasEntries(sqlite::Database& db) {
  PH_ASSIGN_OR_RETURN(const TopicOffsets base_offsets, BaseOffsets(db));
  for (const auto& [topic, base_offset] : base_offsets) {
    PH_ASSIGN_OR_RETURN(const std::optional<int64_t> end, EndOffsetIn(db, topic));
    if (end.value_or(base_offset) > base_offset) return true;
  }
  return false;
}

// A segment that journal.db does not name holds nothing acknowledged, unless somebody brought back
// an old journal.db.
Status RemoveUnnamed(const std::string& path) {
  {
    Result<sqlite::Database> db = sqlite::Database::Open(path, {.read_only = true});
    const Result<bool> has_entries = db.ok() ? HasEntries(*db) : Result<bool>(db.status());
    if (has_entries.ok() && *has_entries) {
      return Error(StatusCode::kDataCorrupt,
                   "segment holds records, but journal.db does not name it: file={}", path);
    }
  }
  logging::Info("log", "removed a segment that was never finished", {{"file", path}});
  return RemoveDatabase(path);
}

Status RemoveStrays(const std::string& folder, const JournalState& state) {
  PH_ASSIGN_OR_RETURN(const std::set<int64_t> numbers, SegmentsIn(folder));
  for (const int64_t number : numbers) {
    const std::string path = SegmentPath(folder, number);
    if (number < state.first_segment) PH_RETURN_IF_ERROR(RemoveDatabase(path));
    if (number > state.last_segment) PH_RETURN_IF_ERROR(RemoveUnnamed(path));
  }
  for (int64_t number = state.first_segment; number <= state.last_segment; ++number) {
    if (numbers.contains(number)) continue;
    return Error(StatusCode::kDataCorrupt, "journal segment is lost: file={}",
                 SegmentPath(folder, number));
  }
  return {};
}

// Each segment begins where the one before it ended; `ends` moves on to its own end.
Status Continue(sqlite::Database& db, bool is_first, TopicOffsets& ends) {
  PH_ASSIGN_OR_RETURN(const TopicOffsets base_offsets, BaseOffsets(db));
  for (const auto& [topic, end] : ends) {
    const auto base = base_offsets.find(topic);
    if (base != base_offsets.end() && base->second == end) continue;
    return Error(
        StatusCode::kDataCorrupt,
        "segment does not continue the one before it: file={} topic={} expected={} found={}",
        db.path(), topic, end, base == base_offsets.end() ? 0 : base->second);
  }
  for (const auto& [topic, base_offset] : base_offsets) {
    if (!is_first && !ends.contains(topic) && base_offset != 0) {
      return Error(
          StatusCode::kDataCorrupt,
          "segment does not continue the one before it: file={} topic={} expected=0 found={}",
          db.path(), topic, base_offset);
    }
    PH_ASSIGN_OR_RETURN(const std::optional<int64_t> end, EndOffsetIn(db, topic));
    ends[topic] = end.value_or(base_offset);
  }
  return {};
}

bool HasWal(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path + "-wal", error);
  return !error && size > 0;
}

}  // namespace

Status CheckBeforeOpen(const std::string& folder) {
  if (fs::exists(JournalDbPath(folder))) return {};
  PH_ASSIGN_OR_RETURN(const std::set<int64_t> numbers, SegmentsIn(folder));
  if (numbers.empty()) return {};
  return Error(StatusCode::kDataCorrupt, "journal.db is lost, but there are segments: folder={}",
               folder);
}

Result<RecoveredJournal> RecoverJournal(const std::string& folder, const JournalState& state,
                                        ReceiptIndex& receipts) {
  PH_RETURN_IF_ERROR(RemoveStrays(folder, state));
  RecoveredJournal journal;
  for (int64_t number = state.first_segment; number <= state.last_segment; ++number) {
    const std::string path = SegmentPath(folder, number);
    const bool is_first = number == state.first_segment;
    if (number == state.last_segment || HasWal(path)) {
      PH_ASSIGN_OR_RETURN(std::unique_ptr<SegmentWriter> segment,
                          SegmentWriter::Open(path, state.log_id, number));
      PH_RETURN_IF_ERROR(Continue(segment->db(), is_first, journal.end_offsets));
      PH_RETURN_IF_ERROR(receipts.Load(segment->db(), number));
      journal.created_at_us[number] = segment->info().created_at_us;
      if (number == state.last_segment) {
        journal.current = std::move(segment);
      } else {
        journal.unfinished.push_back(std::move(segment));
      }
      continue;
    }
    PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path, {.read_only = true}));
    PH_ASSIGN_OR_RETURN(const SegmentInfo info, CheckSegment(db, state.log_id, number));
    PH_RETURN_IF_ERROR(Continue(db, is_first, journal.end_offsets));
    PH_RETURN_IF_ERROR(receipts.Load(db, number));
    journal.created_at_us[number] = info.created_at_us;
  }
  return journal;
}

}  // namespace playhead::log
