#pragma once

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace playhead::catalog {

/// A catalog that lives as long as its object, for tests and simulations: quick, and its time is
/// whoever's clock it is given. The same rules as SqlCatalog's, held by one suite of tests.
/// Threads: any.
class MemoryCatalog final : public Catalog {
 public:
  MemoryCatalog(storage::ObjectStore& store, const Clock& clock) : store_(store), clock_(clock) {}

  Result<std::vector<TableId>> ListTables() override;
  Result<std::vector<Result<TableState>>> LoadMany(const std::vector<TableId>& ids) override;
  Result<TableState> LoadAt(const TableId& id, const std::string& location) override;
  Result<std::map<TableId, std::string>> Locations() override;
  Result<CatalogSnapshot> Snapshot() override;
  Result<std::string> Fingerprint() override;
  CommitAnswer Commit(const CommitRequest& request) override;
  CommitAnswer InsertPlan(const PlanRow& plan, int64_t lease_us) override;
  CommitAnswer TakeOverPlan(const std::string& plan_id, const PlanOwner& expected,
                            const PlanOwner& to, int64_t lease_us, bool is_owner_dead) override;
  CommitAnswer AbandonPlan(const std::string& plan_id, const PlanOwner& owner,
                           const std::string& reason) override;
  Status ForgetPayload(const std::string& plan_id) override;
  Result<std::vector<PlanRow>> UnfinishedPlans() override;
  Result<std::optional<PlanRow>> FindPlan(const std::string& plan_id) override;
  Result<std::vector<LandingFile>> LandingFiles(const TableId& table, const std::string& table_uuid,
                                                bool current_only) override;
  Result<std::vector<LandingFile>> LandingFilesNamed(const TableId& table,
                                                     const std::string& table_uuid,
                                                     const std::string& name) override;
  Result<std::map<std::string, std::string>> SeenFiles(const TableId& table,
                                                       const std::string& table_uuid) override;
  Status NoteSeen(const TableId& table, const std::vector<SeenFile>& files) override;
  Result<Expired> ExpiredObjects(const TableId& table, int64_t age_us, int64_t rows_max) override;
  Status ForgetExpired(const std::vector<ExpiredObject>& objects) override;
  Result<std::optional<std::string>> GetProperty(const std::string& key) override;
  Status SetProperty(const std::string& key, const std::string& value) override;

 private:
  struct StoredPlan {
    PlanRow row;
    int64_t lease_until_us = 0;
    int64_t ended_us = 0;
  };
  struct StoredObject {
    ExpiredObject object;
    int64_t expired_us = 0;
  };

  std::optional<CommitAnswer> CheckCommit(const CommitRequest& request) const;
  StoredPlan* OpenPlan(const std::string& plan_id, const PlanOwner& owner);
  void End(StoredPlan& plan, PlanPhase phase);
  std::vector<LandingFile> Ledger(const std::function<bool(const LandingFile&)>& is_wanted) const;

  std::mutex mutex_;
  storage::ObjectStore& store_;
  const Clock& clock_;
  std::map<TableId, std::string> locations_;
  std::map<std::string, std::shared_ptr<const iceberg::TableMetadata>> metadata_;  // by location
  std::map<std::string, StoredPlan> plans_;
  std::map<std::pair<TableId, std::string>, std::string> claims_;  // plan by table and claim
  std::vector<LandingFile> ledger_;
  std::map<std::pair<TableId, std::string>, SeenFile> seen_;  // by table and name
  std::vector<StoredObject> expired_;
  int64_t last_expired_id_ = 0;
  std::map<std::string, std::string> properties_;
};

}  // namespace playhead::catalog
