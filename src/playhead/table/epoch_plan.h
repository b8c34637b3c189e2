#pragma once

#include "playhead/table/epoch_commit.h"

#include <cstdint>
#include <string>
#include <vector>

namespace playhead::table {

/// A live file that held rows of replaced topics among others, and was written anew without them;
/// the new file, if any rows were left, is among the epoch's files.
struct RewrittenFile {
  catalog::TableId table;
  std::string path;
};

/// What a row of `playhead_plans` says: everything to finish the epoch, by whoever finds it.
struct EpochPlan {
  Epoch epoch;
  std::vector<RewrittenFile> rewritten;
};

/// Errors: kInvalidArgument (a name that is not UTF-8).
Result<catalog::Plan> PlanToRow(const EpochPlan& plan, int64_t created_us);
/// Errors: kDataCorrupt.
Result<EpochPlan> PlanFromRow(const catalog::Plan& row);

}  // namespace playhead::table
