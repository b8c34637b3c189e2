#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

struct sqlite3;
struct sqlite3_stmt;

namespace playhead::sqlite {

/// A prepared statement. Parameters are numbered from 1, columns from 0.
/// Threads: as its Database. Strings and blobs are bound without a copy: they must live until
/// Reset(). A value that cannot be bound (no such parameter, too large, no memory) is said by the
/// next Step().
class Statement {
 public:
  Statement() = default;
  ~Statement();
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;

  void BindInt(int index, int64_t value);
  void BindText(int index, std::string_view value);
  void BindBlob(int index, std::string_view value);
  void BindNull(int index);

  /// True while there is a row. Errors as Database::Execute.
  Result<bool> Step();
  /// Steps to the end, drops rows and resets.
  Status Run();
  void Reset();

  int64_t ColumnInt(int index) const;
  /// Valid until the next Step() or Reset().
  std::string_view ColumnText(int index) const;
  std::string_view ColumnBlob(int index) const;
  bool ColumnIsNull(int index) const;
  bool ColumnIsInt(int index) const;
  int columns() const;

 private:
  friend class Database;
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void Bound(int index, int code);
  sqlite3_stmt* statement_ = nullptr;
  Status unbound_;  // of the first value that was not bound since Reset()
};

struct DatabaseOptions {
  bool read_only = false;
  bool create = true;
  /// How long a statement waits for another process's lock.
  int busy_timeout_ms = 10'000;
  /// Pages in the WAL after which a commit checkpoints it; 0 = never, somebody else does.
  int wal_autocheckpoint_pages = 1000;
  /// Bytes of a page in a new database; 0 = SQLite's default (4,096).
  int page_bytes = 0;
};

/// Pages in the WAL, and how many of them are in the database file as well.
struct WalProgress {
  int64_t pages = 0;
  int64_t moved_pages = 0;
};

/// One connection: WAL, synchronous=FULL, foreign keys on. Threads: one at a time.
class Database {
 public:
  static Result<Database> Open(const std::string& path, DatabaseOptions options = {});
  ~Database();
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;

  /// Runs statements that return nothing. Errors: kUnavailable (busy, I/O), kResourceExhausted
  /// (disk full), kAlreadyExists (constraint), kDataCorrupt, kInvalidArgument (SQL).
  Status Execute(std::string_view sql);
  Result<Statement> Prepare(std::string_view sql);
  /// Absolute path of its file.
  std::string path() const;
  /// Rows the last INSERT, UPDATE or DELETE changed.
  int64_t changes() const;
  /// Pages in the WAL after this connection's last commit; counted only while SQLite's own
  /// checkpoints are off.
  int64_t wal_pages() const { return wal_pages_ == nullptr ? 0 : *wal_pages_; }
  /// Moves pages from the WAL into the database file; never blocks writers. Once everything is
  /// moved, the next write starts the WAL file from its beginning.
  Result<WalProgress> Checkpoint();
  /// The same, then cuts the WAL file to nothing. Waits for readers and writers as long as the busy
  /// timeout. Errors: as Execute, kUnavailable when they did not end in time.
  Status CheckpointAndTruncate();

 private:
  explicit Database(sqlite3* db) : db_(db) {}
  sqlite3* db_ = nullptr;
  std::unique_ptr<int64_t> wal_pages_;  // SQLite holds its address
};

/// BEGIN IMMEDIATE in Begin(), ROLLBACK on destruction unless Commit() succeeded.
class Transaction {
 public:
  static Result<Transaction> Begin(Database& db);
  ~Transaction();
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  /// After a failure nothing shows, but what was written may be whole in the WAL, and show once the
  /// database is opened after a crash. A later commit of this connection overwrites it.
  Status Commit();

 private:
  explicit Transaction(Database& db) : db_(&db) {}
  Database* db_;
};

}  // namespace playhead::sqlite
