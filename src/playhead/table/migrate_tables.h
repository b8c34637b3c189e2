#pragma once

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"

#include <map>
#include <optional>
#include <string>

namespace playhead::table {

/// The topic whose offsets a journal's UUID stands for in one table's progress.
using TopicByLog = std::map<std::string, std::string>;

/// The metadata of a table that an earlier release made, as today's makes it; nothing where there
/// is no difference. Pure. `location` is the file that `table` was read from.
///   _partition                       the column is _topic_partition; its field id stays
///   day(ts) and hour(ts) in a spec   a new default spec with hour(ts), the folders as they were;
///                                    files keep the spec that they were written by
///   {"<journal>": …} in progress     {"<journal>/<topic>": …}, for the journals in `topics`, in
///                                    all snapshots, so that a rollback finds the new ids too
/// Errors: kInvalidArgument (the table forbids the new name).
Result<std::optional<iceberg::TableMetadata>> MigrateMetadata(const iceberg::TableMetadata& table,
                                                              const std::string& location,
                                                              const TopicByLog& topics,
                                                              int64_t now_ms);

/// Migrates all tables of the catalog in one transaction, guarded by where each stood; a crash
/// leaves all as they were or all migrated, and a second call changes nothing. Tables that cannot
/// be read, lie outside the warehouse or have an open plan are left as they are, with a warning.
/// The topic of a journal is that of the rows in the table and its dead letters; if these tell
/// several, or none, the journal keeps its old id and ingest names it. Errors: kConflict (others
/// commit without pause), kUnavailable, kResourceExhausted, kCommitUnknown.
Status MigrateTables(catalog::Catalog& catalog, storage::ObjectStore& store,
                     const std::string& warehouse_uri, const Clock& clock);

}  // namespace playhead::table
