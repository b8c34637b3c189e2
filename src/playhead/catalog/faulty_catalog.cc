#include "playhead/catalog/faulty_catalog.h"

#include <utility>

namespace playhead::catalog {
namespace {

Status Injected(const char* what) {
  return Error(StatusCode::kUnavailable, "injected fault: {}", what);
}

}  // namespace

void FaultyCatalog::Restart() {
  if (auto pending = std::exchange(pending_, nullptr)) (void)pending();
  former_.clear();
}

CommitAnswer FaultyCatalog::Transact(const Transaction& transaction) {
  switch (judge_(Call::kTransaction)) {
    case CatalogFault::kFails:
      return CommitAnswer::NotBegun(Injected("the database is busy"));
    case CatalogFault::kAnswerLost:
      // A refusal is a lost answer too: nothing happened, and nobody is told.
      if (transaction().committed()) pending_ = nullptr;
      return CommitAnswer::Unknown(Injected("the answer was lost"));
    case CatalogFault::kRequestLost:
      return CommitAnswer::Unknown(Injected("the request was lost"));
    case CatalogFault::kPending:
      pending_ = transaction;
      return CommitAnswer::Unknown(Injected("the commit was not synced"));
    case CatalogFault::kNone:
    case CatalogFault::kStale:
      break;
  }
  CommitAnswer answer = transaction();
  // It has taken the place of the one before in the WAL.
  if (answer.committed()) pending_ = nullptr;
  return answer;
}

Status FaultyCatalog::ReadFault() {
  return judge_(Call::kRead) == CatalogFault::kFails ? Injected("the database is away") : Status();
}

Result<std::vector<TableId>> FaultyCatalog::ListTables() {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.ListTables();
}

Result<std::vector<Result<TableState>>> FaultyCatalog::LoadMany(const std::vector<TableId>& ids) {
  const CatalogFault fault = judge_(Call::kRead);
  if (fault == CatalogFault::kFails) return Injected("the database is away");
  if (fault == CatalogFault::kStale) {
    if (const auto former = former_.find(ids); former != former_.end()) return former->second;
  }
  PH_ASSIGN_OR_RETURN(std::vector<Result<TableState>> tables, catalog_.LoadMany(ids));
  former_.insert_or_assign(ids, tables);
  return tables;
}

Result<TableState> FaultyCatalog::LoadAt(const TableId& id, const std::string& location) {
  return catalog_.LoadAt(id, location);
}

Result<std::map<TableId, std::string>> FaultyCatalog::Locations() {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.Locations();
}

Result<CatalogSnapshot> FaultyCatalog::Snapshot() {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.Snapshot();
}

Result<std::string> FaultyCatalog::Fingerprint() { return catalog_.Fingerprint(); }

CommitAnswer FaultyCatalog::Commit(const CommitRequest& request) {
  return Transact([this, request] { return catalog_.Commit(request); });
}

CommitAnswer FaultyCatalog::InsertPlan(const PlanRow& plan, int64_t lease_us) {
  return Transact([this, plan, lease_us] { return catalog_.InsertPlan(plan, lease_us); });
}

CommitAnswer FaultyCatalog::TakeOverPlan(const std::string& plan_id, const PlanOwner& expected,
                                         const PlanOwner& to, int64_t lease_us,
                                         bool is_owner_dead) {
  return Transact(
      [=, this] { return catalog_.TakeOverPlan(plan_id, expected, to, lease_us, is_owner_dead); });
}

CommitAnswer FaultyCatalog::AbandonPlan(const std::string& plan_id, const PlanOwner& owner,
                                        const std::string& reason) {
  return Transact([=, this] { return catalog_.AbandonPlan(plan_id, owner, reason); });
}

Status FaultyCatalog::ForgetPayload(const std::string& plan_id) {
  return Transact([=, this] {
           (void)catalog_.ForgetPayload(plan_id).ok();
           return CommitAnswer();
         })
      .ToStatus();
}

Result<std::vector<PlanRow>> FaultyCatalog::UnfinishedPlans() {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.UnfinishedPlans();
}

Result<std::optional<PlanRow>> FaultyCatalog::FindPlan(const std::string& plan_id) {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.FindPlan(plan_id);
}

Result<std::vector<LandingFile>> FaultyCatalog::LandingFiles(const TableId& table,
                                                             const std::string& table_uuid,
                                                             bool current_only) {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.LandingFiles(table, table_uuid, current_only);
}

Result<std::vector<LandingFile>> FaultyCatalog::LandingFilesNamed(const TableId& table,
                                                                  const std::string& table_uuid,
                                                                  const std::string& name) {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.LandingFilesNamed(table, table_uuid, name);
}

Result<std::map<std::string, std::string>> FaultyCatalog::SeenFiles(const TableId& table,
                                                                    const std::string& table_uuid) {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.SeenFiles(table, table_uuid);
}

Status FaultyCatalog::NoteSeen(const TableId& table, const std::vector<SeenFile>& files) {
  return catalog_.NoteSeen(table, files);
}

Result<Catalog::Expired> FaultyCatalog::ExpiredObjects(const TableId& table, int64_t age_us,
                                                       int64_t rows_max) {
  PH_RETURN_IF_ERROR(ReadFault());
  return catalog_.ExpiredObjects(table, age_us, rows_max);
}

Status FaultyCatalog::ForgetExpired(const std::vector<ExpiredObject>& objects) {
  return Transact([=, this] {
           (void)catalog_.ForgetExpired(objects).ok();
           return CommitAnswer();
         })
      .ToStatus();
}

Result<std::optional<std::string>> FaultyCatalog::GetProperty(const std::string& key) {
  return catalog_.GetProperty(key);
}

Status FaultyCatalog::SetProperty(const std::string& key, const std::string& value) {
  return catalog_.SetProperty(key, value);
}

}  // namespace playhead::catalog
