#include "playhead/table/expired_files.h"

#include "playhead/base/logging.h"
#include "playhead/iceberg/manifest.h"

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

using iceberg::Snapshot;

bool HasOnlyMain(const iceberg::TableMetadata& metadata) {
  return std::ranges::all_of(metadata.refs, [](const auto& ref) { return ref.first == "main"; });
}

// Each snapshot's parent is the one before it.
bool IsOneLine(const std::vector<const Snapshot*>& by_age) {
  for (size_t i = 1; i < by_age.size(); ++i) {
    if (by_age[i]->parent_snapshot_id != by_age[i - 1]->snapshot_id) return false;
  }
  return true;
}

Result<std::vector<std::string>> ManifestPaths(storage::ObjectStore& store,
                                               const Snapshot& snapshot) {
  PH_ASSIGN_OR_RETURN(const std::string bytes, store.Get(snapshot.manifest_list));
  PH_ASSIGN_OR_RETURN(const auto manifests, iceberg::ReadManifestList(bytes));
  std::vector<std::string> paths;
  for (const iceberg::ManifestFile& manifest : manifests) paths.push_back(manifest.path);
  return paths;
}

Status DeleteBetween(storage::ObjectStore& store, const std::vector<const Snapshot*>& dropped,
                     const Snapshot& oldest_kept) {
  PH_ASSIGN_OR_RETURN(const auto kept, ManifestPaths(store, oldest_kept));
  const std::set<std::string> needed(kept.begin(), kept.end());
  std::set<std::string> expired;
  for (const Snapshot* snapshot : dropped) {
    PH_ASSIGN_OR_RETURN(const auto paths, ManifestPaths(store, *snapshot));
    for (const std::string& path : paths) {
      if (!needed.contains(path)) expired.insert(path);
    }
  }
  for (const std::string& path : expired) PH_RETURN_IF_ERROR(store.Delete(path));
  // The lists last: they are the way to the rest.
  for (const Snapshot* snapshot : dropped) {
    PH_RETURN_IF_ERROR(store.Delete(snapshot->manifest_list));
  }
  return {};
}

}  // namespace

void DeleteExpiredManifests(storage::ObjectStore& store, const iceberg::TableMetadata& base,
                            const iceberg::TableMetadata& next) {
  if (!HasOnlyMain(base) || !HasOnlyMain(next)) return;
  std::vector<const Snapshot*> dropped;
  for (const Snapshot& snapshot : base.snapshots) {
    if (next.FindSnapshot(snapshot.snapshot_id) == nullptr) dropped.push_back(&snapshot);
  }
  if (dropped.empty()) return;
  std::vector<const Snapshot*> all = dropped;
  for (const Snapshot& snapshot : next.snapshots) all.push_back(&snapshot);
  std::ranges::sort(all, {}, &Snapshot::sequence_number);
  // What was dropped is the old end of the line.
  const bool is_old_end = std::ranges::all_of(dropped, [&](const Snapshot* snapshot) {
    return snapshot->sequence_number < all[dropped.size()]->sequence_number;
  });
  if (!is_old_end || !IsOneLine(all)) return;
  const Status status = DeleteBetween(store, dropped, *all[dropped.size()]);
  if (!status.ok()) {
    logging::Warn("table", "expired manifests stay",
                  {{"location", base.location}, {"error", status.ToString()}});
  }
}

}  // namespace playhead::table
