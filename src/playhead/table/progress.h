#pragma once

#include "playhead/table/epoch_commit.h"

#include <map>
#include <string>
#include <vector>

namespace playhead::table {

inline constexpr std::string_view kOffsetsKey = "playhead.offsets";
inline constexpr std::string_view kCountsKey = "playhead.counts";
inline constexpr std::string_view kGapsKey = "playhead.gaps";
inline constexpr std::string_view kPlanIdKey = "playhead.plan-id";

/// kConflict when the head map's entry of one of the epoch's partitions is not where its range
/// begins.
Status CheckRanges(const TableProgress& head, const std::vector<EpochRange>& ranges);
/// The head map and the counts after the epoch.
TableProgress Advance(TableProgress head, const std::vector<EpochRange>& ranges);

/// `playhead.offsets` and `playhead.counts` as they stand in summaries and properties.
std::map<std::string, std::string> ProgressEntries(const TableProgress& progress);
/// `playhead.gaps`, empty without accepted gaps.
std::map<std::string, std::string> GapEntries(const std::vector<EpochRange>& ranges);

/// The snapshot that committed a plan, 0 if none of those kept did.
int64_t SnapshotOfPlan(const iceberg::TableMetadata& metadata, const std::string& plan_id);

}  // namespace playhead::table
