#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/sqlite.h"
#include "playhead/base/status.h"
#include "playhead/log/journal_folder.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::log {

/// Of the segments this version writes: each entry has a checksum. Format 1, which has none, is
/// read.
inline constexpr int64_t kSegmentFormat = 2;

/// What a segment says of itself.
struct SegmentInfo {
  std::string journal_id;
  int64_t number = 0;
  int64_t created_at_us = 0;
  int64_t format = kSegmentFormat;
};

/// Records of one append, written as one row.
struct Entry {
  std::string_view topic;
  std::span<const std::string_view> records;
  std::string_view headers_json;
  int64_t first_offset = 0;
  int64_t received_at_us = 0;
};

/// What a repeated idempotency key is answered with.
struct StoredReceipt {
  std::string key;
  std::string topic;
  int64_t first_offset = 0;
  int64_t count = 0;
  std::string request_hash;  ///< of the records (base/hash.h, ContentHash)
  std::string note;
};

/// Sizes of an entry's records as its row holds them: unsigned LEB128, one after the other.
std::string EncodeLengths(std::span<const std::string_view> records);
/// False when `lengths` are not exactly `count` numbers whose sum is `bytes.size()`.
bool CutRecords(std::string_view lengths, std::string_view bytes, int64_t count,
                std::vector<std::string_view>& records);

/// The checksum that stands in an entry's row.
int64_t EntryChecksum(std::string_view topic, int64_t first_offset, int64_t count,
                      int64_t received_at_us, std::string_view headers_json,
                      std::string_view lengths, std::string_view bytes);

/// One row of an entry table; the views live until the statement's next step.
struct EntryRow {
  int64_t first_offset = 0;
  int64_t count = 0;
  int64_t received_at_us = 0;
  std::string_view headers_json;
  std::string_view lengths;
  std::string_view bytes;
  bool is_sound = false;  ///< its checksum is right, or its format has none
};
/// `select … from TABLE`, to be followed by a where or an order; for ReadEntryRow().
std::string SelectEntries(std::string_view table, int64_t format);
EntryRow ReadEntryRow(const sqlite::Statement& select, std::string_view topic, int64_t format);

/// Whether an error of a segment says that its bytes are damaged (and will stay so), not that they
/// cannot be had now. A damaged schema makes SQL fail.
bool IsDamage(const Status& status);

/// The identity of an open segment. Errors: kDataCorrupt (not a segment of the journal, or its
/// number is not that of its file name).
Result<SegmentInfo> CheckSegment(sqlite::Database& db, const std::string& journal_id,
                                 int64_t number);
/// Each topic's next offset when the segment was made.
Result<TopicOffsets> BaseOffsets(sqlite::Database& db);
/// The table that holds the topic's entries, `entry_<id>`; none while the segment does not know it.
Result<std::optional<std::string>> EntryTable(sqlite::Database& db, std::string_view topic);
/// The offset after the last one in the segment; none while the segment does not know the topic.
/// Errors: kDataCorrupt (its last entry's checksum is wrong).
Result<std::optional<int64_t>> EndOffsetIn(sqlite::Database& db, std::string_view topic,
                                           int64_t format);
/// None when there is no such receipt.
Result<std::optional<StoredReceipt>> ReadReceipt(sqlite::Database& db, int64_t receipt_id);

/// The writer's side of the newest segment.
/// Threads: one at a time.
class SegmentWriter {
 public:
  /// Pages of 8 kB hold a dozen single events and chain a batch in half the steps of SQLite's 4 kB.
  static constexpr int kPageBytes = 8192;

  /// Makes the file with everything but entries. Errors as sqlite::Database.
  static Result<std::unique_ptr<SegmentWriter>> Create(const std::string& path,
                                                       const SegmentInfo& info,
                                                       const TopicOffsets& base_offsets);
  static Result<std::unique_ptr<SegmentWriter>> Open(const std::string& path,
                                                     const std::string& journal_id, int64_t number);

  /// Runs `write` in one transaction: when it returns OK the rows it added are durable, else
  /// nothing of them remains, unless is_unsure() says that it was the COMMIT that failed: then the
  /// next process may find them in the WAL.
  template <typename Write>
  Status InTransaction(const Write& write) {
    Status status = Begin();
    if (status.ok()) status = write();
    if (status.ok()) status = Commit();
    if (!status.ok()) Rollback();
    return status;
  }
  /// Only inside InTransaction().
  Status AddEntry(const Entry& entry);
  /// Returns the receipt's id. Only inside InTransaction().
  Result<int64_t> AddReceipt(const StoredReceipt& receipt);

  /// Commits a change that changes nothing.
  Status TestWrite();

  const SegmentInfo& info() const { return info_; }
  const std::string& path() const { return path_; }
  /// About the size of the file without its WAL.
  int64_t bytes() const { return bytes_; }
  bool has_entries() const { return has_entries_; }
  /// A COMMIT failed: this can only be closed, and the segment opened again.
  bool is_unsure() const { return is_unsure_; }
  sqlite::Database& db() { return db_; }

 private:
  struct TopicTable {
    bool is_committed = false;
    sqlite::Statement insert;
  };

  SegmentWriter(std::string path, SegmentInfo info, sqlite::Database db)
      : path_(std::move(path)), info_(std::move(info)), db_(std::move(db)) {}
  Status Load();
  Status Begin();
  Status Commit();
  void Rollback();
  Result<TopicTable*> TableOf(std::string_view topic);

  const std::string path_;
  const SegmentInfo info_;
  sqlite::Database db_;
  sqlite::Statement insert_receipt_;
  std::map<std::string, TopicTable, std::less<>> tables_;
  std::string joined_;  // an entry's records, one after the other; kept for its capacity
  int64_t bytes_ = 0;
  int64_t uncommitted_bytes_ = 0;
  bool has_entries_ = false;
  bool is_unsure_ = false;
};

}  // namespace playhead::log
