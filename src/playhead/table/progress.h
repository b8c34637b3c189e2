#pragma once

#include "playhead/iceberg/types.h"
#include "playhead/table/epoch.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::table {

inline constexpr std::string_view kOffsetsKey = "playhead.offsets";
inline constexpr std::string_view kCountsKey = "playhead.counts";
inline constexpr std::string_view kGapsKey = "playhead.gaps";
inline constexpr std::string_view kInputsKey = "playhead.inputs";
inline constexpr std::string_view kPlanIdKey = "playhead.plan-id";

/// What a table has consumed and counted, from its newest snapshot that carries it.
struct TableProgress {
  std::map<std::string, std::map<int32_t, int64_t>> offsets;      ///< `playhead.offsets`
  std::map<std::string, std::map<int32_t, RecordCounts>> counts;  ///< `playhead.counts`, cumulative
  std::map<std::string, int64_t> inputs;  ///< `playhead.inputs`: a model's, snapshots by table
};
/// From the snapshots on main, else from the table properties of the same names.
/// Errors: kDataCorrupt (the summary is not what we write).
Result<TableProgress> ReadProgress(const iceberg::TableMetadata& metadata);
/// The same without the counts, which nothing is decided by.
Result<TableProgress> ReadPosition(const iceberg::TableMetadata& metadata);

/// The next offset of a partition; none while the table does not know it.
std::optional<int64_t> NextOffset(const TableProgress& progress, const LogPartition& partition);

/// The head's progress after an epoch.
TableProgress Advance(TableProgress head, const std::vector<EpochRange>& ranges);

/// Progress as it stands in summaries and properties.
std::map<std::string, std::string> ProgressEntries(const TableProgress& progress);
/// `playhead.gaps`, empty without accepted gaps.
std::map<std::string, std::string> GapEntries(const std::vector<EpochRange>& ranges);

/// The snapshot that committed a plan, 0 if none of those kept did.
int64_t SnapshotOfPlan(const iceberg::TableMetadata& metadata, const std::string& plan_id);

}  // namespace playhead::table
