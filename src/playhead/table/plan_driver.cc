#include "playhead/table/plan_driver.h"

#include "playhead/base/crash_point.h"
#include "playhead/base/logging.h"
#include "playhead/base/uuid.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/table/expired_files.h"
#include "playhead/table/metadata_file.h"
#include "playhead/table/progress.h"

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::table {
namespace {

using catalog::CommitAnswer;
using catalog::Refusal;
using catalog::TableState;

// Each rebase meets a head that somebody else moved within some milliseconds.
constexpr int32_t kRebasesMax = 50;
// An attempt's UUID shares so many characters with its plan's, so that what it wrote can be told.
constexpr size_t kPlanPrefix = 24;

std::string AttemptUuid(const std::string& plan_id) {
  std::string uuid = NewUuid();
  if (plan_id.size() == uuid.size()) uuid.replace(0, kPlanPrefix, plan_id, 0, kPlanPrefix);
  return uuid;
}

// Whether going on or trying again later may help; anything else ends the plan.
bool PassesByItself(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted ||
         code == StatusCode::kCommitUnknown || code == StatusCode::kCancelled;
}

Result<std::vector<iceberg::ManifestFile>> ManifestsOf(storage::ObjectStore& store,
                                                       const iceberg::TableMetadata& metadata) {
  const iceberg::Snapshot* snapshot = metadata.CurrentSnapshot();
  if (snapshot == nullptr) return std::vector<iceberg::ManifestFile>();
  PH_ASSIGN_OR_RETURN(const std::string bytes, store.Get(snapshot->manifest_list));
  auto manifests = iceberg::ReadManifestList(bytes);
  if (!manifests.ok()) return manifests.error().WithContext(snapshot->manifest_list);
  return manifests;
}

// Paths of data files in any snapshot that a table still has.
Status AddHeldPaths(const PlanWorld& world, const iceberg::TableMetadata& metadata,
                    std::set<std::string>& paths) {
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    PH_ASSIGN_OR_RETURN(const std::string bytes, world.store.Get(snapshot.manifest_list));
    PH_ASSIGN_OR_RETURN(const auto manifests, iceberg::ReadManifestList(bytes));
    for (const iceberg::ManifestFile& manifest : manifests) {
      if (manifest.content != 0) continue;
      PH_ASSIGN_OR_RETURN(const ManifestEntries entries,
                          catalog::ReadEntries(world.store, manifest, &world.manifests));
      for (const iceberg::ManifestEntry& entry : *entries) {
        if (entry.status != iceberg::EntryStatus::kDeleted) paths.insert(entry.file.path);
      }
    }
  }
  return {};
}

// Paths that the plan's tables hold today. A table that is gone holds nothing.
Result<std::set<std::string>> HeldPaths(const PlanWorld& world, const Plan& plan) {
  std::set<std::string> paths;
  for (const PlannedChange& change : plan.changes) {
    const Result<TableState> table = world.catalog.Load(change.id);
    if (!table.ok() && table.error().code() == StatusCode::kNotFound) continue;
    PH_RETURN_IF_ERROR(table);
    PH_RETURN_IF_ERROR(AddHeldPaths(world, *table->metadata, paths));
  }
  return paths;
}

// Deletes what stands under final names of a plan that will never commit, and its staging folder.
// Files that some snapshot of today's tables holds (somebody registered them) stay.
Status RemoveRemainsOf(const PlanWorld& world, const Plan& plan) {
  // Staged files first: then nobody can publish them any more.
  PH_RETURN_IF_ERROR(world.store.DeleteTree(plan.staging_uri));
  if (!plan.has_files()) return {};
  const Result<std::set<std::string>> held = HeldPaths(world, plan);
  if (!held.ok() && !PassesByItself(held.error().code())) {
    // A table that we cannot read may have got the files from somebody who can.
    logging::Warn("table", "files of an abandoned plan stay",
                  {{"plan", plan.id}, {"why", held.error().ToString()}});
    return {};
  }
  PH_RETURN_IF_ERROR(held);
  for (const PlannedChange& change : plan.changes) {
    for (const StagedFile& staged : change.added) {
      if (held->contains(staged.file.path)) continue;
      PH_RETURN_IF_ERROR(world.store.Delete(staged.file.path));
    }
  }
  return {};
}

}  // namespace

PlanDriver::PlanDriver(const PlanWorld& world, Plan plan, catalog::PlanOwner self)
    : world_(world), plan_(std::move(plan)), ids_{.snapshot_id = NewSnapshotId(), .uuid = {}} {
  facts_.self = std::move(self);
}

Result<Done> PlanDriver::Run() {
  const int32_t rebases_max = rebases_ + kRebasesMax;
  while (rebases_ <= rebases_max) {
    PH_ASSIGN_OR_RETURN(const Action action, Next());
    if (const auto* done = std::get_if<Done>(&action)) {
      PH_RETURN_IF_ERROR(Do(action));
      return *done;
    }
    PH_RETURN_IF_ERROR(Do(action));
  }
  return Error(StatusCode::kUnavailable, "the head keeps moving: table={} rebases={}",
               plan_.main().ToString(), rebases_);
}

Result<Action> PlanDriver::Next() {
  PH_RETURN_IF_ERROR(Gather());
  return Decide(plan_, facts_);
}

Status PlanDriver::Do(const Action& action) {
  struct Visitor {
    PlanDriver& driver;
    Status operator()(const InsertPlan&) const { return driver.DoInsert(); }
    Status operator()(const Publish&) const { return driver.DoPublish(); }
    Status operator()(const WriteObjects&) const { return driver.DoWrite(); }
    Status operator()(const CommitTransaction&) const { return driver.DoCommit(); }
    Status operator()(const Abandon& abandon) const { return driver.DoAbandon(abandon.reason); }
    Status operator()(const Done& done) const {
      if (done.outcome == Done::Outcome::kCommitted) driver.AfterCommit();
      return {};
    }
  };
  return std::visit(Visitor{*this}, action);
}

Status PlanDriver::Gather() {
  PH_ASSIGN_OR_RETURN(facts_.row, world_.catalog.FindPlan(plan_.id));
  if (facts_.row) facts_.was_open = true;
  const bool is_ended = facts_.row && facts_.row->phase != catalog::PlanPhase::kOpen;
  if (is_ended && facts_.heads.size() == plan_.changes.size()) return {};

  std::vector<catalog::TableId> ids;
  for (const PlannedChange& change : plan_.changes) ids.push_back(change.id);
  PH_ASSIGN_OR_RETURN(auto tables, world_.catalog.LoadMany(ids));
  facts_.heads.assign(ids.size(), std::nullopt);
  for (size_t i = 0; i < ids.size(); ++i) {
    if (tables[i].ok()) {
      facts_.heads[i] = *std::move(tables[i]);
    } else if (tables[i].error().code() != StatusCode::kNotFound) {
      return tables[i].error();
    }
  }
  for (const Guard& guard : plan_.guards) {
    const auto* ledger = std::get_if<LedgerIs>(&guard);
    if (ledger == nullptr) continue;
    PH_ASSIGN_OR_RETURN(const auto rows, world_.catalog.LandingFilesNamed(
                                             ledger->table, ledger->table_uuid, ledger->name));
    const auto current = std::ranges::find(rows, true, &catalog::LandingFile::is_current);
    facts_.ledger[ledger->name] =
        current == rows.end() ? std::nullopt : std::optional(current->content_hash);
  }
  return GatherLive();
}

Status PlanDriver::GatherLive() {
  facts_.live.clear();
  for (const Guard& guard : plan_.guards) {
    const auto* wanted = std::get_if<FilesLive>(&guard);
    if (wanted == nullptr) continue;
    const auto change = std::ranges::find(plan_.changes, wanted->table, &PlannedChange::id);
    const auto at = static_cast<size_t>(change - plan_.changes.begin());
    if (change == plan_.changes.end() || !facts_.heads[at]) continue;
    auto files = catalog::LiveFiles(world_.store, *facts_.heads[at]->metadata, &world_.manifests);
    if (!files.ok() && !PassesByItself(files.error().code())) {
      // It has delete files, or cannot be read: nothing can be replaced in it.
      facts_.unbuildable = files.error();
      facts_.live[wanted->table];
      continue;
    }
    PH_RETURN_IF_ERROR(files);
    facts_.live[wanted->table] = *std::move(files);
  }
  return {};
}

Status PlanDriver::DoInsert() {
  PH_ASSIGN_OR_RETURN(std::string payload, PlanToJson(plan_));
  const CommitAnswer answer = world_.catalog.InsertPlan({.plan_id = plan_.id,
                                                         .table = plan_.main(),
                                                         .owner = facts_.self,
                                                         .format = kPlanFormat,
                                                         .payload = std::move(payload),
                                                         .claims = ClaimsOf(plan_),
                                                         .created_us = plan_.created_us},
                                                        kPlanLeaseMicros);
  if (answer.kind == CommitAnswer::Kind::kRefused) {
    // Its own, whose answer had been lost.
    if (answer.refusal->plan_id == plan_.id) return {};
    in_the_way_ = answer.refusal->plan_id;
    return Status(StatusCode::kAlreadyExists, answer.refusal->message);
  }
  PH_RETURN_IF_ERROR(answer.ToStatus());
  CrashPoint("commit.after_plan");
  return {};
}

Status PlanDriver::DoPublish() {
  std::vector<storage::ObjectMove> moves;
  for (const PlannedChange& change : plan_.changes) {
    for (const StagedFile& staged : change.added) {
      moves.push_back({.staged_uri = staged.staged_uri, .final_uri = staged.file.path});
    }
  }
  PH_ASSIGN_OR_RETURN(const auto outcomes, world_.store.PublishMany(moves));
  facts_.published = Facts::Published::kYes;
  for (size_t i = 0; i < moves.size(); ++i) {
    if (outcomes[i] != storage::PublishOutcome::kSourceGone) continue;
    facts_.published = Facts::Published::kSourceGone;
    facts_.missing_path = moves[i].final_uri;
  }
  CrashPoint("commit.published");
  return {};
}

Result<NextSnapshot> PlanDriver::BuildNext(size_t index) {
  const PlannedChange& change = plan_.changes[index];
  const TableState& head = *facts_.heads[index];
  SnapshotEntries extra;
  if (index == 0) {
    PH_ASSIGN_OR_RETURN(TableProgress progress, ReadProgress(*head.metadata));
    progress = Advance(std::move(progress), plan_.effects.ranges);
    if (!plan_.effects.inputs.empty()) progress.inputs = plan_.effects.inputs;
    extra.properties = ProgressEntries(progress);
    extra.summary = extra.properties;
    extra.summary.merge(GapEntries(plan_.effects.ranges));
  }
  extra.summary[std::string(kPlanIdKey)] = plan_.id;

  PH_ASSIGN_OR_RETURN(const auto manifests, ManifestsOf(world_.store, *head.metadata));
  std::map<std::string, ManifestEntries> entries;
  for (const iceberg::ManifestFile& needed : NeededManifests(*head.metadata, manifests, change)) {
    PH_ASSIGN_OR_RETURN(entries[needed.path],
                        catalog::ReadEntries(world_.store, needed, &world_.manifests));
  }
  return MakeNextSnapshot(head, manifests, entries, change, extra, ids_);
}

Status PlanDriver::DoWrite() {
  if (!written_.empty()) ++rebases_;
  DropWritten();
  ids_.uuid = AttemptUuid(plan_.id);
  ids_.now_ms = world_.clock.NowMicros() / 1000;
  std::vector<NextSnapshot> next;
  std::vector<storage::NewObject> objects;
  for (size_t i = 0; i < plan_.changes.size(); ++i) {
    Result<NextSnapshot> one = BuildNext(i);
    if (!one.ok() && !PassesByItself(one.error().code())) {
      facts_.unbuildable = one.error().WithContext(plan_.changes[i].id.ToString());
      return {};
    }
    PH_RETURN_IF_ERROR(one);
    objects.insert(objects.end(), one->objects.begin(), one->objects.end());
    next.push_back(*std::move(one));
  }
  // Nothing refers to them before the transaction does, so their order does not matter.
  const Status put = world_.store.PutMany(objects);
  written_ = std::move(next);
  if (!put.ok()) {
    DropWritten();
    return put;
  }
  for (const auto& head : facts_.heads) facts_.written_on.push_back(head->metadata_location);
  CrashPoint("commit.after_objects");
  return {};
}

Status PlanDriver::DoCommit() {
  catalog::CommitRequest request{
      .finish = catalog::CommitRequest::Finish{.plan_id = plan_.id,
                                               .owner = facts_.self,
                                               .snapshot_id = ids_.snapshot_id,
                                               .keeps_payload = plan_.removes_files()},
      .landing_files = plan_.effects.ledger_rows};
  for (const NextSnapshot& next : written_) {
    request.moves.push_back(next.metadata.move);
    request.expired.insert(request.expired.end(), next.expired.begin(), next.expired.end());
  }
  for (const Guard& guard : plan_.guards) {
    if (const auto* ledger = std::get_if<LedgerIs>(&guard))
      request.ledger_guards.push_back(*ledger);
  }
  const CommitAnswer answer = world_.catalog.Commit(request);
  switch (answer.kind) {
    case CommitAnswer::Kind::kCommitted:
      CrashPoint("commit.after_transaction");
      return {};
    case CommitAnswer::Kind::kRefused:
      // The next facts say what moved.
      if (answer.refusal->guard == Refusal::Guard::kTableMoved) ++rebases_;
      DropWritten();
      return {};
    case CommitAnswer::Kind::kNotBegun:
      return answer.failure;
    case CommitAnswer::Kind::kUnknown:
      is_unknown_ = true;
      return answer.ToStatus();
  }
  return {};
}

void PlanDriver::DropWritten() {
  // A transaction without an answer may still happen, and then the tables refer to all of it.
  if (!is_unknown_) {
    for (const NextSnapshot& next : written_) {
      for (const storage::NewObject& object : next.objects)
        (void)world_.store.Delete(object.uri).ok();
    }
  }
  written_.clear();
  facts_.written_on.clear();
  is_unknown_ = false;
}

Status PlanDriver::DoAbandon(const Status& reason) {
  if (facts_.row && facts_.row->phase == catalog::PlanPhase::kOpen) {
    logging::Warn(
        "table", "plan abandoned",
        {{"plan", plan_.id}, {"table", plan_.main().ToString()}, {"why", reason.message()}});
    const CommitAnswer answer = world_.catalog.AbandonPlan(plan_.id, facts_.self, reason.message());
    // Refused: the next facts say what became of it.
    if (answer.kind == CommitAnswer::Kind::kRefused) return {};
    PH_RETURN_IF_ERROR(answer.ToStatus());
    CrashPoint("commit.abandoned");
    facts_.row->phase = catalog::PlanPhase::kAbandoned;
    facts_.row->reason = reason.message();
    facts_.abandoned_for = reason;
  }
  DropWritten();
  PH_RETURN_IF_ERROR(RemoveRemainsOf(world_, plan_));
  if (facts_.row) PH_RETURN_IF_ERROR(world_.catalog.ForgetPayload(plan_.id));
  facts_.is_clean = true;
  return {};
}

void PlanDriver::AfterCommit() {
  if (std::exchange(is_tidy_, true)) return;
  for (const NextSnapshot& next : written_) WriteVersionHint(world_.store, next.metadata);
  CrashPoint("commit.after_hint");
  bool is_tidy = true;
  if (plan_.removes_files()) is_tidy = DeleteReplacedFiles().ok();
  if (const Status status = world_.store.DeleteTree(plan_.staging_uri); !status.ok()) {
    logging::Warn("table", "staging stays", {{"why", status.ToString()}});
  }
  if (is_tidy && facts_.row && !facts_.row->payload.empty()) {
    if (const Status status = world_.catalog.ForgetPayload(plan_.id); !status.ok()) {
      logging::Warn("table", "a plan's payload stays", {{"why", status.ToString()}});
    }
  }
  for (const PlannedChange& change : plan_.changes) {
    DeleteExpiredFiles(world_, change.id, kExpiredBatch);
  }
}

Status PlanDriver::DeleteReplacedFiles() {
  const auto remove = [&]() -> Status {
    PH_ASSIGN_OR_RETURN(const std::set<std::string> held, HeldPaths(world_, plan_));
    for (const PlannedChange& change : plan_.changes) {
      for (const std::string& path : change.removed_paths) {
        if (!held.contains(path)) PH_RETURN_IF_ERROR(world_.store.Delete(path));
      }
    }
    return {};
  };
  Status status = remove();
  if (!status.ok()) {
    logging::Warn("table", "replaced files stay until the next start",
                  {{"plan", plan_.id}, {"why", status.ToString()}});
  }
  return status;
}

}  // namespace playhead::table
