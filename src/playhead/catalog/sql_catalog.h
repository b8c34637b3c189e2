#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/catalog/metadata_cache.h"
#include "playhead/catalog/sql_connection.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace playhead::catalog {

/// The catalog's statements and rows, on whatever database its connections reach.
///
/// A reader and a writer, so that reads never wait behind a commit that waits for another process.
/// Each is used under its own mutex. `writer` is null for a catalog that is only read.
class SqlCatalog final : public Catalog {
 public:
  SqlCatalog(std::unique_ptr<SqlConnection> reader, std::unique_ptr<SqlConnection> writer,
             storage::ObjectStore& store);

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
  /// What `change` says while the transaction is open: its refusal, its failure, or go on.
  using Change = std::function<Result<std::optional<Refusal>>(SqlConnection& db)>;
  /// One transaction of the writer.
  CommitAnswer Transact(const Change& change);
  /// A change that is a single statement, or several that may be repeated.
  Status Write(const std::function<Status(SqlConnection& db)>& write);

  std::mutex reader_mutex_;
  std::unique_ptr<SqlConnection> reader_;
  std::mutex writer_mutex_;
  std::unique_ptr<SqlConnection> writer_;
  storage::ObjectStore& store_;
  MetadataCache cache_;
};

/// The catalog's tables of today's format. A catalog of format 1 is brought to it, in the same
/// transaction. Errors: kNotSupported (a newer version made it).
Status MakeCatalogTables(SqlConnection& db);
/// Whether a catalog can be read. Errors: kNotFound (it is none), kNotSupported (made by a newer
/// version, or by an older one and not opened for writing since).
Status CheckCatalogTables(SqlConnection& db);

}  // namespace playhead::catalog
