#pragma once

#include <duckdb.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace playhead::sql {

struct Completion;

/// Completions for the text before the cursor: after a comparison operator, values of the column
/// (sampled from the first rows of its table); otherwise DuckDB's sql_auto_complete. Throws
/// DuckDB's exceptions.
std::vector<Completion> CompleteText(duckdb::Connection& connection, const std::string& text);

}  // namespace playhead::sql
