#pragma once

#include "playhead/table/epoch.h"
#include "playhead/table/plan_driver.h"
#include "playhead/table/progress.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

struct EpochOutcome {
  int64_t snapshot_id = 0;  ///< of the main table; 0 when nothing changed
  int32_t retries = 0;      ///< rebases on a moved head
};

/// A plan that recovery could not bring to its end, and why. It is tried again by the next epoch
/// that it is in the way of, and at the next start.
struct UnfinishedPlan {
  catalog::TableId table;
  std::string plan_id;
  Status why;
};

/// Commits epochs exactly once (docs/formats/commit.md): each becomes a plan, which a PlanDriver
/// carries out. A dead table without dead letters is not touched.
///
/// Steps that tests can kill at: commit.before_plan, commit.after_plan, commit.published_one,
/// commit.published, commit.after_objects, commit.after_transaction, commit.after_hint,
/// commit.abandoned.
/// Threads: one at a time per main table.
class Committer {
 public:
  /// Whoever opens a Committer holds the warehouse's lock: plans of others are of the dead.
  Committer(catalog::Catalog& catalog, storage::ObjectStore& store, std::string warehouse_uri,
            const Clock& clock, std::string owner = ProcessOwner());

  /// Commits an epoch, or goes on where a call for the same epoch failed. An open plan that is in
  /// the way is brought to its end first. An epoch that is committed already is a success.
  /// Errors: kConflict (it was discarded: start over from the head), kUnavailable,
  /// kResourceExhausted, kCommitUnknown (call again with the same epoch), kDataCorrupt,
  /// kNotSupported (discarded; the table cannot take it).
  Result<EpochOutcome> Commit(const Epoch& epoch);

  /// Brings every open plan to its end, cleans up after those that ended, and removes staging
  /// folders without a plan. Each plan stands by itself: those that cannot be finished now are
  /// returned. Run at start, under the warehouse's lock. Running it twice changes nothing.
  /// Errors: those of the catalog.
  Result<std::vector<UnfinishedPlan>> Recover();

  /// Removes the staged files of an epoch that will not be committed. Errors: kConflict (it is
  /// planned: Recover() decides).
  Status Discard(const std::string& plan_id);

 private:
  Status StartDriver(const Epoch& epoch);
  /// Takes over a plan and brings it to its end. kOk when nothing of it is open any more.
  Status FinishPlan(const catalog::PlanRow& row);
  Result<Plan> ReadPlan(const catalog::PlanRow& row);
  Status FinishPlanInTheWay(const std::string& plan_id);
  Status SweepStaging(const std::vector<UnfinishedPlan>& unfinished);
  std::string StagingUriOf(const std::string& plan_id) const;

  catalog::ManifestCache manifests_;
  PlanWorld world_;
  std::string warehouse_uri_;
  std::string owner_;
  std::unique_ptr<PlanDriver> driver_;  // of the epoch whose Commit() failed last
};

}  // namespace playhead::table
