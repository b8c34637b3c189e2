#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

#include <duckdb.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::sql {

/// A lake in a folder of its own for tests: Parquet files are written by DuckDB itself, metadata
/// and manifests by `iceberg`. Everything that goes wrong aborts.
class TestLake {
 public:
  TestLake();
  ~TestLake();

  catalog::Catalog& catalog() { return *catalog_; }
  storage::ObjectStore& store() { return *store_; }
  const std::string& folder() const { return folder_; }

  /// `fields` have ids already. Unpartitioned.
  void MakeTable(const catalog::TableId& id, std::vector<iceberg::NestedField> fields,
                 std::map<std::string, std::string> properties = {});
  /// Writes a file with the query's rows; `field_ids` as of DuckDB's COPY (`{a: 1}`), empty for
  /// none.
  iceberg::DataFile WriteFile(const std::string& name, const std::string& query,
                              const std::string& field_ids);
  /// Commits a snapshot with these files in addition to the present ones.
  void Append(const catalog::TableId& id, const std::vector<iceberg::DataFile>& files);
  /// Commits another schema.
  void Evolve(const catalog::TableId& id, std::vector<iceberg::NestedField> fields);

 private:
  void Commit(const catalog::TableState& before, const iceberg::TableMetadata& after);

  std::string folder_;
  std::unique_ptr<storage::ObjectStore> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  duckdb::DuckDB database_{nullptr};
  duckdb::Connection connection_{database_};
  int files_written_ = 0;
};

/// A field of a primitive type.
iceberg::NestedField Field(int32_t id, const std::string& name, iceberg::TypeKind kind);

}  // namespace playhead::sql
