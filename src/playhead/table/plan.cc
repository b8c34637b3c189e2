#include "playhead/table/plan.h"

#include "playhead/table/progress.h"
#include "playhead/table/topic_files.h"

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::table {
namespace {

using catalog::TableState;

// The live files that leave a table because their rows are replaced. Those that hold other rows
// too are written anew first.
Result<std::vector<std::string>> ReplaceTopics(storage::ObjectStore& store, const TableState& table,
                                               const std::vector<std::string>& topics,
                                               const std::string& plan_id,
                                               const std::string& staging_uri,
                                               std::vector<StagedFile>& added) {
  PH_ASSIGN_OR_RETURN(const TopicFiles found, FindTopicFiles(store, *table.metadata, topics));
  std::vector<std::string> removed(found.whole.begin(), found.whole.end());
  for (const catalog::LiveFile& file : found.mixed) {
    const std::string name = fmt::format("{}-rewritten-{}", table.id.name, removed.size());
    PH_ASSIGN_OR_RETURN(
        StagedFile staged,
        RewriteWithoutTopics(store, *table.metadata, file, topics,
                             fmt::format("{}/{}.staged", staging_uri, name),
                             fmt::format("{}-rewritten-{}.parquet", plan_id, removed.size())));
    added.push_back(std::move(staged));
    removed.push_back(file.file.path);
  }
  return removed;
}

std::string UuidOf(const std::string& written_for, const TableState& table) {
  return written_for.empty() ? table.metadata->table_uuid : written_for;
}

// A plan without the removals of replaced rows.
Plan StartPlan(const Epoch& epoch, const std::vector<TableState>& tables,
               const std::string& staging_uri, int64_t now_us) {
  Plan plan{.id = epoch.plan_id, .staging_uri = staging_uri, .created_us = now_us};
  plan.changes.push_back({.id = epoch.main,
                          .table_uuid = UuidOf(epoch.main_uuid, tables[0]),
                          .added = epoch.main_files});
  if (tables.size() > 1) {
    plan.changes.push_back({.id = epoch.dead,
                            .table_uuid = UuidOf(epoch.dead_uuid, tables[1]),
                            .added = epoch.dead_files});
  }
  plan.effects.ranges = epoch.ranges;
  for (const EpochRange& range : epoch.ranges) {
    OffsetsAt guard{.partition = range.partition, .next_offset = std::nullopt};
    if (!range.is_first) guard.next_offset = range.accepted_gap_from.value_or(range.range.begin);
    plan.guards.emplace_back(std::move(guard));
  }
  for (const EpochLanding& landing : epoch.landing) {
    catalog::LandingFile row = landing.file;
    row.table_uuid = plan.changes[0].table_uuid;
    plan.guards.emplace_back(LedgerIs{.table = row.table,
                                      .table_uuid = row.table_uuid,
                                      .name = row.name,
                                      .hash = landing.known_hash});
    plan.effects.ledger_rows.push_back(std::move(row));
  }
  return plan;
}

std::vector<std::string> ReplacedTopics(const Epoch& epoch) {
  std::vector<std::string> topics;
  for (const EpochLanding& landing : epoch.landing) {
    topics.insert(topics.end(), landing.replaced_topics.begin(), landing.replaced_topics.end());
  }
  return topics;
}

// Guards what is replaced. Else a dead table without dead letters is not touched.
Plan Finished(Plan plan, const Epoch& epoch, const std::vector<TableState>& tables) {
  if (const std::vector<std::string> topics = ReplacedTopics(epoch); !topics.empty()) {
    for (size_t i = 0; i < plan.changes.size(); ++i) {
      plan.guards.emplace_back(
          FilesLive{.table = plan.changes[i].id,
                    .paths = plan.changes[i].removed_paths,
                    .topics = topics,
                    .sequence_number = tables[i].metadata->last_sequence_number});
    }
    return plan;
  }
  plan.changes.erase(std::remove_if(plan.changes.begin() + 1, plan.changes.end(),
                                    [](const PlannedChange& change) {
                                      return change.added.empty() && change.removed_paths.empty();
                                    }),
                     plan.changes.end());
  return plan;
}

}  // namespace

bool Plan::has_files() const {
  return std::ranges::any_of(changes, [](const auto& change) { return !change.added.empty(); });
}

bool Plan::removes_files() const {
  return std::ranges::any_of(changes,
                             [](const auto& change) { return !change.removed_paths.empty(); });
}

std::vector<std::string> ClaimsOf(const Plan& plan) {
  std::vector<std::string> claims;
  for (const EpochRange& range : plan.effects.ranges) {
    claims.push_back(fmt::format("log {} {} {}", range.partition.log_id, range.partition.topic,
                                 range.partition.partition));
  }
  for (const catalog::LandingFile& file : plan.effects.ledger_rows) {
    claims.push_back("landing " + file.name);
  }
  if (!plan.effects.inputs.empty()) claims.emplace_back("model");
  return claims;
}

Result<Plan> MakeEpochPlan(storage::ObjectStore& store, const Epoch& epoch,
                           const std::vector<TableState>& tables, const std::string& staging_uri,
                           int64_t now_us) {
  Plan plan = StartPlan(epoch, tables, staging_uri, now_us);
  if (const std::vector<std::string> topics = ReplacedTopics(epoch); !topics.empty()) {
    for (size_t i = 0; i < plan.changes.size(); ++i) {
      PlannedChange& change = plan.changes[i];
      PH_ASSIGN_OR_RETURN(change.removed_paths, ReplaceTopics(store, tables[i], topics, plan.id,
                                                              staging_uri, change.added));
    }
  }
  return Finished(std::move(plan), epoch, tables);
}

Result<Plan> PlanFromFormat1(storage::ObjectStore& store, const EpochOfFormat1& old,
                             const std::vector<TableState>& tables, const std::string& staging_uri,
                             int64_t created_us) {
  Epoch epoch = old.epoch;
  // It did not say whether the table knew its partitions.
  PH_ASSIGN_OR_RETURN(const TableProgress progress, ReadPosition(*tables[0].metadata));
  for (EpochRange& range : epoch.ranges) {
    range.is_first = !NextOffset(progress, range.partition).has_value();
  }
  Plan plan = StartPlan(epoch, tables, staging_uri, created_us);
  // It did not say what the ledger was.
  std::erase_if(plan.guards,
                [](const Guard& guard) { return std::holds_alternative<LedgerIs>(guard); });
  for (size_t i = 0; i < plan.changes.size(); ++i) {
    PlannedChange& change = plan.changes[i];
    for (StagedFile& file : change.added) file.file.spec_id = tables[i].metadata->default_spec_id;
    for (const FilesLive& files : old.rewritten) {
      if (files.table == change.id) {
        change.removed_paths.insert(change.removed_paths.end(), files.paths.begin(),
                                    files.paths.end());
      }
    }
    const std::vector<std::string> topics = ReplacedTopics(old.epoch);
    if (topics.empty()) continue;
    PH_ASSIGN_OR_RETURN(const TopicFiles found, FindTopicFiles(store, *tables[i].metadata, topics));
    change.removed_paths.insert(change.removed_paths.end(), found.whole.begin(), found.whole.end());
  }
  return Finished(std::move(plan), epoch, tables);
}

}  // namespace playhead::table
