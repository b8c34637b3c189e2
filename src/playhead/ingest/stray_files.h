#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/storage/object_store.h"

#include <string>
#include <vector>

namespace playhead::ingest {

/// The Parquet files that a plain glob of the table's folder `data/` finds.
Result<std::vector<std::string>> ListDataFiles(storage::ObjectStore& store,
                                               const iceberg::TableMetadata& metadata);

/// What of `listed`, which was listed before `table` was read, belongs to nobody.
struct StrayFiles {
  std::vector<std::string> uris;
  int64_t of_plans = 0;  ///< files of plans that are not finished; no strays
};

/// A stray is in no kept snapshot, and of no plan that was open when the table was read, or is not
/// finished now. `live`: the files of the current snapshot. Errors: a kept snapshot, or a plan,
/// that cannot be read.
Result<StrayFiles> FindStrayFiles(catalog::Catalog& catalog, storage::ObjectStore& store,
                                  const catalog::TableState& table,
                                  const std::vector<catalog::PlanRow>& open_plans,
                                  const std::vector<catalog::LiveFile>& live,
                                  const std::vector<std::string>& listed);

}  // namespace playhead::ingest
