#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/partition_decl.h"
#include "playhead/catalog/catalog.h"

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

iceberg::Transform ToIceberg(PartitionTransform transform);

/// What a table has to look like. Locations are `<warehouse>/<namespace>/<table>`.
struct TableSpec {
  catalog::TableId id;
  std::shared_ptr<arrow::Schema> schema;  ///< not nullable = required
  std::vector<PartitionDecl> partition_by;
  std::map<std::string, std::string> properties;
};

/// Makes the tables that are missing and evolves those whose schema lacks declared columns or
/// widenings, all in one commit (a stream's table and its dead letters come together). Empty tables
/// have metadata that every reader opens. Columns are found by field id (column_binding.h), so what
/// another writer renamed, moved, widened or added is no difference, nor is a column that is not
/// declared any more; one that was dropped is added anew. A table whose partitioning another writer
/// changed is taken as it is. Returns the tables as they then are.
/// Errors: kInvalidArgument names table and column of a change that is refused (retyped columns,
/// another partitioning, a required column that only one side has); kNotSupported (a partition
/// field of another writer); kConflict after retries; those of catalog::Catalog::Load().
Result<std::vector<catalog::TableState>> EnsureTables(catalog::Catalog& catalog,
                                                      storage::ObjectStore& store,
                                                      const std::string& warehouse_uri,
                                                      const std::vector<TableSpec>& specs,
                                                      const Clock& clock);

}  // namespace playhead::table
