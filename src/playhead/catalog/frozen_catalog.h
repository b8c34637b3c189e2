#pragma once

#include "playhead/catalog/catalog.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace playhead::catalog {

/// A catalog as it was at one moment, whatever others commit meanwhile: for whoever compares tables
/// with each other. Metadata is read through the catalog that the snapshot came from, which
/// outlives it. Nothing can be written (kPermissionDenied). Threads: any.
class FrozenCatalog final : public Catalog {
 public:
  FrozenCatalog(Catalog& catalog, CatalogSnapshot snapshot)
      : catalog_(catalog), snapshot_(std::move(snapshot)) {}

  const CatalogSnapshot& snapshot() const { return snapshot_; }

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
  /// Only the open ones, without payload.
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
  /// None: what has expired by then is of no moment.
  Result<Expired> ExpiredObjects(const TableId& table, int64_t age_us, int64_t rows_max) override;
  Status ForgetExpired(const std::vector<ExpiredObject>& objects) override;
  Result<std::optional<std::string>> GetProperty(const std::string& key) override;
  Status SetProperty(const std::string& key, const std::string& value) override;

 private:
  Catalog& catalog_;
  const CatalogSnapshot snapshot_;
};

}  // namespace playhead::catalog
