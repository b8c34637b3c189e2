#include "playhead/log/journal_recovery.h"

#include "playhead/base/logging.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

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
    PH_ASSIGN_OR_RETURN(const std::optional<std::string> table, EntryTable(db, topic));
    PH_ASSIGN_OR_RETURN(sqlite::Statement entry,
                        db.Prepare(fmt::format("select 1 from {} limit 1", *table)));
    PH_ASSIGN_OR_RETURN(const bool has_entry, entry.Step());
    if (has_entry) return true;
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
  return {};
}

void Raise(TopicOffsets& offsets, const std::string& topic, int64_t offset) {
  int64_t& known = offsets.try_emplace(topic, offset).first->second;
  known = std::max(known, offset);
}

// Each segment begins where the one before it ended.
Status CheckContinues(const std::string& path, const TopicOffsets& ends,
                      const TopicOffsets& bases) {
  for (const auto& [topic, end] : ends) {
    const auto base = bases.find(topic);
    const int64_t found = base == bases.end() ? 0 : base->second;
    if (found == end) continue;
    return Error(StatusCode::kDataCorrupt,
                 "segment does not continue the one before it: file={} topic={} expected={}"
                 " found={}",
                 path, topic, end, found);
  }
  return {};
}

bool HasWal(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path + "-wal", error);
  return !error && size > 0;
}

class Recovery {
 public:
  Recovery(const std::string& folder, const JournalState& state, ReceiptIndex& receipts)
      : folder_(folder), state_(state), receipts_(receipts) {}

  Status Take(int64_t number) {
    const std::string path = SegmentPath(folder_, number);
    if (!fs::exists(path)) {
      return Error(StatusCode::kDataCorrupt, "journal segment is lost: file={}", path);
    }
    if (number == state_.last_segment || HasWal(path)) {
      PH_ASSIGN_OR_RETURN(std::unique_ptr<SegmentWriter> segment,
                          SegmentWriter::Open(path, state_.journal_id, number));
      PH_RETURN_IF_ERROR(Read(segment->db(), segment->info()));
      (number == state_.last_segment ? journal_.current : journal_.unfinished.emplace_back()) =
          std::move(segment);
      return {};
    }
    PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path, {.read_only = true}));
    PH_ASSIGN_OR_RETURN(const SegmentInfo info, CheckSegment(db, state_.journal_id, number));
    return Read(db, info);
  }

  void Name(int64_t number, const Status& status) {
    logging::Error("log", "a journal segment is damaged; ingest names what it cannot read",
                   {{"file", SegmentPath(folder_, number)}, {"why", status.message()}});
    journal_.damaged.try_emplace(number, status.message());
    // Where it ends is not known, so the next one cannot be compared with it.
    ends_.reset();
  }

  RecoveredJournal Finish(const TopicOffsets& noted_ends) && {
    for (const auto& [topic, end] : noted_ends) {
      const auto found = journal_.end_offsets.find(topic);
      const int64_t known = found == journal_.end_offsets.end() ? 0 : found->second;
      if (known < end && journal_.current) {
        Name(state_.last_segment,
             Error(StatusCode::kDataCorrupt,
                   "the segment lost acknowledged records: topic={} found to={} acknowledged to={}",
                   topic, known, end));
        journal_.unfinished.push_back(std::move(journal_.current));
      }
      Raise(journal_.end_offsets, topic, end);
    }
    if (journal_.current && journal_.current->info().format < kSegmentFormat) {
      journal_.unfinished.push_back(std::move(journal_.current));
    }
    return std::move(journal_);
  }

 private:
  Status Read(sqlite::Database& db, const SegmentInfo& info) {
    SegmentFacts facts{.created_at_us = info.created_at_us, .bases = {}};
    PH_ASSIGN_OR_RETURN(facts.bases, BaseOffsets(db));
    for (const auto& [topic, base] : facts.bases) Raise(journal_.end_offsets, topic, base);
    if (ends_) {
      const Status continues = CheckContinues(db.path(), *ends_, facts.bases);
      if (!continues.ok()) Name(info.number - 1, continues);
    }
    journal_.segments[info.number] = facts;
    TopicOffsets ends;
    for (const auto& [topic, base] : facts.bases) {
      PH_ASSIGN_OR_RETURN(const std::optional<int64_t> end, EndOffsetIn(db, topic, info.format));
      ends[topic] = end.value_or(base);
      Raise(journal_.end_offsets, topic, ends[topic]);
    }
    ends_ = std::move(ends);
    return receipts_.Load(db, info.number);
  }

  const std::string& folder_;
  const JournalState& state_;
  ReceiptIndex& receipts_;
  RecoveredJournal journal_;
  std::optional<TopicOffsets> ends_;  // of the segment before, when they are known
};

}  // namespace

Status CheckBeforeOpen(const std::string& folder) {
  if (fs::exists(JournalDbPath(folder))) return {};
  PH_ASSIGN_OR_RETURN(const std::set<int64_t> numbers, SegmentsIn(folder));
  if (numbers.empty()) return {};
  return Error(StatusCode::kDataCorrupt, "journal.db is lost, but there are segments: folder={}",
               folder);
}

Result<RecoveredJournal> RecoverJournal(const std::string& folder, const JournalState& state,
                                        const TopicOffsets& noted_ends, ReceiptIndex& receipts) {
  PH_RETURN_IF_ERROR(RemoveStrays(folder, state));
  Recovery recovery(folder, state, receipts);
  for (int64_t number = state.first_segment; number <= state.last_segment; ++number) {
    const Status status = recovery.Take(number);
    if (!status.ok() && !IsDamage(status)) return status;
    if (!status.ok()) recovery.Name(number, status);
  }
  return std::move(recovery).Finish(noted_ends);
}

}  // namespace playhead::log
