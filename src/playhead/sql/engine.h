#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/sql/row_writer.h"
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

struct EngineOptions {
  int64_t memory_bytes_max = 2LL << 30;
  int32_t threads = 0;      ///< 0 = all cores
  std::string temp_folder;  ///< shared: each engine spills into a folder of its own below it; empty
                            ///< = none, then a statement fails when memory is full
};

struct ConnectionOptions {
  /// Called a few times a second while a statement runs, with 0–100, or −1 while nothing is known.
  /// False ends the statement with kCancelled.
  std::function<bool(double percent)> on_progress;
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

/// A whole result. Lives no longer than its connection.
class ResultTable {
 public:
  struct State;
  explicit ResultTable(std::unique_ptr<State> state);
  ~ResultTable();

  const std::vector<std::string>& columns() const;
  int64_t rows() const;
  /// JSON of one value: numbers (also DECIMAL and HUGEINT) as numbers, NaN and infinities as null,
  /// times as ISO 8601 text in UTC, lists and structs as JSON, null.
  std::string CellJson(int64_t row, int column) const;
  /// One value as CSV and people see it; nothing for null.
  std::optional<std::string> CellText(int64_t row, int column) const;
  /// All rows, formatted, with a final line break.
  std::string Render(const OutputStyle& style) const;

 private:
  std::unique_ptr<State> state_;
};

/// A result whose rows are computed while they are read.
class ResultStream {
 public:
  virtual ~ResultStream() = default;
  /// EXPLAIN: a plan drawn in lines, which every format but CSV, TSV and JSON writes as they are.
  virtual bool is_plan() const = 0;
  /// Writes all rows, a piece as soon as there are some. Errors: those of a statement, the sink's.
  virtual Status Write(const OutputStyle& style, const OutputSink& sink) = 0;
};

/// A session of an Engine: its settings, transaction and temporary tables. Each statement sees the
/// lake as it is when the statement begins, in a transaction as when that began.
///
/// Memory   a streamed result holds about a megabyte; a whole one all its rows.
/// Threads  one at a time, except Interrupt(); several connections at once.
class Connection {
 public:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  ~Connection();

  /// Runs one or more statements; the last one's result. Errors: kInvalidArgument (SQL, with
  /// DuckDB's message and caret), kNotFound (table, column, snapshot), kResourceExhausted,
  /// kNotSupported (also: to change the lake), kCancelled (Interrupt), kUnavailable or kDataCorrupt
  /// (a file of the lake).
  Result<std::unique_ptr<ResultTable>> Query(std::string_view sql);
  /// As Query; each statement that has rows is handed to `emit`, in order. What `emit` leaves
  /// unread is not computed.
  Status Run(std::string_view sql, const std::function<Status(ResultStream&)>& emit);
  /// Completions for the text before the cursor.
  std::vector<Completion> Complete(std::string_view text);
  /// Ends the running statement with kCancelled. Threads: any, also in a signal handler.
  void Interrupt();

 private:
  std::unique_ptr<State> state_;
};

/// Embedded DuckDB over the lake: each catalog table is a view over the live files of its current
/// snapshot, refreshed before every statement when the catalog moved, so a statement sees one state
/// of all tables. Files are pruned by their bounds and partitions. `AT (VERSION => …)` and
/// `AT (TIMESTAMP => …)` read an older snapshot.
///
/// Outside  local files can be read and written with the rights of the user, as in DuckDB's own
///          shell; nothing reaches the network: extensions are neither installed nor loaded, and
///          what could change that cannot be set.
/// Threads  any.
class Engine {
 public:
  struct State;
  static Result<std::unique_ptr<Engine>> Open(catalog::Catalog& catalog,
                                              storage::ObjectStore& store,
                                              EngineOptions options = {});
  explicit Engine(std::unique_ptr<State> state);
  ~Engine();

  /// The connection lives no longer than the engine.
  Result<std::unique_ptr<Connection>> Connect(ConnectionOptions options = {});
  /// Registers a CSV file with a header line as `<schema>.<name>`; empty is null.
  Status AddSeed(const std::string& schema, const std::string& name, const std::string& csv_path,
                 const std::vector<SeedColumn>& columns);

 private:
  std::unique_ptr<State> state_;
};

/// True when `text` ends inside a statement: another line may follow.
bool IsIncomplete(std::string_view text);

}  // namespace playhead::sql
