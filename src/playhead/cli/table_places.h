#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/rebind.h"

#include <string>
#include <vector>

namespace playhead::cli {

/// The tables of the catalog that do not lie in the warehouse.
Result<std::vector<catalog::TablePlace>> TablesElsewhere(catalog::Catalog& catalog,
                                                         const std::string& warehouse_uri);

/// Says which tables these are, where they lie, and how to go on.
std::string DescribeElsewhere(const std::vector<catalog::TablePlace>& tables,
                              const std::string& warehouse_uri);

}  // namespace playhead::cli
