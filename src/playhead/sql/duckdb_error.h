#pragma once

#include "playhead/base/status.h"

#include <duckdb.hpp>

namespace playhead::sql {

/// DuckDB's error, message and caret, with our code.
Status ToStatus(const duckdb::ErrorData& error);

}  // namespace playhead::sql
