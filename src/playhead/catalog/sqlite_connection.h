#pragma once

#include "playhead/catalog/sql_connection.h"

#include <memory>
#include <string>

namespace playhead::catalog {

/// A SQLite database as a catalog's connection. One that writes has its WAL moved into the database
/// file by a thread of its own, so that a commit rarely waits for it.
/// Errors: those of sqlite::Database::Open.
Result<std::unique_ptr<SqlConnection>> OpenSqliteConnection(const std::string& path,
                                                            bool read_only);

}  // namespace playhead::catalog
