#pragma once

#include "playhead/storage/object_store.h"

#include <duckdb.hpp>

#include <string>

namespace playhead::sql {

/// Makes DuckDB read `file:` and `memory:` URIs from `store`, by ranges. Everything else that
/// DuckDB can do with `file:` paths (glob, write, remove) stays its own, so a user may do no more
/// and no less than before. `store` outlives the database.
void RegisterStoreFileSystem(duckdb::DatabaseInstance& database, storage::ObjectStore& store);

/// A place as DuckDB is to open it: a path without a scheme, which some engines write into
/// metadata, would not reach the store.
std::string StorePath(const std::string& uri);

}  // namespace playhead::sql
