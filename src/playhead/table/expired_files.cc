#include "playhead/table/expired_files.h"

#include "playhead/base/logging.h"
#include "playhead/iceberg/manifest.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

using catalog::ExpiredObject;

constexpr int64_t kExpiredAtOnce = 256;

Result<std::set<std::string>> ManifestPaths(storage::ObjectStore& store, const std::string& list) {
  PH_ASSIGN_OR_RETURN(const std::string bytes, store.Get(list));
  PH_ASSIGN_OR_RETURN(const auto manifests, iceberg::ReadManifestList(bytes));
  std::set<std::string> paths;
  for (const iceberg::ManifestFile& manifest : manifests) paths.insert(manifest.path);
  return paths;
}

// Deletes a dropped snapshot's list and the manifests that the next newer list does not have. The
// history was one line when it was dropped, so no later list has them either.
Status DeleteList(storage::ObjectStore& store, const std::string& list, const std::string& newer) {
  const auto paths = ManifestPaths(store, list);
  // Deleted by a round that did not get to say so.
  if (!paths.ok() && paths.error().code() == StatusCode::kNotFound) return {};
  PH_RETURN_IF_ERROR(paths);
  PH_ASSIGN_OR_RETURN(const auto kept, ManifestPaths(store, newer));
  for (const std::string& path : *paths) {
    if (!kept.contains(path)) PH_RETURN_IF_ERROR(store.Delete(path));
  }
  return store.Delete(list);  // last: it is the way to the rest
}

// The list that follows `object`: of the expired ones, else of the oldest snapshot that is kept.
std::optional<std::string> NewerList(const catalog::Catalog::Expired& expired,
                                     const ExpiredObject& object,
                                     const iceberg::TableMetadata& head) {
  for (const ExpiredObject& other : expired.due) {
    if (other.is_manifest_list && other.id > object.id) return other.uri;
  }
  if (expired.next_list) return expired.next_list->uri;
  const auto oldest =
      std::ranges::min_element(head.snapshots, {}, &iceberg::Snapshot::sequence_number);
  if (oldest == head.snapshots.end()) return std::nullopt;
  return oldest->manifest_list;
}

Status DeleteDue(const PlanWorld& world, const catalog::TableId& id, size_t due_min,
                 int64_t kept_us) {
  PH_ASSIGN_OR_RETURN(const catalog::Catalog::Expired expired,
                      world.catalog.ExpiredObjects(id, kept_us, kExpiredAtOnce));
  if (expired.due.empty() || expired.due.size() < due_min) return {};
  PH_ASSIGN_OR_RETURN(const catalog::TableState head, world.catalog.Load(id));
  std::vector<ExpiredObject> gone;
  Status status;
  for (const ExpiredObject& object : expired.due) {
    if (!object.is_manifest_list) {
      status = world.store.Delete(object.uri);
    } else if (const auto newer = NewerList(expired, object, *head.metadata)) {
      status = DeleteList(world.store, object.uri, *newer);
    }
    if (!status.ok()) break;
    gone.push_back(object);
  }
  if (!gone.empty()) PH_RETURN_IF_ERROR(world.catalog.ForgetExpired(gone));
  return status;
}

}  // namespace

void DeleteExpiredFiles(const PlanWorld& world, const catalog::TableId& id, size_t due_min,
                        int64_t kept_us) {
  const Status status = DeleteDue(world, id, due_min, kept_us);
  if (!status.ok()) {
    logging::Warn("table", "expired files stay",
                  {{"table", id.ToString()}, {"why", status.ToString()}});
  }
}

}  // namespace playhead::table
