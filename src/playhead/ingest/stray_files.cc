#include "playhead/ingest/stray_files.h"

#include "playhead/ingest/foreign_files.h"
#include "playhead/table/plan.h"

#include <algorithm>
#include <set>

namespace playhead::ingest {
namespace {

constexpr int64_t kPageObjects = 10'000;

/// Leaves out what the plans have published, or are about to delete.
Result<int64_t> LeaveOutPlans(catalog::Catalog& catalog, const catalog::TableId& id,
                              std::vector<catalog::PlanRow> rows, std::vector<std::string>& uris) {
  int64_t left_out = 0;
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::PlanRow> unfinished, catalog.UnfinishedPlans());
  rows.insert(rows.end(), unfinished.begin(), unfinished.end());
  for (const catalog::PlanRow& row : rows) {
    std::set<std::string> paths;
    if (!row.payload.empty() && row.format == table::kPlanFormat) {
      PH_ASSIGN_OR_RETURN(const table::Plan plan, table::PlanFromJson(row.plan_id, row.payload));
      for (const table::PlannedChange& change : plan.changes) {
        if (change.id != id) continue;
        for (const std::string& path : change.removed_paths) paths.insert(PlainPath(path));
        for (const table::StagedFile& file : change.added) {
          paths.insert(PlainPath(file.file.path));
        }
      }
    } else if (row.format != table::kPlanFormat && row.table == id) {
      return Error(StatusCode::kNotSupported, "plan {} is of an earlier release", row.plan_id);
    }
    left_out += static_cast<int64_t>(std::erase_if(uris, [&](const std::string& uri) {
      return uri.find(row.plan_id) != std::string::npos || paths.contains(PlainPath(uri));
    }));
  }
  return left_out;
}

}  // namespace

Result<std::vector<std::string>> ListDataFiles(storage::ObjectStore& store,
                                               const iceberg::TableMetadata& metadata) {
  std::vector<std::string> uris;
  std::string token;
  do {
    PH_ASSIGN_OR_RETURN(storage::ObjectPage page,
                        store.ListPage(metadata.location + "/data", token, kPageObjects));
    for (storage::ObjectInfo& object : page.objects) {
      if (object.uri.ends_with(".parquet")) uris.push_back(std::move(object.uri));
    }
    token = std::move(page.next_token);
  } while (!token.empty());
  return uris;
}

Result<StrayFiles> FindStrayFiles(catalog::Catalog& catalog, storage::ObjectStore& store,
                                  const catalog::TableState& table,
                                  const std::vector<catalog::PlanRow>& open_plans,
                                  const std::vector<catalog::LiveFile>& live,
                                  const std::vector<std::string>& listed) {
  StrayFiles found{.uris = listed};
  const auto leave_out = [&found](const std::set<std::string>& paths) {
    std::erase_if(found.uris,
                  [&](const std::string& uri) { return paths.contains(PlainPath(uri)); });
  };
  std::set<std::string> paths;
  for (const catalog::LiveFile& file : live) paths.insert(PlainPath(file.file.path));
  leave_out(paths);
  if (found.uris.empty()) return found;

  PH_ASSIGN_OR_RETURN(found.of_plans, LeaveOutPlans(catalog, table.id, open_plans, found.uris));
  catalog::ManifestCache cache;
  for (const iceberg::Snapshot& snapshot : table.metadata->snapshots) {
    if (found.uris.empty()) break;
    PH_ASSIGN_OR_RETURN(const auto files,
                        catalog::LiveFiles(store, *table.metadata, &cache, snapshot.snapshot_id));
    paths.clear();
    for (const catalog::LiveFile& file : files) paths.insert(PlainPath(file.file.path));
    leave_out(paths);
  }
  // What was deleted meanwhile is no stray.
  std::erase_if(found.uris, [&](const std::string& uri) {
    return store.Stat(uri).status().code() == StatusCode::kNotFound;
  });
  return found;
}

}  // namespace playhead::ingest
