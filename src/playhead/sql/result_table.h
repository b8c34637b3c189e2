#pragma once

#include "playhead/sql/session.h"

#include <duckdb.hpp>

#include <memory>
#include <string>

namespace playhead::sql {

/// Wraps a finished, successful result.
std::unique_ptr<ResultTable> MakeResultTable(
    duckdb::shared_ptr<duckdb::ClientContext> context,
    duckdb::unique_ptr<duckdb::MaterializedQueryResult> result);

/// JSON of one value; see ResultTable::CellJson.
std::string ValueJson(const duckdb::Value& value);

/// A field of a CSV line, quoted where needed.
std::string CsvField(const duckdb::Value& value);

}  // namespace playhead::sql
