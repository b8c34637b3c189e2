#include "playhead/catalog/sqlite_connection.h"

#include "playhead/base/logging.h"
#include "playhead/base/sqlite.h"
#include "playhead/catalog/sql_catalog.h"

#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace playhead::catalog {
namespace {

// SQLite's own number of pages after which a commit moves the WAL.
constexpr int64_t kCheckpointPages = 1000;

/// Moves the WAL into the database file whenever it was asked to. Only a WAL that is moved whole
/// starts anew, so the writer moves the rest, which is short by then, before it goes on.
class Checkpointer {
 public:
  explicit Checkpointer(sqlite::Database db) : db_(std::move(db)) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
  }

  void Ask() {
    const std::lock_guard lock(mutex_);
    is_asked_ = true;
    changed_.notify_all();
  }
  /// Whether a round has ended since the last call.
  bool TakeDone() {
    const std::lock_guard lock(mutex_);
    return std::exchange(is_done_, false);
  }

 private:
  void Loop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    while (changed_.wait(lock, stop, [this] { return is_asked_; })) {
      is_asked_ = false;
      lock.unlock();
      const auto progress = db_.Checkpoint();
      if (!progress.ok()) {
        logging::Warn("catalog", "cannot checkpoint", {{"why", progress.error().ToString()}});
      }
      lock.lock();
      is_done_ = true;
    }
  }

  sqlite::Database db_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  bool is_asked_ = false;
  bool is_done_ = false;
  std::jthread thread_;  // last: it uses all of the above
};

class SqliteConnection final : public SqlConnection {
 public:
  SqliteConnection(sqlite::Database db, std::unique_ptr<Checkpointer> checkpointer)
      : db_(std::move(db)), checkpointer_(std::move(checkpointer)) {}

  Result<std::vector<SqlRow>> Query(std::string_view sql,
                                    std::initializer_list<SqlValue> parameters) override {
    PH_ASSIGN_OR_RETURN(sqlite::Statement * statement, Prepared(sql, parameters));
    std::vector<SqlRow> rows;
    while (true) {
      const Result<bool> row = statement->Step();
      if (!row.ok() || !*row) {
        statement->Reset();
        PH_RETURN_IF_ERROR(row);
        return rows;
      }
      rows.push_back(ReadRow(*statement));
    }
  }

  Result<int64_t> Execute(std::string_view sql,
                          std::initializer_list<SqlValue> parameters) override {
    PH_ASSIGN_OR_RETURN(sqlite::Statement * statement, Prepared(sql, parameters));
    const Status status = statement->Run();
    statement->Reset();
    PH_RETURN_IF_ERROR(status);
    return db_.changes();
  }

  Status Begin(Access access) override {
    if (access == Access::kRead) return db_.Execute("BEGIN");
    if (checkpointer_ != nullptr && checkpointer_->TakeDone()) {
      // What was committed since the round began; nothing waits long for it.
      (void)db_.Checkpoint().ok();
    }
    return db_.Execute("BEGIN IMMEDIATE");
  }

  Status Commit() override {
    PH_RETURN_IF_ERROR(db_.Execute("COMMIT"));
    if (checkpointer_ != nullptr && db_.wal_pages() >= kCheckpointPages) checkpointer_->Ask();
    return {};
  }

  void Rollback() override {
    // After a failed COMMIT SQLite may have rolled back already.
    (void)db_.Execute("ROLLBACK").ok();
  }

  std::string_view now_us() const override {
    return "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)";
  }

 private:
  Result<sqlite::Statement*> Prepared(std::string_view sql,
                                      std::initializer_list<SqlValue> parameters) {
    auto found = statements_.find(sql);
    if (found == statements_.end()) {
      PH_ASSIGN_OR_RETURN(sqlite::Statement statement, db_.Prepare(sql));
      found = statements_.emplace(std::string(sql), std::move(statement)).first;
    }
    int index = 0;
    for (const SqlValue& value : parameters) {
      ++index;
      if (const auto* number = std::get_if<int64_t>(&value)) {
        found->second.BindInt(index, *number);
      } else if (const auto* text = std::get_if<std::string>(&value)) {
        found->second.BindText(index, *text);
      } else {
        found->second.BindNull(index);
      }
    }
    return &found->second;
  }

  static SqlRow ReadRow(const sqlite::Statement& statement) {
    SqlRow row;
    for (int column = 0; column < statement.columns(); ++column) {
      if (statement.ColumnIsNull(column)) {
        row.cells.emplace_back(std::monostate());
      } else if (statement.ColumnIsInt(column)) {
        row.cells.emplace_back(statement.ColumnInt(column));
      } else {
        row.cells.emplace_back(std::string(statement.ColumnText(column)));
      }
    }
    return row;
  }

  sqlite::Database db_;
  std::map<std::string, sqlite::Statement, std::less<>> statements_;
  std::unique_ptr<Checkpointer> checkpointer_;
};

}  // namespace

Result<std::unique_ptr<SqlConnection>> OpenSqliteConnection(const std::string& path,
                                                            bool read_only) {
  PH_ASSIGN_OR_RETURN(
      sqlite::Database db,
      sqlite::Database::Open(path, {.read_only = read_only, .wal_autocheckpoint_pages = 0}));
  std::unique_ptr<Checkpointer> checkpointer;
  if (!read_only) {
    PH_ASSIGN_OR_RETURN(sqlite::Database second,
                        sqlite::Database::Open(path, {.wal_autocheckpoint_pages = 0}));
    checkpointer = std::make_unique<Checkpointer>(std::move(second));
  }
  return std::unique_ptr<SqlConnection>(
      std::make_unique<SqliteConnection>(std::move(db), std::move(checkpointer)));
}

Result<std::unique_ptr<Catalog>> OpenSqliteCatalog(const std::string& path,
                                                   storage::ObjectStore& store, bool read_only) {
  std::unique_ptr<SqlConnection> writer;
  if (!read_only) {
    PH_ASSIGN_OR_RETURN(writer, OpenSqliteConnection(path, /*read_only=*/false));
    PH_RETURN_IF_ERROR(MakeCatalogTables(*writer).WithContext(path));
  } else if (access(path.c_str(), F_OK) != 0) {
    return Error(StatusCode::kNotFound, "no catalog: file={}", path);
  }
  PH_ASSIGN_OR_RETURN(auto reader, OpenSqliteConnection(path, /*read_only=*/true));
  PH_RETURN_IF_ERROR(CheckCatalogTables(*reader).WithContext(path));
  return std::unique_ptr<Catalog>(
      std::make_unique<SqlCatalog>(std::move(reader), std::move(writer), store));
}

}  // namespace playhead::catalog
