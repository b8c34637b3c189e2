#include "playhead/table/decide.h"

#include "playhead/table/progress.h"
#include "playhead/table/topic_files.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

namespace playhead::table {
namespace {

using catalog::PlanPhase;

Status CheckTables(const Plan& plan, const Facts& facts) {
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    const PlannedChange& change = plan.changes[i];
    const auto& head = facts.heads[i];
    if (head && head->metadata->table_uuid == change.table_uuid) continue;
    return Error(
        StatusCode::kConflict, "the table was dropped after the rows were read: table={} uuid={}{}",
        change.id.ToString(), change.table_uuid, head ? "; another one bears its name" : "");
  }
  return {};
}

struct GuardCheck {
  const Plan& plan;
  const Facts& facts;
  const TableProgress& progress;

  Status operator()(const OffsetsAt& guard) const {
    const std::optional<int64_t> next = NextOffset(progress, guard.partition);
    if (next == guard.next_offset) return {};
    const auto text = [](const std::optional<int64_t>& offset) {
      return offset ? std::to_string(*offset) : "none";
    };
    return Error(StatusCode::kConflict,
                 "the head does not stand where the epoch begins: topic={} partition={} head={} "
                 "begin={}",
                 guard.partition.topic, guard.partition.partition, text(next),
                 text(guard.next_offset));
  }

  Status operator()(const LedgerIs& guard) const {
    const auto entry = facts.ledger.find(guard.name);
    const std::optional<std::string> known =
        entry == facts.ledger.end() ? std::nullopt : entry->second;
    if (known == guard.hash) return {};
    return Error(StatusCode::kConflict,
                 "the landing file was loaded by another commit: table={} name={} expected={} "
                 "found={}",
                 guard.table.ToString(), guard.name, guard.hash.value_or("none"),
                 known.value_or("none"));
  }

  Status operator()(const FilesLive& guard) const {
    const auto table = facts.live.find(guard.table);
    const auto change = std::ranges::find(plan.changes, guard.table, &PlannedChange::id);
    if (table == facts.live.end() || change == plan.changes.end()) {
      return Error(StatusCode::kConflict, "a table with rows to replace is gone: table={}",
                   guard.table.ToString());
    }
    const auto at = static_cast<size_t>(change - plan.changes.begin());
    std::set<std::string_view> missing(guard.paths.begin(), guard.paths.end());
    for (const catalog::LiveFile& live : table->second) {
      if (missing.erase(live.file.path) > 0 || live.sequence_number <= guard.sequence_number) {
        continue;
      }
      PH_ASSIGN_OR_RETURN(const bool holds,
                          MayHoldTopics(*facts.heads[at]->metadata, live.file, guard.topics));
      if (!holds) continue;
      return Error(StatusCode::kConflict, "rows to be replaced came in another file: path={}",
                   live.file.path);
    }
    if (missing.empty()) return {};
    return Error(StatusCode::kConflict, "a file to be replaced is not live any more: path={}",
                 *missing.begin());
  }

  Status operator()(const InputsAre& guard) const {
    if (progress.inputs == guard.snapshots) return {};
    return Status(StatusCode::kConflict, "the table has consumed other snapshots of its inputs");
  }
};

Action DecideOpen(const Plan& plan, const Facts& facts) {
  if (facts.row->owner != facts.self) {
    return Done{.outcome = Done::Outcome::kNotOurs,
                .why = Error(StatusCode::kConflict, "the plan has another owner: plan={} owner={}",
                             plan.id, facts.row->owner.name)};
  }
  if (!facts.unbuildable.ok()) return Abandon{facts.unbuildable};
  if (Status broken = CheckGuards(plan, facts); !broken.ok()) return Abandon{std::move(broken)};
  if (facts.published == Facts::Published::kSourceGone) {
    return Abandon{Error(StatusCode::kConflict,
                         "a planned file is neither staged nor published: plan={} path={}", plan.id,
                         facts.missing_path)};
  }
  if (facts.published == Facts::Published::kNo && plan.has_files()) return Publish{};
  const bool is_written = std::ranges::equal(facts.written_on, facts.heads,
                                             [](const std::string& location, const auto& head) {
                                               return location == head->metadata_location;
                                             });
  if (!is_written) return WriteObjects{};
  return CommitTransaction{};
}

}  // namespace

Status CheckGuards(const Plan& plan, const Facts& facts) {
  PH_RETURN_IF_ERROR(CheckTables(plan, facts));
  PH_ASSIGN_OR_RETURN(const TableProgress progress, ReadPosition(*facts.heads.front()->metadata));
  const GuardCheck check{.plan = plan, .facts = facts, .progress = progress};
  for (const Guard& guard : plan.guards) PH_RETURN_IF_ERROR(std::visit(check, guard));
  return {};
}

Action Decide(const Plan& plan, const Facts& facts) {
  if (facts.row && facts.row->phase == PlanPhase::kCommitted) {
    return Done{.outcome = Done::Outcome::kCommitted, .snapshot_id = facts.row->snapshot_id};
  }
  if (facts.row && facts.row->phase == PlanPhase::kAbandoned) {
    Status why = facts.abandoned_for.ok() ? Status(StatusCode::kConflict, facts.row->reason)
                                          : facts.abandoned_for;
    if (!facts.is_clean) return Abandon{std::move(why)};
    return Done{.outcome = Done::Outcome::kRefused, .why = std::move(why)};
  }
  if (facts.row) return DecideOpen(plan, facts);

  // Rows of plans that ended are forgotten after a day; the snapshot may be remembered longer.
  if (facts.heads.front()) {
    const int64_t snapshot_id = SnapshotOfPlan(*facts.heads.front()->metadata, plan.id);
    if (snapshot_id != 0) return Done{.snapshot_id = snapshot_id};
  }
  Status broken = facts.was_open
                      ? Error(StatusCode::kConflict, "the plan is forgotten: plan={}", plan.id)
                      : CheckGuards(plan, facts);
  if (broken.ok()) return InsertPlan{};
  if (!facts.is_clean) return Abandon{std::move(broken)};
  return Done{.outcome = Done::Outcome::kRefused, .why = std::move(broken)};
}

}  // namespace playhead::table
