#include "playhead/base/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

namespace playhead::sqlite {
namespace {

StatusCode CodeOf(int rc) {
  switch (rc & 0xFF) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return StatusCode::kUnavailable;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return StatusCode::kResourceExhausted;
    case SQLITE_CONSTRAINT:
      return StatusCode::kAlreadyExists;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StatusCode::kDataCorrupt;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return StatusCode::kPermissionDenied;
    default:
      return StatusCode::kInvalidArgument;
  }
}

Status ErrorOf(sqlite3* db, int rc) {
  const char* name = db == nullptr ? nullptr : sqlite3_db_filename(db, "main");
  // Where SQLite finds no room for its shared memory it speaks of the disk only.
  const int error = db == nullptr ? 0 : sqlite3_system_errno(db);
  if ((rc & 0xFF) == SQLITE_IOERR && (error == ENOSPC || error == EDQUOT)) {
    return Error(StatusCode::kResourceExhausted, "sqlite: the disk is full: {}: file={}",
                 sqlite3_errmsg(db), name == nullptr ? "?" : name);
  }
  return Error(CodeOf(rc), "sqlite: {}: file={}",
               db == nullptr ? sqlite3_errstr(rc) : sqlite3_errmsg(db),
               name == nullptr ? "?" : name);
}

int CountWalPages(void* count, sqlite3* /*db*/, const char* /*name*/, int pages) {
  *static_cast<int64_t*>(count) = pages;
  return SQLITE_OK;
}

}  // namespace

Statement::~Statement() { sqlite3_finalize(statement_); }
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), unbound_(std::move(other.unbound_)) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(unbound_, other.unbound_);
  return *this;
}

void Statement::Bound(int index, int code) {
  if (code == SQLITE_OK || !unbound_.ok()) return;
  unbound_ = Error(CodeOf(code), "sqlite: parameter {} cannot be bound: {}: sql={}", index,
                   sqlite3_errstr(code), sqlite3_sql(statement_));
}

void Statement::BindInt(int index, int64_t value) {
  Bound(index, sqlite3_bind_int64(statement_, index, value));
}
void Statement::BindText(int index, std::string_view value) {
  // A null pointer would bind NULL, so an empty view gets a pointer to something.
  const char* data = value.data() == nullptr ? "" : value.data();
  Bound(index,
        sqlite3_bind_text64(statement_, index, data, value.size(), SQLITE_STATIC, SQLITE_UTF8));
}
void Statement::BindBlob(int index, std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  Bound(index, sqlite3_bind_blob64(statement_, index, data, value.size(), SQLITE_STATIC));
}
void Statement::BindNull(int index) { Bound(index, sqlite3_bind_null(statement_, index)); }

Result<bool> Statement::Step() {
  PH_RETURN_IF_ERROR(unbound_);
  const int rc = sqlite3_step(statement_);
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  Status status = ErrorOf(sqlite3_db_handle(statement_), rc);
  sqlite3_reset(statement_);
  return status;
}

Status Statement::Run() {
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) break;
  }
  Reset();
  return {};
}

void Statement::Reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  unbound_ = {};
}

int64_t Statement::ColumnInt(int index) const { return sqlite3_column_int64(statement_, index); }
std::string_view Statement::ColumnText(int index) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, index));
  if (text == nullptr) return {};
  return {text, static_cast<size_t>(sqlite3_column_bytes(statement_, index))};
}
std::string_view Statement::ColumnBlob(int index) const {
  const auto* blob = static_cast<const char*>(sqlite3_column_blob(statement_, index));
  if (blob == nullptr) return {};
  return {blob, static_cast<size_t>(sqlite3_column_bytes(statement_, index))};
}
bool Statement::ColumnIsNull(int index) const {
  return sqlite3_column_type(statement_, index) == SQLITE_NULL;
}
bool Statement::ColumnIsInt(int index) const {
  return sqlite3_column_type(statement_, index) == SQLITE_INTEGER;
}
int Statement::columns() const { return sqlite3_column_count(statement_); }

Result<Database> Database::Open(const std::string& path, DatabaseOptions options) {
  int flags = options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create && !options.read_only) flags |= SQLITE_OPEN_CREATE;
  sqlite3* handle = nullptr;
  const int rc = sqlite3_open_v2(path.c_str(), &handle, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(handle);
  if (rc != SQLITE_OK) {
    return Error(CodeOf(rc), "cannot open SQLite database: {}: file={}", sqlite3_errstr(rc), path);
  }
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_busy_timeout(handle, options.busy_timeout_ms);
  if (!options.read_only) {
    if (options.page_bytes > 0) {
      PH_RETURN_IF_ERROR(db.Execute(fmt::format("PRAGMA page_size={};", options.page_bytes)));
    }
    PH_RETURN_IF_ERROR(db.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"));
    PH_RETURN_IF_ERROR(
        db.Execute(fmt::format("PRAGMA wal_autocheckpoint={};", options.wal_autocheckpoint_pages)));
    if (options.wal_autocheckpoint_pages == 0) {
      db.wal_pages_ = std::make_unique<int64_t>(0);
      // The hook is what SQLite's own checkpoints are made of, so there is room for one only.
      sqlite3_wal_hook(handle, &CountWalPages, db.wal_pages_.get());
    }
  }
  PH_RETURN_IF_ERROR(db.Execute("PRAGMA foreign_keys=ON;"));
  return db;
}

Database::~Database() { sqlite3_close_v2(db_); }
Database::Database(Database&& other) noexcept
    : db_(std::exchange(other.db_, nullptr)), wal_pages_(std::move(other.wal_pages_)) {}
Database& Database::operator=(Database&& other) noexcept {
  std::swap(db_, other.db_);
  std::swap(wal_pages_, other.wal_pages_);
  return *this;
}

Status Database::Execute(std::string_view sql) {
  const int rc = sqlite3_exec(db_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  return rc == SQLITE_OK ? Status() : ErrorOf(db_, rc);
}

Result<Statement> Database::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int rc = sqlite3_prepare_v3(db_, sql.data(), static_cast<int>(sql.size()),
                                    SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (rc != SQLITE_OK) return ErrorOf(db_, rc);
  return Statement(statement);
}

std::string Database::path() const {
  const char* name = sqlite3_db_filename(db_, "main");
  return name == nullptr ? std::string() : std::string(name);
}

int64_t Database::changes() const { return sqlite3_changes64(db_); }

Result<WalProgress> Database::Checkpoint() {
  int pages = 0;
  int moved = 0;
  const int rc = sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
  if (rc != SQLITE_OK) return ErrorOf(db_, rc);
  return WalProgress{pages, moved};
}

Status Database::CheckpointAndTruncate() {
  const int rc =
      sqlite3_wal_checkpoint_v2(db_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  return rc == SQLITE_OK ? Status() : ErrorOf(db_, rc);
}

Result<Transaction> Transaction::Begin(Database& db) {
  PH_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
  return Transaction(db);
}

Transaction::~Transaction() {
  if (db_ != nullptr) (void)db_->Execute("ROLLBACK").ok();
}

Status Transaction::Commit() {
  PH_RETURN_IF_ERROR(db_->Execute("COMMIT"));
  db_ = nullptr;
  return {};
}

}  // namespace playhead::sqlite
