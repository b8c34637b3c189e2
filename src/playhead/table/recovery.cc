#include "playhead/base/logging.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/epoch_plan.h"
#include "playhead/table/progress.h"
#include "playhead/table/publish.h"

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::table {
namespace {

// Spill files of the SQL engine are beside the plans and belong to running processes.
constexpr std::string_view kSpillFolder = "duckdb";

// Deletes the data files that the head's own commit replaced. The commit does it itself; a crash
// between its transaction and then would leave rows twice for whoever reads the folder.
Status SweepReplacedFiles(storage::ObjectStore& store, const iceberg::TableMetadata& metadata) {
  const iceberg::Snapshot* head = metadata.CurrentSnapshot();
  if (head == nullptr || !head->summary.contains("deleted-data-files")) return {};
  if (!head->summary.contains(std::string(kPlanIdKey)) || metadata.snapshots.size() != 1) return {};
  PH_ASSIGN_OR_RETURN(const std::string list, store.Get(head->manifest_list));
  PH_ASSIGN_OR_RETURN(const auto manifests, iceberg::ReadManifestList(list));
  std::set<std::string> deleted;
  std::set<std::string> live;
  for (const iceberg::ManifestFile& manifest : manifests) {
    if (manifest.content != 0) return {};
    PH_ASSIGN_OR_RETURN(const std::string bytes, store.Get(manifest.path));
    PH_ASSIGN_OR_RETURN(const auto entries, iceberg::ReadManifest(bytes, manifest));
    for (const iceberg::ManifestEntry& entry : entries) {
      const bool is_deleted = entry.status == iceberg::EntryStatus::kDeleted;
      (is_deleted ? deleted : live).insert(entry.file.path);
    }
  }
  for (const std::string& path : deleted) {
    if (!live.contains(path)) PH_RETURN_IF_ERROR(store.Delete(path));
  }
  return {};
}

}  // namespace

Status Committer::Recover() {
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::Plan> plans, catalog_.OpenPlans());
  for (const catalog::Plan& row : plans) {
    const Status status = RecoverPlan(row);
    if (!status.ok()) return status.WithContext("cannot recover plan " + row.plan_id);
  }
  PH_ASSIGN_OR_RETURN(const auto folders, store_.ListFolders(warehouse_uri_ + "/_staging"));
  for (const std::string& folder : folders) {
    if (folder != kSpillFolder) PH_RETURN_IF_ERROR(store_.DeleteTree(StagingUri(folder)));
  }
  PH_ASSIGN_OR_RETURN(const auto tables, catalog_.ListTables());
  for (const catalog::TableId& id : tables) {
    const Result<catalog::TableState> table = catalog_.Load(id);
    const Status swept =
        table.ok() ? SweepReplacedFiles(store_, *table->metadata) : table.error();
    if (swept.code() == StatusCode::kUnavailable) return swept;
    if (!swept.ok()) {
      // One table that cannot be read keeps no other from being ingested.
      logging::Warn("table", "not looked at for replaced files",
                    {{"table", id.ToString()}, {"why", swept.ToString()}});
    }
  }
  return {};
}

Status Committer::RecoverPlan(const catalog::Plan& row) {
  PH_ASSIGN_OR_RETURN(const bool is_published, IsAnyPublished(store_, row));
  logging::Info("table", is_published ? "finishing a plan" : "discarding a plan",
                {{"plan", row.plan_id}, {"table", row.table.ToString()}});
  if (is_published) {
    const Result<EpochOutcome> outcome = FinishPlan(row);
    // A conflict has abandoned the plan: its rows are in the head, or will be read again.
    if (outcome.ok() || outcome.error().code() == StatusCode::kConflict) return {};
    return outcome.error();
  }
  // The fence: without its staged files a zombie that made this plan cannot publish, without the
  // row it cannot commit.
  PH_RETURN_IF_ERROR(store_.DeleteTree(StagingUri(row.plan_id)));
  return catalog_.DeletePlan(row.plan_id);
}

Status Committer::Discard(const std::string& plan_id) {
  PH_ASSIGN_OR_RETURN(const auto open, catalog_.FindPlan(plan_id));
  if (open.has_value()) {
    return Error(StatusCode::kConflict, "the epoch is planned already: plan={}", plan_id);
  }
  return store_.DeleteTree(StagingUri(plan_id));
}

}  // namespace playhead::table
