#include "playhead/cli/lake.h"

#include "playhead/cli/output.h"
#include "playhead/cli/table_places.h"

namespace playhead::cli {

Result<ReadableLake> OpenLake(const config::ResolvedConfig& config) {
  ReadableLake lake;
  PH_ASSIGN_OR_RETURN(lake.store, storage::OpenStore(config.warehouse_uri));
  auto catalog = catalog::OpenSqliteCatalog(config.catalog_path, *lake.store, /*read_only=*/true);
  if (!catalog.ok() && catalog.error().code() == StatusCode::kNotFound) {
    return Error(StatusCode::kNotFound,
                 "there is no lake yet: warehouse={} catalog={}; `playhead ingest --once` or "
                 "`playhead up` make it",
                 config.warehouse_uri, config.catalog_path);
  }
  PH_RETURN_IF_ERROR(catalog);
  lake.catalog = *std::move(catalog);
  PH_ASSIGN_OR_RETURN(const auto elsewhere, TablesElsewhere(*lake.catalog, config.warehouse_uri));
  if (!elsewhere.empty()) {
    WriteNote(fmt::format("playhead: {}\n", DescribeElsewhere(elsewhere, config.warehouse_uri)));
  }
  return lake;
}

}  // namespace playhead::cli
