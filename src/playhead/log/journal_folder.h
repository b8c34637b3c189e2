#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/sqlite.h"
#include "playhead/base/status.h"
#include "playhead/log/journal.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace playhead::log {

/// Files of a journal folder: journal.db, journal.lock and segment-<10 digits>.db (each database
/// with SQLite's -wal and -shm beside it). docs/formats/journal.md.
std::string JournalDbPath(const std::string& folder);
std::string JournalLockPath(const std::string& folder);
std::string SegmentPath(const std::string& folder, int64_t number);
/// The number of a segment's file name; none for any other name.
std::optional<int64_t> SegmentNumber(const std::string& file_name);
/// Removes a database with its -wal and -shm; missing files are fine.
Status RemoveDatabase(const std::string& path);

/// Makes the folder's entries durable (fsync of the folder itself).
Status SyncFolder(const std::string& folder);
/// Makes the folder and its parents, durably.
Status MakeFolder(const std::string& folder);

/// What journal.db says: the journal's identity and which segments belong to it.
struct JournalState {
  std::string journal_id;  ///< a UUID
  int64_t first_segment = 1;
  int64_t last_segment = 0;  ///< first_segment − 1 when there is none yet
};

/// The one row of journal.db. The writer changes it; readers follow it.
/// Threads: one at a time.
class JournalDb {
 public:
  /// Opens or makes it. Errors as sqlite::Database; kDataCorrupt (not a journal, unknown format).
  static Result<JournalDb> OpenForWriting(const std::string& folder);
  /// None while there is no journal in the folder, or it is just being made.
  static Result<std::optional<JournalDb>> OpenForReading(const std::string& folder);

  Result<JournalState> Read();
  /// `begins`: each topic's first offset in it.
  Status SetFirstSegment(int64_t number, const TopicOffsets& begins);
  /// Errors: kCommitUnknown (journal.db may name it; the caller opens journal.db anew and sets it
  /// again before it does anything else), others: it does not.
  Status SetLastSegment(int64_t number);

  /// The topic's first offset and the one after its last acknowledged record, noted outside its
  /// segments; none in a journal of an older version. The end that was noted last may be lost with
  /// the machine, not with the process.
  Result<std::optional<OffsetRange>> NotedBounds(std::string_view topic);
  Result<TopicOffsets> NotedEnds();
  /// Without waiting for the disk, from SkipSyncs() on.
  Status NoteEnds(const TopicOffsets& ends);
  Status SkipSyncs();

 private:
  JournalDb(sqlite::Database db, sqlite::Statement select)
      : db_(std::move(db)), select_(std::move(select)) {}
  Status Note(const std::string& column, const TopicOffsets& offsets);

  sqlite::Database db_;
  // After the connection, so that they are finalized first.
  sqlite::Statement select_;
  std::optional<sqlite::Statement> select_bounds_;
  std::map<std::string, sqlite::Statement> notes_;  // by column
};

}  // namespace playhead::log
