#include "playhead/table/epoch_commit.h"

#include "playhead/base/crash_point.h"
#include "playhead/base/logging.h"
#include "playhead/table/expired_files.h"

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::table {
namespace {

using catalog::CommitAnswer;
using catalog::PlanRow;
using catalog::TableState;

// Spill files of the SQL engine are beside the plans and belong to running processes.
constexpr std::string_view kSpillFolder = "duckdb";

bool ChangesNothing(const Epoch& epoch) {
  return epoch.ranges.empty() && epoch.main_files.empty() && epoch.dead_files.empty() &&
         epoch.landing.empty();
}

std::vector<catalog::TableId> TablesOf(const Epoch& epoch) {
  std::vector<catalog::TableId> ids = {epoch.main};
  if (!epoch.dead.name.empty()) ids.push_back(epoch.dead);
  return ids;
}

Result<std::vector<TableState>> LoadAll(catalog::Catalog& catalog,
                                        const std::vector<catalog::TableId>& ids) {
  PH_ASSIGN_OR_RETURN(auto loaded, catalog.LoadMany(ids));
  std::vector<TableState> tables;
  for (Result<TableState>& table : loaded) {
    PH_RETURN_IF_ERROR(table);
    tables.push_back(*std::move(table));
  }
  return tables;
}

}  // namespace

Committer::Committer(catalog::Catalog& catalog, storage::ObjectStore& store,
                     std::string warehouse_uri, const Clock& clock, std::string owner)
    : world_{.catalog = catalog, .store = store, .clock = clock, .manifests = manifests_},
      warehouse_uri_(std::move(warehouse_uri)),
      owner_(std::move(owner)) {}

std::string Committer::StagingUriOf(const std::string& plan_id) const {
  return StagingUri(warehouse_uri_, owner_, plan_id);
}

Result<EpochOutcome> Committer::Commit(const Epoch& epoch) {
  if (ChangesNothing(epoch)) return EpochOutcome{};
  CrashPoint("commit.before_plan");
  if (driver_ == nullptr || driver_->plan().id != epoch.plan_id) {
    PH_RETURN_IF_ERROR(StartDriver(epoch));
  }
  Result<Done> done = driver_->Run();
  // An epoch of several partitions may meet several plans, each of them once.
  for (std::string before; !done.ok() && done.error().code() == StatusCode::kAlreadyExists &&
                           driver_->in_the_way() != before;) {
    before = driver_->in_the_way();
    PH_RETURN_IF_ERROR(FinishPlanInTheWay(before));
    done = driver_->Run();
  }
  PH_RETURN_IF_ERROR(done);
  const int32_t rebases = driver_->rebases();
  driver_.reset();
  if (done->outcome != Done::Outcome::kCommitted) return done->why;
  return EpochOutcome{.snapshot_id = done->snapshot_id, .retries = rebases};
}

Status Committer::StartDriver(const Epoch& epoch) {
  catalog::PlanOwner self{.name = owner_};
  PH_ASSIGN_OR_RETURN(const std::optional<PlanRow> row, world_.catalog.FindPlan(epoch.plan_id));
  if (row && !row->payload.empty()) {
    // A former call of this process planned it.
    PH_ASSIGN_OR_RETURN(Plan plan, ReadPlan(*row));
    driver_ = std::make_unique<PlanDriver>(world_, std::move(plan), row->owner);
    return {};
  }
  PH_ASSIGN_OR_RETURN(const auto tables, LoadAll(world_.catalog, TablesOf(epoch)));
  PH_ASSIGN_OR_RETURN(Plan plan,
                      MakeEpochPlan(world_.store, epoch, tables, StagingUriOf(epoch.plan_id),
                                    world_.clock.NowMicros()));
  driver_ = std::make_unique<PlanDriver>(world_, std::move(plan), std::move(self));
  return {};
}

Status Committer::FinishPlanInTheWay(const std::string& plan_id) {
  PH_ASSIGN_OR_RETURN(const std::optional<PlanRow> row, world_.catalog.FindPlan(plan_id));
  if (!row || row->phase != catalog::PlanPhase::kOpen) return {};
  const Status status = FinishPlan(*row);
  return status.ok() ? status : status.WithContext("a plan in the way cannot be finished");
}

Result<Plan> Committer::ReadPlan(const PlanRow& row) {
  if (row.format == kPlanFormat) return PlanFromJson(row.plan_id, row.payload);
  if (row.format != 1) {
    return Error(StatusCode::kNotSupported,
                 "a plan was made by a newer playhead: plan={} format={} known={}; update playhead",
                 row.plan_id, row.format, kPlanFormat);
  }
  PH_ASSIGN_OR_RETURN(const EpochOfFormat1 old, EpochFromFormat1(row.plan_id, row.payload));
  PH_ASSIGN_OR_RETURN(const auto tables, LoadAll(world_.catalog, TablesOf(old.epoch)));
  return PlanFromFormat1(world_.store, old, tables,
                         fmt::format("{}/_staging/{}", warehouse_uri_, row.plan_id),
                         row.created_us);
}

Status Committer::FinishPlan(const PlanRow& row) {
  Result<Plan> plan = ReadPlan(row);
  const bool is_unreadable = !plan.ok() && plan.error().code() == StatusCode::kDataCorrupt;
  if (!is_unreadable) PH_RETURN_IF_ERROR(plan);
  catalog::PlanOwner owner = row.owner;
  if (row.phase == catalog::PlanPhase::kOpen) {
    owner = {.name = owner_, .generation = row.owner.generation + 1};
    const CommitAnswer taken =
        world_.catalog.TakeOverPlan(row.plan_id, row.owner, owner, kPlanLeaseMicros,
                                    /*is_owner_dead=*/true);
    // Refused: it ended, or somebody else has it in hand.
    if (taken.kind == CommitAnswer::Kind::kRefused) return {};
    PH_RETURN_IF_ERROR(taken.ToStatus());
  }
  if (is_unreadable) {
    // Nobody can finish it, and its rows are still in the log: they are read again.
    logging::Error("table", "an unreadable plan is abandoned",
                   {{"plan", row.plan_id}, {"why", plan.error().message()}});
    PH_RETURN_IF_ERROR(
        world_.catalog.AbandonPlan(row.plan_id, owner, plan.error().message()).ToStatus());
    return world_.catalog.ForgetPayload(row.plan_id);
  }
  PlanDriver driver(world_, *std::move(plan), owner);
  return driver.Run().status();
}

Result<std::vector<UnfinishedPlan>> Committer::Recover() {
  PH_ASSIGN_OR_RETURN(const std::vector<PlanRow> rows, world_.catalog.UnfinishedPlans());
  std::vector<UnfinishedPlan> unfinished;
  for (const PlanRow& row : rows) {
    logging::Info("table", "finishing a plan",
                  {{"plan", row.plan_id},
                   {"table", row.table.ToString()},
                   {"phase", catalog::PlanPhaseName(row.phase)}});
    Status status = FinishPlan(row);
    if (status.ok()) continue;
    logging::Error(
        "table", "a plan cannot be finished",
        {{"plan", row.plan_id}, {"table", row.table.ToString()}, {"why", status.ToString()}});
    unfinished.push_back({.table = row.table, .plan_id = row.plan_id, .why = std::move(status)});
  }
  PH_RETURN_IF_ERROR(SweepStaging(unfinished));
  PH_ASSIGN_OR_RETURN(const auto tables, world_.catalog.ListTables());
  for (const catalog::TableId& id : tables) DeleteExpiredFiles(world_, id, 1);
  return unfinished;
}

Status Committer::SweepStaging(const std::vector<UnfinishedPlan>& unfinished) {
  const auto is_wanted = [&](const std::string& folder) {
    return std::ranges::find(unfinished, folder, &UnfinishedPlan::plan_id) != unfinished.end();
  };
  const std::string root = warehouse_uri_ + "/_staging";
  PH_ASSIGN_OR_RETURN(const auto owners, world_.store.ListFolders(root));
  for (const std::string& owner : owners) {
    // A plan of format 1 lies beside the owners.
    if (owner == kSpillFolder || owner == owner_ || is_wanted(owner)) continue;
    const std::string folder = root + "/" + owner;
    PH_ASSIGN_OR_RETURN(const auto plans, world_.store.ListFolders(folder));
    if (std::ranges::none_of(plans, is_wanted)) {
      PH_RETURN_IF_ERROR(world_.store.DeleteTree(folder));
      continue;
    }
    for (const std::string& plan : plans) {
      if (!is_wanted(plan)) PH_RETURN_IF_ERROR(world_.store.DeleteTree(folder + "/" + plan));
    }
  }
  return {};
}

Status Committer::Discard(const std::string& plan_id) {
  PH_ASSIGN_OR_RETURN(const auto row, world_.catalog.FindPlan(plan_id));
  if (row && row->phase == catalog::PlanPhase::kOpen) {
    return Error(StatusCode::kConflict, "the epoch is planned already: plan={}", plan_id);
  }
  return world_.store.DeleteTree(StagingUriOf(plan_id));
}

}  // namespace playhead::table
