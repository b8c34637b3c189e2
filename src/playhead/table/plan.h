#pragma once

#include "playhead/table/epoch.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace playhead::table {

/// What a plan does to one table.
struct PlannedChange {
  catalog::TableId id;
  std::string table_uuid;  ///< the plan is for this table, not for another of its name
  std::vector<StagedFile> added;
  std::vector<std::string> removed_paths;  ///< live files that leave the table
};

/// The main table's map says that this offset of the partition is next, or (none) does not know the
/// partition.
struct OffsetsAt {
  LogPartition partition;
  std::optional<int64_t> next_offset;
};
/// The ledger has this content of the landing file.
using LedgerIs = catalog::LedgerGuard;
/// Files that the plan removes are in the table, and no file that came after them holds rows of the
/// topics that it replaces.
struct FilesLive {
  catalog::TableId table;
  std::vector<std::string> paths;
  std::vector<std::string> topics;
  int64_t sequence_number = 0;  ///< of the head in which the files were looked for
};
/// The main table has consumed its inputs up to these snapshots, by table.
struct InputsAre {
  std::map<std::string, int64_t> snapshots;
};
using Guard = std::variant<OffsetsAt, LedgerIs, FilesLive, InputsAre>;

/// What is true of the main table and of the ledger once the plan is committed, besides the rows.
struct Effects {
  std::vector<EpochRange> ranges;                 ///< offsets and counts go on
  std::vector<catalog::LandingFile> ledger_rows;  ///< the file is loaded
  std::map<std::string, int64_t> inputs;          ///< snapshots consumed, by table
};

/// A change of one or several tables that is staged, and happens once or never. Plain data: it can
/// be finished by whoever finds it.
struct Plan {
  std::string id;
  std::vector<PlannedChange> changes;  ///< the main table's first; one at least
  std::vector<Guard> guards;
  Effects effects;
  std::string staging_uri;  ///< goes when the plan has ended
  int64_t created_us = 0;

  const catalog::TableId& main() const { return changes.front().id; }
  bool has_files() const;
  bool removes_files() const;
};

/// What no two open plans of one main table may hold together: a log partition, a landing file.
std::vector<std::string> ClaimsOf(const Plan& plan);

/// The plan of an epoch of a log, or of a landing file. `tables` are the heads of the main table
/// and, unless the epoch has none, of its dead letters. Files that hold rows of replaced topics
/// among others are written anew, staged beside the epoch's own.
/// Errors: kNotSupported (rows to replace in a table with delete files), those of the store.
Result<Plan> MakeEpochPlan(storage::ObjectStore& store, const Epoch& epoch,
                           const std::vector<catalog::TableState>& tables,
                           const std::string& staging_uri, int64_t now_us);

/// Version of the payload that PlanToJson() writes; 1 is read too.
inline constexpr int32_t kPlanFormat = 2;

/// Errors: kInvalidArgument (a name that is not UTF-8).
Result<std::string> PlanToJson(const Plan& plan);
/// Errors: kDataCorrupt (unreadable).
Result<Plan> PlanFromJson(const std::string& plan_id, std::string_view payload);

/// An open plan of the format before: its epoch, and the live files that were written anew for it.
struct EpochOfFormat1 {
  Epoch epoch;
  std::vector<FilesLive> rewritten;
};
Result<EpochOfFormat1> EpochFromFormat1(const std::string& plan_id, std::string_view payload);
/// The plan that it was, on today's heads. Errors: those of MakeEpochPlan.
Result<Plan> PlanFromFormat1(storage::ObjectStore& store, const EpochOfFormat1& old,
                             const std::vector<catalog::TableState>& tables,
                             const std::string& staging_uri, int64_t created_us);

}  // namespace playhead::table
