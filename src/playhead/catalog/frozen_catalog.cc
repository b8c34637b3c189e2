#include "playhead/catalog/frozen_catalog.h"

namespace playhead::catalog {
namespace {

Status Refused() {
  return {StatusCode::kPermissionDenied, "the catalog of a past moment cannot be changed"};
}

}  // namespace

Result<std::vector<TableId>> FrozenCatalog::ListTables() {
  std::vector<TableId> ids;
  for (const auto& [id, location] : snapshot_.locations) ids.push_back(id);
  return ids;
}

Result<std::vector<Result<TableState>>> FrozenCatalog::LoadMany(const std::vector<TableId>& ids) {
  std::vector<Result<TableState>> states;
  for (const TableId& id : ids) {
    const auto found = snapshot_.locations.find(id);
    if (found == snapshot_.locations.end()) {
      states.emplace_back(Error(StatusCode::kNotFound, "no such table: {}", id.ToString()));
    } else {
      states.push_back(catalog_.LoadAt(id, found->second));
    }
  }
  return states;
}

Result<TableState> FrozenCatalog::LoadAt(const TableId& id, const std::string& location) {
  return catalog_.LoadAt(id, location);
}

Result<std::map<TableId, std::string>> FrozenCatalog::Locations() { return snapshot_.locations; }
Result<CatalogSnapshot> FrozenCatalog::Snapshot() { return snapshot_; }
Result<std::string> FrozenCatalog::Fingerprint() { return std::string("frozen"); }

CommitAnswer FrozenCatalog::Commit(const CommitRequest&) {
  return CommitAnswer::NotBegun(Refused());
}
CommitAnswer FrozenCatalog::InsertPlan(const PlanRow&, int64_t) {
  return CommitAnswer::NotBegun(Refused());
}
CommitAnswer FrozenCatalog::TakeOverPlan(const std::string&, const PlanOwner&, const PlanOwner&,
                                         int64_t, bool) {
  return CommitAnswer::NotBegun(Refused());
}
CommitAnswer FrozenCatalog::AbandonPlan(const std::string&, const PlanOwner&, const std::string&) {
  return CommitAnswer::NotBegun(Refused());
}
Status FrozenCatalog::ForgetPayload(const std::string&) { return Refused(); }

Result<std::vector<PlanRow>> FrozenCatalog::UnfinishedPlans() { return snapshot_.open_plans; }

Result<std::optional<PlanRow>> FrozenCatalog::FindPlan(const std::string& plan_id) {
  for (const PlanRow& plan : snapshot_.open_plans) {
    if (plan.plan_id == plan_id) return std::optional(plan);
  }
  return std::optional<PlanRow>();
}

Result<std::vector<LandingFile>> FrozenCatalog::LandingFiles(const TableId& table,
                                                             const std::string& table_uuid,
                                                             bool current_only) {
  std::vector<LandingFile> files;
  for (const LandingFile& file : snapshot_.landing_files) {
    if (file.table != table || (file.table_uuid != table_uuid && !file.table_uuid.empty()) ||
        (current_only && !file.is_current)) {
      continue;
    }
    files.push_back(file);
  }
  return files;
}

Result<std::vector<LandingFile>> FrozenCatalog::LandingFilesNamed(const TableId& table,
                                                                  const std::string& table_uuid,
                                                                  const std::string& name) {
  PH_ASSIGN_OR_RETURN(std::vector<LandingFile> files, LandingFiles(table, table_uuid, false));
  std::erase_if(files, [&](const LandingFile& file) { return file.name != name; });
  return files;
}

Result<std::map<std::string, std::string>> FrozenCatalog::SeenFiles(const TableId& table,
                                                                    const std::string& table_uuid) {
  return catalog_.SeenFiles(table, table_uuid);
}
Status FrozenCatalog::NoteSeen(const TableId&, const std::vector<SeenFile>&) { return Refused(); }

Result<Catalog::Expired> FrozenCatalog::ExpiredObjects(const TableId&, int64_t, int64_t) {
  return Expired();
}
Status FrozenCatalog::ForgetExpired(const std::vector<ExpiredObject>&) { return Refused(); }

Result<std::optional<std::string>> FrozenCatalog::GetProperty(const std::string& key) {
  return catalog_.GetProperty(key);
}
Status FrozenCatalog::SetProperty(const std::string&, const std::string&) { return Refused(); }

}  // namespace playhead::catalog
