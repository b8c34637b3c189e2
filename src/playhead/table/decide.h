#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/table/plan.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace playhead::table {

/// All that a decision about a plan rests on. What is in the catalog was read at one moment; the
/// rest is what this driver has done since it took the plan in hand. Who knows less, because he
/// came after a crash, repeats a step that may be repeated.
struct Facts {
  catalog::PlanOwner self;
  std::optional<catalog::PlanRow> row;
  bool was_open = false;  ///< this driver has seen the row

  /// By change of the plan; none for a table that is not there.
  std::vector<std::optional<catalog::TableState>> heads;
  /// Current content by name, for the landing files that guards are about; none without.
  std::map<std::string, std::optional<std::string>> ledger;
  /// Live files of the tables in which rows are replaced.
  std::map<catalog::TableId, std::vector<catalog::LiveFile>> live;

  enum class Published { kNo, kYes, kSourceGone };
  Published published = Published::kNo;
  std::string missing_path;  ///< with kSourceGone

  /// The heads' locations that the written objects follow; empty while nothing is written.
  std::vector<std::string> written_on;
  Status unbuildable;     ///< why no snapshot can follow these heads, if so
  Status abandoned_for;   ///< this driver's reason, if it abandoned the plan
  bool is_clean = false;  ///< nothing is left of an abandoned plan
};

/// Makes the plan known; from then on it is finished or abandoned, whoever does it.
struct InsertPlan {};
/// Staged files get their final names.
struct Publish {};
/// Manifests, lists and metadata that follow the heads.
struct WriteObjects {};
/// The tables move.
struct CommitTransaction {};
/// The plan will not happen: its row says so, then what it left is removed.
struct Abandon {
  Status reason;
};
struct Done {
  enum class Outcome {
    kCommitted,
    kRefused,  ///< abandoned; `why` says what did not hold
    kNotOurs,  ///< another owner has it in hand
  };
  Outcome outcome = Outcome::kCommitted;
  int64_t snapshot_id = 0;
  Status why;
};
using Action = std::variant<InsertPlan, Publish, WriteObjects, CommitTransaction, Abandon, Done>;

/// What is to be done next for a plan. Total, and without I/O: the first run, a crash, a lost
/// answer and a restart are one path. `facts.heads` has an entry for each change.
///
///   ended                             → Done (an abandoned plan is cleaned up first)
///   not there yet                     → InsertPlan if its guards hold, else Abandon
///   another's                         → Done (kNotOurs)
///   a guard broken, a staged file gone, or no snapshot possible → Abandon
///   else the first of Publish, WriteObjects, CommitTransaction that is not done for these heads
Action Decide(const Plan& plan, const Facts& facts);

/// The first guard that does not hold: kConflict, start over from the heads. kDataCorrupt when a
/// head's progress is unreadable.
Status CheckGuards(const Plan& plan, const Facts& facts);

}  // namespace playhead::table
