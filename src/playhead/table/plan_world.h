#pragma once

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/storage/object_store.h"

#include <string>

namespace playhead::table {

/// Where plans are carried out. All are borrowed and outlive the drivers.
struct PlanWorld {
  catalog::Catalog& catalog;
  storage::ObjectStore& store;
  const Clock& clock;
  catalog::ManifestCache& manifests;
};

}  // namespace playhead::table
