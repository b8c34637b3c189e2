#include "playhead/log/journal.h"
#include "playhead/log/journal_folder.h"
#include "playhead/log/segment.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
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
    if (state) partitions.push_back({.log_id = state->log_id, .topic = topic_});
    return partitions;
  }

  Result<OffsetRange> Bounds(const LogPartition& partition) override {
    return Retried([&]() -> Result<OffsetRange> {
      PH_ASSIGN_OR_RETURN(const JournalState state, StateOf(partition));
      return BoundsIn(state);
    });
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
                            topic_, offset, bounds.begin, bounds.end, state.log_id);
             }
             PH_RETURN_IF_ERROR(OpenSegmentOf(state, offset));
             log_id_ = state.log_id;
             position_ = offset;
             entries_.clear();
             return true;
           })
        .status();
  }

  Result<const LogBatch*> Read(int wait_ms, int64_t bytes_max) override {
    if (!position_) return Status(StatusCode::kInvalidArgument, "read before seek");
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(wait_ms);
    while (true) {
      PH_RETURN_IF_ERROR(Fill(bytes_max));
      if (!batch_.records.empty()) return &batch_;
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
    std::string path;
    sqlite::Database db;
    std::optional<sqlite::Statement> select;  // none while the segment does not know the topic
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
    if (partition.log_id != state->log_id || partition.topic != topic_ ||
        partition.partition != 0) {
      return Error(StatusCode::kNotFound, "unknown log: expected={}/{}/0 found={}/{}/{} folder={}",
                   state->log_id, topic_, partition.log_id, partition.topic, partition.partition,
                   folder_);
    }
    return *std::move(state);
  }

  Result<sqlite::Database> OpenDb(const JournalState& state, int64_t number) const {
    const std::string path = SegmentPath(folder_, number);
    PH_ASSIGN_OR_RETURN(sqlite::Database db, sqlite::Database::Open(path, {.read_only = true}));
    PH_RETURN_IF_ERROR(CheckSegment(db, state.log_id, number));
    return db;
  }

  // None when the segment does not know the topic.
  Result<std::optional<int64_t>> BaseOffset(sqlite::Database& db) const {
    PH_ASSIGN_OR_RETURN(const TopicOffsets bases, BaseOffsets(db));
    const auto found = bases.find(topic_);
    if (found == bases.end()) return std::optional<int64_t>();
    return std::optional<int64_t>(found->second);
  }

  Result<OffsetRange> BoundsIn(const JournalState& state) {
    OffsetRange range;
    if (state.last_segment < state.first_segment) return range;
    {
      PH_ASSIGN_OR_RETURN(sqlite::Database first, OpenDb(state, state.first_segment));
      PH_ASSIGN_OR_RETURN(const std::optional<int64_t> base, BaseOffset(first));
      range.begin = base.value_or(0);
    }
    PH_ASSIGN_OR_RETURN(sqlite::Database last, OpenDb(state, state.last_segment));
    PH_ASSIGN_OR_RETURN(const std::optional<int64_t> end, EndOffsetIn(last, topic_));
    range.end = std::max(range.begin, end.value_or(0));
    return range;
  }

  // The newest segment that begins at or before the offset has it.
  Status OpenSegmentOf(const JournalState& state, int64_t offset) {
    segment_.reset();
    for (int64_t number = state.last_segment; number >= state.first_segment; --number) {
      PH_ASSIGN_OR_RETURN(sqlite::Database db, OpenDb(state, number));
      PH_ASSIGN_OR_RETURN(const std::optional<int64_t> base, BaseOffset(db));
      const bool is_it = base ? *base <= offset : number == state.first_segment;
      if (!is_it) continue;
      segment_.emplace(OpenSegment{
          .number = number, .path = db.path(), .db = std::move(db), .select = std::nullopt});
      return {};
    }
    return {};
  }

  // Hands out the rest of the loaded entries, or loads some.
  Status Fill(int64_t bytes_max) {
    batch_.records.clear();
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
      // In this order: a segment that is followed by another one gets no more records, so what the
      // load after the look finds is all there is.
      PH_ASSIGN_OR_RETURN(const JournalState state, StateOf({.log_id = log_id_, .topic = topic_}));
      if (!segment_) {
        PH_RETURN_IF_ERROR(OpenSegmentOf(state, *position_));
        if (!segment_) return {};
      }
      PH_RETURN_IF_ERROR(Load(bytes_max));
      if (!entries_.empty() || segment_->number >= state.last_segment) return {};
      PH_RETURN_IF_ERROR(NextSegment(state));
    }
  }

  Status NextSegment(const JournalState& state) {
    const int64_t number = segment_->number + 1;
    if (number < state.first_segment) {
      return Error(
          StatusCode::kDataCorrupt,
          "the journal no longer has the position: topic={} position={} segment={} kept from={}",
          topic_, *position_, number, state.first_segment);
    }
    PH_ASSIGN_OR_RETURN(sqlite::Database db, OpenDb(state, number));
    PH_ASSIGN_OR_RETURN(const std::optional<int64_t> base, BaseOffset(db));
    if (base && *base != *position_) {
      return Error(
          StatusCode::kDataCorrupt,
          "segment does not continue the one before it: file={} topic={} expected={} found={}",
          db.path(), topic_, *position_, *base);
    }
    segment_.emplace(OpenSegment{
        .number = number, .path = db.path(), .db = std::move(db), .select = std::nullopt});
    return {};
  }

  Status Load(int64_t bytes_max) {
    if (!segment_->select) {
      PH_ASSIGN_OR_RETURN(const std::optional<std::string> table, EntryTable(segment_->db, topic_));
      if (!table) return {};
      // The entry that holds the position may begin before it.
      PH_ASSIGN_OR_RETURN(
          segment_->select,
          segment_->db.Prepare(fmt::format(
              "select first_offset, count, received_at_us, headers, lengths, bytes from {0}"
              " where first_offset >= coalesce((select max(first_offset) from {0}"
              " where first_offset <= ?1), ?1) order by first_offset",
              *table)));
    }
    sqlite::Statement& select = *segment_->select;
    select.BindInt(1, *position_);
    const Status status = LoadRows(select, bytes_max);
    select.Reset();
    return status;
  }

  Status LoadRows(sqlite::Statement& select, int64_t bytes_max) {
    int64_t next_offset = *position_;
    int64_t bytes = 0;
    while (bytes <= bytes_max) {
      PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
      if (!has_row) break;
      const int64_t first_offset = select.ColumnInt(0);
      const int64_t count = select.ColumnInt(1);
      if (first_offset + count <= next_offset) continue;
      if (spare_.empty()) spare_.emplace_back();
      // In its place before it is cut: a short string moves its bytes with it.
      LoadedEntry& entry = entries_.emplace_back(std::move(spare_.back()));
      spare_.pop_back();
      entry.first_offset = first_offset;
      entry.received_at_us = select.ColumnInt(2);
      entry.headers_json = select.ColumnText(3);
      entry.bytes = select.ColumnBlob(5);
      if (first_offset > next_offset ||
          !CutRecords(select.ColumnBlob(4), entry.bytes, count, entry.records)) {
        entries_.clear();
        return Error(StatusCode::kDataCorrupt,
                     "journal entry is damaged: file={} topic={} offset={} expected={}",
                     segment_->path, topic_, first_offset, next_offset);
      }
      entry.next = static_cast<size_t>(next_offset - first_offset);
      next_offset = first_offset + count;
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
