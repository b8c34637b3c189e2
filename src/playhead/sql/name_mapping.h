#pragma once

#include "playhead/iceberg/types.h"

#include <duckdb.hpp>
#include <duckdb/common/multi_file/multi_file_data.hpp>

#include <map>
#include <string>
#include <vector>

namespace playhead::sql {

/// Names under which files without field ids may hold a field, any depth.
/// Source: Iceberg spec, "Column Projection", name mapping.
using NamesById = std::map<int32_t, std::vector<std::string>>;

/// The table property `schema.name-mapping.default`; empty without it or when it cannot be read.
NamesById ReadNameMapping(const iceberg::TableMetadata& metadata);

/// `columns` of a table with, instead of field ids, the names that `file_columns` have them under.
duckdb::vector<duckdb::MultiFileColumnDefinition> NameColumns(
    const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
    const duckdb::vector<duckdb::MultiFileColumnDefinition>& file_columns, const NamesById& names);

}  // namespace playhead::sql
