#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"
#include "playhead/config/config.h"
#include "playhead/storage/object_store.h"

#include <memory>

namespace playhead::cli {

/// The lake of a command that only reads.
struct ReadableLake {
  std::unique_ptr<storage::ObjectStore> store;
  std::unique_ptr<catalog::Catalog> catalog;
};

/// Errors: kNotFound (nothing has been ingested yet: says how to), those of the catalog.
Result<ReadableLake> OpenLake(const config::ResolvedConfig& config);

}  // namespace playhead::cli
