#pragma once

#include "playhead/base/sqlite.h"
#include "playhead/catalog/catalog.h"

#include <optional>
#include <string>
#include <vector>

namespace playhead::catalog {

/// The rows of playhead_plans, playhead_plan_ranges and playhead_landing_files as structs. The
/// callers own the transaction.

/// Errors: kAlreadyExists names the open plan that is in the way.
Status InsertPlanRows(sqlite::Database& db, const Plan& plan);
/// All open plans, or the one with that id, oldest first.
Result<std::vector<Plan>> SelectPlans(sqlite::Database& db,
                                      const std::optional<std::string>& plan_id);
/// False when there was none.
Result<bool> DeletePlanRows(sqlite::Database& db, const std::string& plan_id);

Status InsertLandingFile(sqlite::Database& db, const LandingFile& file);
Result<std::vector<LandingFile>> SelectLandingFiles(sqlite::Database& db, const TableId& table,
                                                    bool current_only);

}  // namespace playhead::catalog
