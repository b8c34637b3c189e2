#pragma once

#include "playhead/iceberg/types.h"

#include <duckdb.hpp>
#include <duckdb/common/multi_file/multi_file_data.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace playhead::sql {

/// The type a column of that Iceberg type has in SQL.
duckdb::LogicalType DuckdbType(const iceberg::Type& type);

/// A table's column as DuckDB's multi-file reader maps it: by field id at every level, null in
/// files that lack it.
duckdb::MultiFileColumnDefinition ColumnDefinition(const iceberg::NestedField& field);

/// A lower or upper bound (Iceberg's single-value form, also of a type that has been widened since)
/// as a value of the column's type; nothing for types whose bounds we do not use.
std::optional<duckdb::Value> BoundValue(const iceberg::Type& type, std::string_view bytes);

}  // namespace playhead::sql
