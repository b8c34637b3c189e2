#pragma once

#include "playhead/catalog/catalog.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::catalog {

enum class CatalogFault {
  kNone,
  kFails,        ///< nothing happens, and the answer says so (kUnavailable)
  kAnswerLost,   ///< it happens; a transaction's answer is kUnknown
  kRequestLost,  ///< nothing happens; a transaction's answer is kUnknown
  /// A transaction's answer is kUnknown, and it happens when the database is opened the next time,
  /// unless another one was committed before: a commit mark in the WAL that was not synced.
  kPending,
  kStale,  ///< a read gives what the read before gave
};

/// A catalog in which calls go wrong, as a function decides: true reads are those of LoadMany.
/// Threads: one at a time.
class FaultyCatalog : public Catalog {
 public:
  enum class Call { kRead, kTransaction };
  using Judge = std::function<CatalogFault(Call)>;

  FaultyCatalog(Catalog& catalog, Judge judge) : catalog_(catalog), judge_(std::move(judge)) {}

  /// The process ends and the database is opened anew.
  void Restart();

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
  using Transaction = std::function<CommitAnswer()>;
  CommitAnswer Transact(const Transaction& transaction);
  Status ReadFault();

  Catalog& catalog_;
  Judge judge_;
  Transaction pending_;
  /// The last LoadMany() of the same tables.
  std::map<std::vector<TableId>, std::vector<Result<TableState>>> former_;
};

}  // namespace playhead::catalog
