#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/storage/object_store.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
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
  /// The table at one of metadata()'s snapshots, with the schema of that time.
  std::shared_ptr<LakeTable> At(const iceberg::Snapshot& snapshot) const;
  /// Errors: as catalog::LiveFiles.
  Result<std::shared_ptr<const std::vector<catalog::LiveFile>>> Files();

 private:
  catalog::TableState state_;
  storage::ObjectStore& store_;
  catalog::ManifestCache& cache_;
  std::mutex mutex_;
  std::shared_ptr<const std::vector<catalog::LiveFile>> files_;
};

/// All tables of the catalog at one moment.
struct LakeMoment {
  using TableMap = std::map<catalog::TableId, std::shared_ptr<LakeTable>>;
  TableMap tables;
  /// Why tables of the catalog are not among `tables`, each naming its table.
  std::map<catalog::TableId, Status> problems;

  /// Null when there is none. Case does not count, as everywhere in SQL.
  std::shared_ptr<LakeTable> Find(std::string_view table_namespace, std::string_view name) const;
};

/// What Refresh() found changed.
struct LakeChanges {
  std::vector<catalog::TableId> made;  ///< new tables, and those with another schema
  std::vector<catalog::TableId> dropped;
};

/// Follows the catalog. Threads: one at a time.
class LakeTables {
 public:
  LakeTables(catalog::Catalog& catalog, storage::ObjectStore& store)
      : catalog_(catalog), store_(store), moment_(std::make_shared<LakeMoment>()) {}

  /// Moves to the present moment. A table whose metadata cannot be read is among its problems.
  /// Errors: kUnavailable (the catalog).
  Result<LakeChanges> Refresh();
  /// Never null.
  const std::shared_ptr<const LakeMoment>& moment() const { return moment_; }

 private:
  Result<LakeMoment> LoadAll();

  catalog::Catalog& catalog_;
  storage::ObjectStore& store_;
  catalog::ManifestCache manifests_;
  std::string fingerprint_;
  std::shared_ptr<const LakeMoment> moment_;
};

}  // namespace playhead::sql
