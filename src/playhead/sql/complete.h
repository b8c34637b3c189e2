#pragma once

#include <duckdb.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace playhead::sql {

struct Completion;

/// Completions for the text before the cursor: behind a comparison the values that the column has
/// among the first rows of its table, else DuckDB's sql_auto_complete. Throws what DuckDB throws.
std::vector<Completion> CompleteText(duckdb::Connection& connection, const std::string& text);

}  // namespace playhead::sql
