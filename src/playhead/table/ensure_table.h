#pragma once

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

enum class PartitionTransform { kIdentity, kDay, kHour };

struct PartitionFieldSpec {
  std::string source_column;
  PartitionTransform transform = PartitionTransform::kIdentity;
  std::string name;
};

/// What a table has to look like. Locations are `<warehouse>/<namespace>/<table>`.
struct TableSpec {
  catalog::TableId id;
  std::shared_ptr<arrow::Schema> schema;  ///< not nullable = required
  std::vector<PartitionFieldSpec> partition_by;
  std::map<std::string, std::string> properties;
};

/// Makes the tables that are missing and evolves those whose schema lacks new nullable columns or
/// widenings, all in one commit (a stream's table and its dead letters come together). Empty tables
/// have metadata that every reader opens. Errors: kInvalidArgument names table and column of a
/// change that is refused (dropped or retyped columns, another partitioning, a new required column
/// on a table with rows); kConflict after retries.
Result<std::vector<catalog::TableState>> EnsureTables(catalog::Catalog& catalog,
                                                      storage::ObjectStore& store,
                                                      const std::string& warehouse_uri,
                                                      const std::vector<TableSpec>& specs,
                                                      const Clock& clock);

}  // namespace playhead::table
