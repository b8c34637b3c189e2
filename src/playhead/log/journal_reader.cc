#include "playhead/log/journal.h"
#include "playhead/log/journal_folder.h"
#include "playhead/log/segment.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <limits>
#include <optional>
#include <thread>
#include <utility>

namespace playhead::log {
namespace {

// A journal is another process's file: nobody tells a reader that it grew.
constexpr std::chrono::milliseconds kPoll(5);
// A segment may be dropped between the look at journal.db and its opening; then the look is
// repeated.
constexpr int kTriesMax = 3;
constexpr int64_t kProbesMax = 100'000;
constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max() / 2;

struct InodeOf {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const InodeOf&) const = default;
};

InodeOf Inode(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

class JournalReader final : public LogReader {
 public:
  JournalReader(std::string folder, std::string topic)
      : folder_(std::move(folder)), topic_(std::move(topic)) {}

  Result<std::vector<LogPartition>> Partitions() override {
    PH_ASSIGN_OR_RETURN(const std::optional<JournalState> state, State());
    std::vector<LogPartition> partitions;
    if (state) {
      partitions.push_back({.log_id = JournalLogId(state->journal_id, topic_), .topic = topic_});
    }
    return partitions;
  }

  Result<OffsetRange> Bounds(const LogPartition& partition) override {
    return Retried([&]() -> Result<OffsetRange> {
      PH_ASSIGN_OR_RETURN(const JournalState state, StateOf(partition));
      return BoundsIn(state);
    });
  }

  Result<std::optional<OtherTopic>> Other(const LogId& log_id) override {
    PH_ASSIGN_OR_RETURN(const std::optional<JournalState> state, State());
    const std::string prefix = state ? state->journal_id + "/" : "";
    if (!state || !log_id.starts_with(prefix)) return std::optional<OtherTopic>();
    OtherTopic other{.topic = log_id.substr(prefix.size()), .bounds = {}};
    JournalReader reader(folder_, other.topic);
    PH_ASSIGN_OR_RETURN(other.bounds, reader.Bounds({.log_id = log_id, .topic = other.topic}));
    return std::optional(std::move(other));
  }

  Status Seek(const LogPartition& partition, int64_t offset) override {
    return Retried([&]() -> Result<bool> {
             PH_ASSIGN_OR_RETURN(const JournalState state, StateOf(partition));
             PH_ASSIGN_OR_RETURN(const OffsetRange bounds, BoundsIn(state));
             if (offset < bounds.begin || offset > bounds.end) {
               return Error(StatusCode::kDataCorrupt,
                            "{}: topic={} position={} kept={}..{} log_id={}",
                            offset < bounds.begin ? "the journal no longer has the position"
                                                  : "the position is beyond the journal's end",
                            topic_, offset, bounds.begin, bounds.end, partition.log_id);
             }
             PH_RETURN_IF_ERROR(OpenSegmentOf(state, offset));
             log_id_ = partition.log_id;
             position_ = offset;
             entries_.clear();
             return true;
           })
        .status();
  }

  Result<const LogBatch*> Read(int wait_ms, int64_t bytes_max) override {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    while (true) {
      PH_RETURN_IF_ERROR(Fill(bytes_max));
      if (!batch_.records.empty() || !batch_.damage.empty()) return &batch_;
      const auto now = std::chrono::steady_clock::now();
      if (now >= until) return nullptr;
      std::this_thread::sleep_for(
          std::min<std::chrono::steady_clock::duration>(kPoll, until - now));
    }
  }

 private:
  // One row; the batch's views point into it.
  struct LoadedEntry {
    int64_t first_offset = 0;
    int64_t received_at_us = 0;
    std::string headers_json;
    std::string bytes;
    std::vector<std::string_view> records;
    size_t next = 0;  // record that comes after what was handed out
  };

  struct OpenSegment {
    int64_t number = 0;
    int64_t format = kSegmentFormat;
    sqlite::Database db;
    std::optional<int64_t> base;              // none while the segment does not know the topic
    std::optional<sqlite::Statement> select;  // the same
  };

  // Calls `attempt` again while a file vanishes under it.
  template <typename Attempt>
  static auto Retried(const Attempt& attempt) -> decltype(attempt()) {
    for (int tries = 1;; ++tries) {
      auto result = attempt();
      if (result.ok() || result.status().code() != StatusCode::kUnavailable || tries == kTriesMax) {
        return result;
      }
    }
  }

  // None while there is no journal. A journal that was made anew is seen by its file's inode.
  Result<std::optional<JournalState>> State() {
    const InodeOf inode = Inode(JournalDbPath(folder_));
    if (!db_ || inode != inode_) {
      db_.reset();
      PH_ASSIGN_OR_RETURN(db_, JournalDb::OpenForReading(folder_));
      inode_ = inode;
      if (!db_) return std::optional<JournalState>();
    }
    PH_ASSIGN_OR_RETURN(JournalState state, db_->Read());
    return std::optional<JournalState>(std::move(state));
  }

  Result<JournalState> StateOf(const LogPartition& partition) {
    PH_ASSIGN_OR_RETURN(std::optional<JournalState> state, State());
    if (!state) return Error(StatusCode::kNotFound, "no such journal: folder={}", folder_);
    const LogId log_id = JournalLogId(state->journal_id, topic_);
    if (partition.log_id != log_id || partition.topic != topic_ || partition.partition != 0) {
      return Error(StatusCode::kNotFound, "unknown log: expected={}/0 found={}/{} folder={}",
                   log_id, partition.log_id, partition.partition, folder_);
    }
    return *std::move(state);
  }

  // Errors of a damaged segment are those IsDamage() knows.
  Result<OpenSegment> OpenNumber(const JournalState& state, int64_t number) {
    const std::string path = SegmentPath(folder_, number);
    Result<sqlite::Database> opened = sqlite::Database::Open(path, {.read_only = true});
    if (!opened.ok() && !std::filesystem::exists(path)) {
      // Unless it was dropped meanwhile: first journal.db says so, then the file goes.
      PH_ASSIGN_OR_RETURN(const std::optional<JournalState> now, State());
      if (now && now->first_segment <= number) {
        return Error(StatusCode::kDataCorrupt, "journal segment is lost: file={}", path);
      }
    }
    PH_RETURN_IF_ERROR(opened);
    OpenSegment segment{
        .number = number, .db = *std::move(opened), .base = std::nullopt, .select = std::nullopt};
    PH_ASSIGN_OR_RETURN(const SegmentInfo info, CheckSegment(segment.db, state.journal_id, number));
    segment.format = info.format;
    PH_ASSIGN_OR_RETURN(const TopicOffsets bases, BaseOffsets(segment.db));
    if (const auto found = bases.find(topic_); found != bases.end()) segment.base = found->second;
    return segment;
  }

  // The first readable segment from `number` on, none when there is none; what is wrong with those
  // before it is added to `damage`.
  Result<std::optional<OpenSegment>> OpenReadable(const JournalState& state, int64_t number,
                                                  std::string& damage) {
    for (; number <= state.last_segment; ++number) {
      Result<OpenSegment> segment = OpenNumber(state, number);
      if (segment.ok()) return std::optional(*std::move(segment));
      if (!IsDamage(segment.status())) return segment.status();
      if (damage.empty()) damage = segment.status().message();
    }
    return std::optional<OpenSegment>();
  }

  Result<OffsetRange> BoundsIn(const JournalState& state) {
    OffsetRange range;
    std::string damage;
    PH_ASSIGN_OR_RETURN(const std::optional<OffsetRange> noted, db_->NotedBounds(topic_));
    PH_ASSIGN_OR_RETURN(const std::optional<OpenSegment> first,
                        OpenReadable(state, state.first_segment, damage));
    range.begin = range.end = first ? first->base.value_or(0) : 0;
    if (noted && (!first || first->number > state.first_segment)) range.begin = noted->begin;
    if (noted) range.end = std::max(range.end, noted->end);
    if (state.last_segment < state.first_segment) return range;
    Result<OpenSegment> last = OpenNumber(state, state.last_segment);
    if (!last.ok() && !IsDamage(last.status())) return last.status();
    if (!last.ok()) return range;
    range.end = std::max(range.end, last->base.value_or(0));
    const Result<std::optional<int64_t>> end = EndOffsetIn(last->db, topic_, last->format);
    if (end.ok()) {
      range.end = std::max(range.end, end->value_or(0));
    } else if (!IsDamage(end.status())) {
      return end.status();
    }
    return range;
  }

  // The newest readable segment that begins at or before the offset has it, or would have it. None
  // when there is none.
  Status OpenSegmentOf(const JournalState& state, int64_t offset) {
    segment_.reset();
    for (int64_t number = state.last_segment; number >= state.first_segment; --number) {
      Result<OpenSegment> segment = OpenNumber(state, number);
      if (!segment.ok() && !IsDamage(segment.status())) return segment.status();
      if (!segment.ok()) continue;
      const bool is_it = segment->base ? *segment->base <= offset : number == state.first_segment;
      if (!is_it) continue;
      segment_.emplace(*std::move(segment));
      return {};
    }
    return {};
  }

  // Hands out the rest of the loaded entries, or loads some.
  Status Fill(int64_t bytes_max) {
    batch_.records.clear();
    batch_.damage.clear();
    if (!position_) return {};
    while (!entries_.empty() && entries_.front().next == entries_.front().records.size()) {
      spare_.push_back(std::move(entries_.front()));
      entries_.pop_front();
    }
    if (entries_.empty()) PH_RETURN_IF_ERROR(LoadOrMoveOn(bytes_max));
    if (entries_.empty()) return {};
    batch_.from = {.log_id = log_id_, .topic = topic_};
    batch_.begin = *position_;
    int64_t bytes = 0;
    for (LoadedEntry& entry : entries_) {
      for (; entry.next < entry.records.size(); ++entry.next) {
        const std::string_view record = entry.records[entry.next];
        if (!batch_.records.empty()) bytes += static_cast<int64_t>(record.size());
        if (bytes > bytes_max) break;
        batch_.records.push_back({.offset = entry.first_offset + static_cast<int64_t>(entry.next),
                                  .time_us = entry.received_at_us,
                                  .bytes = record,
                                  .key = std::nullopt,
                                  .headers_json = entry.headers_json});
      }
      if (bytes > bytes_max) break;
    }
    batch_.next_offset = batch_.records.back().offset + 1;
    position_ = batch_.next_offset;
    return {};
  }

  Status LoadOrMoveOn(int64_t bytes_max) {
    while (true) {
      // In this order: a segment that is followed by another one gets no more records, and what is
      // noted was committed before, so what the load after the look finds is all there is.
      PH_ASSIGN_OR_RETURN(const JournalState state, StateOf({.log_id = log_id_, .topic = topic_}));
      PH_ASSIGN_OR_RETURN(const std::optional<OffsetRange> noted, db_->NotedBounds(topic_));
      if (!segment_) PH_RETURN_IF_ERROR(OpenSegmentOf(state, *position_));
      std::string damage;
      if (segment_) {
        Status loaded = Load(bytes_max);
        if (!entries_.empty()) return {};
        if (!loaded.ok() && !IsDamage(loaded)) return loaded;
        damage = loaded.message();
      }
      std::optional<OpenSegment> next;
      if (!segment_ || segment_->number < state.last_segment) {
        PH_ASSIGN_OR_RETURN(
            next,
            OpenReadable(state, segment_ ? segment_->number + 1 : state.first_segment, damage));
      }
      std::optional<int64_t> end;
      if (noted) end = noted->end;
      if (next) end = next->base.value_or(0);
      if (next && *end < *position_) {
        return Error(StatusCode::kDataCorrupt,
                     "segment does not continue the one before it: file={} topic={} expected={}"
                     " found={}",
                     next->db.path(), topic_, *position_, *end);
      }
      if (end.value_or(*position_) > *position_ || (!end && !damage.empty())) {
        return FindEndOfDamage(end, damage);
      }
      if (!next) return {};
      segment_.emplace(*std::move(next));
    }
  }

  // Nothing can be read at the position, although the log goes on there: up to `end`, when that is
  // known. Hands out the next entry that is sound, or the damage before it.
  Status FindEndOfDamage(std::optional<int64_t> end, std::string damage) {
    const int64_t begin = *position_;
    if (damage.empty()) {
      damage = fmt::format("acknowledged records are missing: file={} topic={} offset={}",
                           segment_ ? segment_->db.path() : folder_, topic_, begin);
    }
    if (segment_) {
      LoadedEntry entry;
      const bool is_found = FindSoundEntry(end.value_or(kNoEnd), entry);
      if (is_found && entry.first_offset <= begin) {
        entry.next = static_cast<size_t>(begin - entry.first_offset);
        Keep(std::move(entry));
        return {};
      }
      if (is_found) end = entry.first_offset;
    }
    if (!end) return Status(StatusCode::kDataCorrupt, damage);
    batch_.from = {.log_id = log_id_, .topic = topic_};
    batch_.begin = begin;
    batch_.next_offset = *end;
    batch_.damage = std::move(damage);
    position_.reset();
    segment_.reset();
    return {};
  }

  // The first sound entry of the damaged segment that ends behind the position and begins before
  // `end`. A checksum says what is sound; the tree is only asked for candidates:
  //   from its left, leaf by leaf, until a page cannot be read
  //   then for the offsets behind the position one by one, since the tree's upper pages may still
  //   know the leaf behind a damaged one; beyond kProbesMax in growing steps
  bool FindSoundEntry(int64_t end, LoadedEntry& entry) {
    const Result<std::optional<std::string>> table = EntryTable(segment_->db, topic_);
    if (!table.ok() || !table->has_value()) return false;
    Result<sqlite::Statement> select =
        segment_->db.Prepare(SelectEntries(**table, segment_->format) +
                             " where first_offset >= ? order by first_offset");
    if (!select.ok()) return false;
    Scan scan = ScanFrom(*select, 0, end, entry);
    int64_t failed_at = *position_;
    int64_t step = 1;
    for (int64_t probes = 0; scan == Scan::kStuck && failed_at < end - step; ++probes) {
      scan = ScanFrom(*select, failed_at + step, end, entry);
      if (scan != Scan::kStuck) break;
      failed_at += step;
      if (probes >= kProbesMax) step = std::min<int64_t>(step * 2, end / 2);
    }
    // Back to where the steps were too large.
    for (int64_t reached = failed_at + step; scan == Scan::kFound && reached - failed_at > 1;) {
      const int64_t middle = failed_at + (reached - failed_at) / 2;
      LoadedEntry earlier;
      const Scan found = ScanFrom(*select, middle, end, earlier);
      if (found == Scan::kFound) entry = std::move(earlier);
      (found == Scan::kStuck ? failed_at : reached) = middle;
    }
    return scan == Scan::kFound;
  }

  enum class Scan { kFound, kNothing, kStuck };

  Scan ScanFrom(sqlite::Statement& select, int64_t offset, int64_t end, LoadedEntry& entry) const {
    select.BindInt(1, offset);
    Scan scan = Scan::kNothing;
    while (scan == Scan::kNothing) {
      const Result<bool> has_row = select.Step();
      if (!has_row.ok()) scan = Scan::kStuck;
      if (!has_row.ok() || !*has_row) break;
      const EntryRow row = ReadEntryRow(select, topic_, segment_->format);
      if (row.is_sound && row.first_offset + row.count > *position_ && row.first_offset < end &&
          TakeRow(row, entry)) {
        scan = Scan::kFound;
      }
    }
    select.Reset();
    return scan;
  }

  static bool TakeRow(const EntryRow& row, LoadedEntry& entry) {
    entry.first_offset = row.first_offset;
    entry.received_at_us = row.received_at_us;
    entry.headers_json = row.headers_json;
    entry.bytes = row.bytes;
    return CutRecords(row.lengths, entry.bytes, row.count, entry.records);
  }

  // A short string moves its bytes with it, so the records are cut again.
  void Keep(LoadedEntry entry) {
    std::vector<size_t> sizes;
    for (const std::string_view record : entry.records) sizes.push_back(record.size());
    LoadedEntry& kept = entries_.emplace_back(std::move(entry));
    std::string_view rest = kept.bytes;
    for (size_t i = 0; i < sizes.size(); ++i) {
      kept.records[i] = rest.substr(0, sizes[i]);
      rest.remove_prefix(sizes[i]);
    }
  }

  Status Load(int64_t bytes_max) {
    if (!segment_->select) {
      PH_ASSIGN_OR_RETURN(const std::optional<std::string> table, EntryTable(segment_->db, topic_));
      if (!table) return {};
      // The entry that holds the position may begin before it.
      PH_ASSIGN_OR_RETURN(
          segment_->select,
          segment_->db.Prepare(
              fmt::format("{0} where first_offset >= coalesce((select max(first_offset) from {1}"
                          " where first_offset <= ?1), ?1) order by first_offset",
                          SelectEntries(*table, segment_->format), *table)));
    }
    sqlite::Statement& select = *segment_->select;
    select.BindInt(1, *position_);
    const Status status = LoadRows(select, bytes_max);
    select.Reset();
    // What was loaded before the damage is handed out first.
    return entries_.empty() ? status : Status();
  }

  Status LoadRows(sqlite::Statement& select, int64_t bytes_max) {
    int64_t next_offset = *position_;
    int64_t bytes = 0;
    while (bytes <= bytes_max) {
      PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
      if (!has_row) break;
      const EntryRow row = ReadEntryRow(select, topic_, segment_->format);
      if (row.is_sound && row.first_offset + row.count <= next_offset) continue;
      if (spare_.empty()) spare_.emplace_back();
      // In its place before it is cut: a short string moves its bytes with it.
      LoadedEntry& entry = entries_.emplace_back(std::move(spare_.back()));
      spare_.pop_back();
      if (!row.is_sound || row.first_offset > next_offset || !TakeRow(row, entry)) {
        spare_.push_back(std::move(entry));
        entries_.pop_back();
        return Error(StatusCode::kDataCorrupt,
                     "journal entry is damaged: file={} topic={} offset={}", segment_->db.path(),
                     topic_, next_offset);
      }
      entry.next = static_cast<size_t>(next_offset - row.first_offset);
      next_offset = row.first_offset + row.count;
      bytes += static_cast<int64_t>(entry.bytes.size());
    }
    return {};
  }

  const std::string folder_;
  const std::string topic_;
  std::optional<JournalDb> db_;
  InodeOf inode_;
  LogId log_id_;
  std::optional<int64_t> position_;
  std::optional<OpenSegment> segment_;
  std::deque<LoadedEntry> entries_;  // loaded, not all handed out
  std::vector<LoadedEntry> spare_;   // kept for their capacity
  LogBatch batch_;
};

}  // namespace

Result<std::unique_ptr<LogReader>> OpenJournalReader(const std::string& folder,
                                                     const std::string& topic) {
  if (topic.empty()) return Error(StatusCode::kInvalidArgument, "no topic: folder={}", folder);
  return std::unique_ptr<LogReader>(std::make_unique<JournalReader>(folder, topic));
}

}  // namespace playhead::log
