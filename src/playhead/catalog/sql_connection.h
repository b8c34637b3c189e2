#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace playhead::catalog {

/// A parameter, or a cell of a result.
using SqlValue = std::variant<std::monostate, int64_t, std::string>;

struct SqlRow {
  std::vector<SqlValue> cells;

  bool IsNull(size_t column) const { return cells[column].index() == 0; }
  /// 0 for what is no number.
  int64_t Int(size_t column) const {
    const auto* number = std::get_if<int64_t>(&cells[column]);
    return number == nullptr ? 0 : *number;
  }
  /// Empty for what is no text.
  std::string Text(size_t column) const {
    const auto* text = std::get_if<std::string>(&cells[column]);
    return text == nullptr ? std::string() : *text;
  }
};

/// A connection to a catalog's database: all that differs between databases. Statements name their
/// parameters ?1, ?2, …
///
/// Errors   kUnavailable (busy, away), kResourceExhausted (disk full), kAlreadyExists (a key that
///          is there), kDataCorrupt, kPermissionDenied.
/// Threads  one at a time.
class SqlConnection {
 public:
  virtual ~SqlConnection() = default;

  virtual Result<std::vector<SqlRow>> Query(std::string_view sql,
                                            std::initializer_list<SqlValue> parameters) = 0;
  /// Returns how many rows it changed.
  virtual Result<int64_t> Execute(std::string_view sql,
                                  std::initializer_list<SqlValue> parameters) = 0;

  enum class Access { kRead, kWrite };
  /// A transaction in which all reads are of one moment; one that writes is alone from here on.
  virtual Status Begin(Access access) = 0;
  /// After a failure nobody knows whether it happened.
  virtual Status Commit() = 0;
  virtual void Rollback() = 0;

  /// SQL expression: the database's own time, microseconds since 1970.
  virtual std::string_view now_us() const = 0;
};

/// ROLLBACK on destruction unless Commit() was called.
class SqlTransaction {
 public:
  explicit SqlTransaction(SqlConnection& connection) : connection_(&connection) {}
  ~SqlTransaction() {
    if (is_open_) connection_->Rollback();
  }
  SqlTransaction(const SqlTransaction&) = delete;
  SqlTransaction& operator=(const SqlTransaction&) = delete;

  Status Begin(SqlConnection::Access access) {
    PH_RETURN_IF_ERROR(connection_->Begin(access));
    is_open_ = true;
    return {};
  }
  Status Commit() {
    PH_RETURN_IF_ERROR(connection_->Commit());
    is_open_ = false;
    return {};
  }

 private:
  SqlConnection* connection_;
  bool is_open_ = false;
};

}  // namespace playhead::catalog
