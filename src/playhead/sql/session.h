#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/storage/object_store.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sql {

enum class OutputFormat { kTable, kCsv, kJson, kMarkdown };
Result<OutputFormat> ParseOutputFormat(std::string_view name);

/// Options of a session.
struct SessionOptions {
  int64_t memory_bytes_max = 2LL << 30;
  int32_t threads = 0;      ///< 0 = all cores
  std::string temp_folder;  ///< spill; empty = none, then a statement fails when memory is full
  /// Called a few times a second while a statement runs, with 0–100, or −1 while nothing is known.
  std::function<void(double percent)> on_progress;
};

/// A word that completes what was typed.
struct Completion {
  std::string text;
  size_t start = 0;  ///< byte of the input that `text` replaces from, up to the cursor
};

/// A column of a seed's CSV file.
struct SeedColumn {
  std::string name;
  std::string data_type;
};

/// A materialized result. Lives no longer than its session.
class ResultTable {
 public:
  virtual ~ResultTable() = default;
  virtual const std::vector<std::string>& columns() const = 0;
  virtual int64_t rows() const = 0;
  /// JSON of one value: numbers (also DECIMAL and HUGEINT) as numbers, NaN and infinities as null,
  /// times as ISO 8601 text in UTC, lists and structs as JSON, null.
  virtual std::string CellJson(int64_t row, int column) const = 0;
  /// One value as CSV and people see it; nothing for null.
  virtual std::optional<std::string> CellText(int64_t row, int column) const = 0;
  /// The whole result with a final line break. kTable is a box: all of it for `terminal_columns` 0,
  /// else fitted to that width and at most 40 rows. kCsv has no value for null and "" for empty
  /// text. kJson is an array of objects.
  virtual std::string Render(OutputFormat format, int terminal_columns) const = 0;
};

/// Embedded DuckDB over the lake: each catalog table is a view over the live files of its current
/// snapshot, refreshed before every statement when the catalog moved, so a statement sees one state
/// of all tables. Files are pruned by their bounds and partitions. Times with a zone are shown in
/// UTC unless the statement sets `TimeZone`.
///
/// Outside  local files can be read and written with the rights of the user, as in DuckDB's own
///          shell; nothing reaches the network: extensions are neither installed nor loaded.
/// Threads  one at a time, except where a method says otherwise.
class Session {
 public:
  static Result<std::unique_ptr<Session>> Open(catalog::Catalog& catalog,
                                               storage::ObjectStore& store,
                                               SessionOptions options = {});
  virtual ~Session() = default;

  /// Runs one or more statements; the last one's result. Errors: kInvalidArgument (SQL, with
  /// DuckDB's message and caret), kNotFound (table, column), kResourceExhausted, kNotSupported,
  /// kCancelled (Interrupt), kUnavailable or kDataCorrupt (a file of the lake).
  virtual Result<std::unique_ptr<ResultTable>> Query(std::string_view sql) = 0;
  /// As Query; the result of each statement that has rows is handed to `emit`, in order.
  virtual Status Run(std::string_view sql,
                     const std::function<Status(const ResultTable&)>& emit) = 0;
  /// Completions for the text before the cursor: DuckDB's sql_auto_complete.
  virtual std::vector<Completion> Complete(std::string_view text) = 0;
  /// True when `text` ends inside a statement (the shell then reads another line).
  virtual bool IsIncomplete(std::string_view text) = 0;
  /// Ends the running statement with kCancelled. Threads: any, also in a signal handler.
  virtual void Interrupt() = 0;
  /// Registers a CSV file with a header line as `<schema>.<name>`; empty is null.
  virtual Status AddSeed(const std::string& schema, const std::string& name,
                         const std::string& csv_path, const std::vector<SeedColumn>& columns) = 0;
};

}  // namespace playhead::sql
