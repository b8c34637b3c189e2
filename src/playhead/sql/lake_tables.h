#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/storage/object_store.h"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace playhead::sql {

/// One table at one moment. Its files are listed when somebody first asks. Threads: any.
class LakeTable {
 public:
  LakeTable(catalog::TableState state, storage::ObjectStore& store, catalog::ManifestCache& cache)
      : state_(std::move(state)), store_(store), cache_(cache) {}

  const catalog::TableId& id() const { return state_.id; }
  const std::string& metadata_location() const { return state_.metadata_location; }
  const iceberg::TableMetadata& metadata() const { return *state_.metadata; }
  /// Errors: as catalog::LiveFiles.
  Result<std::shared_ptr<const std::vector<catalog::LiveFile>>> Files();

 private:
  catalog::TableState state_;
  storage::ObjectStore& store_;
  catalog::ManifestCache& cache_;
  std::mutex mutex_;
  std::shared_ptr<const std::vector<catalog::LiveFile>> files_;
};

/// What Refresh() found changed.
struct LakeChanges {
  std::vector<catalog::TableId> made;  ///< new tables, and those with another schema
  std::vector<catalog::TableId> dropped;
};

/// All tables of the catalog at one moment. Refresh() moves to the present one; in between nothing
/// changes, whatever others commit. Threads: one at a time, Find() any between refreshes.
class LakeTables {
 public:
  LakeTables(catalog::Catalog& catalog, storage::ObjectStore& store)
      : catalog_(catalog), store_(store) {}

  /// A table whose metadata cannot be read is among problems(), the others can be asked.
  /// Errors: kUnavailable (the catalog).
  Result<LakeChanges> Refresh();
  /// Null when there is none.
  std::shared_ptr<LakeTable> Find(const catalog::TableId& id) const;
  /// In order of their names.
  std::vector<std::shared_ptr<LakeTable>> All() const;
  /// Why tables of the catalog are not among All(), each naming its table.
  const std::map<catalog::TableId, Status>& problems() const { return problems_; }
  /// The ledger of landing files as it is now.
  Result<std::vector<catalog::LandingFile>> LandingFiles(const LakeTable& table) {
    return catalog_.LandingFiles(table.id(), table.metadata().table_uuid, /*current_only=*/false);
  }

  /// Why reading the lake failed within a statement, for callers who only see DuckDB's error.
  void NoteFailure(const Status& failure);
  std::optional<Status> TakeFailure();

 private:
  using TableMap = std::map<catalog::TableId, std::shared_ptr<LakeTable>>;
  struct Loaded {
    TableMap tables;
    std::map<catalog::TableId, Status> problems;
  };
  Result<Loaded> LoadAll();

  catalog::Catalog& catalog_;
  storage::ObjectStore& store_;
  catalog::ManifestCache manifests_;
  std::string fingerprint_;
  TableMap tables_;
  std::map<catalog::TableId, Status> problems_;
  std::mutex failure_mutex_;
  std::optional<Status> failure_;
};

}  // namespace playhead::sql
