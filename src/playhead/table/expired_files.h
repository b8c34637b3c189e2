#pragma once

#include "playhead/table/plan_world.h"

#include <cstddef>
#include <cstdint>

namespace playhead::table {

/// Readers that found a file through a snapshot have at least this long to read it once the
/// snapshot is dropped.
inline constexpr int64_t kExpiredFilesKeptMicros = 3600LL * 1'000'000;
/// A commit deletes expired files once so many are due, since each round is one more transaction.
inline constexpr size_t kExpiredBatch = 64;

/// Deletes metadata files that left a table's metadata log, and lists and manifests that only
/// dropped snapshots had, once they are due and at least `due_min` of them are. Best effort: what
/// fails is logged and stays for the next time.
void DeleteExpiredFiles(const PlanWorld& world, const catalog::TableId& id, size_t due_min,
                        int64_t kept_us = kExpiredFilesKeptMicros);

}  // namespace playhead::table
