#pragma once

#include "playhead/table/decide.h"
#include "playhead/table/next_snapshot.h"
#include "playhead/table/plan_world.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace playhead::table {

/// For so long the others leave a plan to its owner.
inline constexpr int64_t kPlanLeaseMicros = 60'000'000;
/// Carries one plan to its end.
///
///   repeat: gather the facts; action = Decide(plan, facts); do it
///
/// A failed step leaves the driver as it was: Run() goes on when it is called again. What a
/// transaction of unknown outcome refers to is kept and, while the heads stand, committed again.
/// Threads: one at a time.
class PlanDriver {
 public:
  /// `self` is who the plan is inserted for, or who has taken it over.
  PlanDriver(const PlanWorld& world, Plan plan, catalog::PlanOwner self);

  /// To the end. Errors: kUnavailable, kResourceExhausted, kCommitUnknown (call again later),
  /// kAlreadyExists (another open plan is in the way, see in_the_way()), kDataCorrupt.
  Result<Done> Run();

  /// The halves of a step, for tests that put something between them.
  Result<Action> Next();
  Status Do(const Action& action);

  const Plan& plan() const { return plan_; }
  /// The open plan that Run() found in the way.
  const std::string& in_the_way() const { return in_the_way_; }
  /// How often the heads had moved under what was written.
  int32_t rebases() const { return rebases_; }

 private:
  Status Gather();
  Status GatherLive();
  Status DoInsert();
  Status DoPublish();
  Status DoWrite();
  Status DoCommit();
  Status DoAbandon(const Status& reason);
  Result<NextSnapshot> BuildNext(size_t change);
  /// Objects that nobody can refer to.
  void DropWritten();
  void AfterCommit();
  Status DeleteReplacedFiles();

  PlanWorld world_;
  const Plan plan_;
  Facts facts_;
  AttemptIds ids_;
  std::vector<NextSnapshot> written_;
  /// A transaction that refers to what is written ended without an answer.
  bool is_unknown_ = false;
  bool is_tidy_ = false;
  int32_t rebases_ = 0;
  std::string in_the_way_;
};

}  // namespace playhead::table
