#pragma once

#include <duckdb.hpp>

#include <string>

namespace playhead::sql {

/// JSON of one value: numbers (also DECIMAL and HUGEINT) as numbers, NaN and infinities as null,
/// times as ISO 8601 text, lists and structs as JSON, null.
std::string ValueJson(const duckdb::Value& value);

/// `2024-01-31 12:00:00.5+00`, as DuckDB writes it → `2024-01-31T12:00:00.5Z`.
std::string IsoTime(std::string text, bool has_zone);

}  // namespace playhead::sql
