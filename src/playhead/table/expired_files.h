#pragma once

#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

namespace playhead::table {

/// Deletes what only the snapshots that left the metadata between `base` and `next` needed: their
/// manifest lists and the manifests that no later snapshot has. Data files stay.
///
/// A manifest that left main's list never comes back while the snapshots are one line of parents,
/// so the oldest snapshot kept tells what is still needed; with tags, branches or a rollback in
/// between nothing is deleted. Best effort: a failure is logged.
void DeleteExpiredManifests(storage::ObjectStore& store, const iceberg::TableMetadata& base,
                            const iceberg::TableMetadata& next);

}  // namespace playhead::table
