#pragma once

#include "playhead/base/status.h"
#include "playhead/cli/query_progress.h"
#include "playhead/sql/engine.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace playhead::cli {

/// Runs SQL and dot commands, interactive or from a script, and writes the results to stdout. On a
/// terminal a box wider than the screen goes to the pager.
class SqlConsole {
 public:
  SqlConsole(sql::Connection& connection, QueryProgress& progress,
             std::optional<sql::OutputFormat> format)
      : connection_(connection), progress_(progress), format_(format) {}

  /// Errors: those of the statement, kCancelled (stdout was closed).
  Status RunSql(const std::string& sql);
  /// True for `.tables`, `\d`, `quit` and the like, which end with their line.
  static bool IsCommand(std::string_view line);
  /// Runs statements and commands, the latter on lines of their own, up to the first failure. False
  /// if a command asks to leave. Errors: kInvalidArgument, kNotFound, as RunSql.
  Result<bool> RunScript(std::string_view text);

 private:
  Result<bool> RunCommand(std::string_view line);
  Status DescribeTable(const std::string& name);
  Status SetOption(const std::string& option, const std::string& value);

  sql::Connection& connection_;
  QueryProgress& progress_;
  std::optional<sql::OutputFormat> format_;  ///< empty: a table on a terminal, CSV in a pipe
  int64_t rows_max_ = 40;
  bool has_timer_ = false;
};

}  // namespace playhead::cli
