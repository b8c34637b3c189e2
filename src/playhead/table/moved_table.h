#pragma once

#include "playhead/catalog/rebind.h"
#include "playhead/storage/object_store.h"
#include "playhead/table/metadata_file.h"

#include <cstdint>

namespace playhead::table {

/// A table whose files lie at a new place, with metadata that says so.
struct MovedTable {
  NextMetadata metadata;
  int64_t live_files = 0;
};

/// Writes manifests and lists of all snapshots and the next metadata of a table anew, with the new
/// places in them; the catalog move is left to the caller. Reads at the new place only, so the old
/// one need not exist, and changes no file that is there. Snapshots, refs and ids stay; the log of
/// old metadata files, which lie elsewhere, does not.
///
/// Errors: kNotFound (a file of the table did not come along), kDataCorrupt (it came in part),
///         kNotSupported (delete files, whose contents name data files), those of the store.
Result<MovedTable> RewriteMovedTable(storage::ObjectStore& store, const catalog::TablePlace& table,
                                     const catalog::PlaceMove& move);

}  // namespace playhead::table
