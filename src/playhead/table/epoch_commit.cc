#include "playhead/table/epoch_commit.h"

#include "playhead/base/crash_point.h"
#include "playhead/base/logging.h"
#include "playhead/base/uuid.h"
#include "playhead/table/epoch_plan.h"
#include "playhead/table/next_snapshot.h"
#include "playhead/table/progress.h"
#include "playhead/table/publish.h"
#include "playhead/table/topic_files.h"

#include <algorithm>
#include <utility>

namespace playhead::table {
namespace {

// Each attempt meets a head that somebody else moved within some milliseconds.
constexpr int kAttemptsMax = 50;

using catalog::TableState;

bool ChangesNothing(const Epoch& epoch) {
  return epoch.ranges.empty() && epoch.main_files.empty() && epoch.dead_files.empty() &&
         epoch.replaced_topics.empty() && !epoch.landing.has_value();
}

std::vector<iceberg::DataFile> DataFiles(const std::vector<StagedFile>& staged) {
  std::vector<iceberg::DataFile> files;
  for (const StagedFile& file : staged) files.push_back(file.file);
  return files;
}

// Writes the files of `table` that mix replaced topics with others anew, before the plan is made.
Status RewriteMixedFiles(storage::ObjectStore& store, const TableState& table,
                         const std::string& staging_uri, EpochPlan& plan,
                         std::vector<StagedFile>& files) {
  const Epoch& epoch = plan.epoch;
  PH_ASSIGN_OR_RETURN(const TopicFiles found,
                      FindTopicFiles(store, *table.metadata, epoch.replaced_topics));
  for (const iceberg::DataFile& file : found.mixed) {
    const std::string name = fmt::format("rewritten-{}", plan.rewritten.size());
    PH_ASSIGN_OR_RETURN(StagedFile staged,
                        RewriteWithoutTopics(store, *table.metadata, file, epoch.replaced_topics,
                                             fmt::format("{}/{}.staged", staging_uri, name),
                                             fmt::format("{}-{}.parquet", epoch.plan_id, name)));
    files.push_back(std::move(staged));
    plan.rewritten.push_back({.table = table.id, .path = file.path});
  }
  return {};
}

// The files that leave `table`: all that hold nothing but replaced topics, and those written anew.
Result<std::set<std::string>> RemovedPaths(storage::ObjectStore& store, const TableState& table,
                                           const EpochPlan& plan) {
  if (plan.epoch.replaced_topics.empty()) return std::set<std::string>();
  PH_ASSIGN_OR_RETURN(TopicFiles found,
                      FindTopicFiles(store, *table.metadata, plan.epoch.replaced_topics));
  std::set<std::string> rewritten;
  for (const RewrittenFile& file : plan.rewritten) {
    if (file.table == table.id) rewritten.insert(file.path);
  }
  for (const iceberg::DataFile& file : found.mixed) {
    if (rewritten.contains(file.path)) continue;
    return Error(StatusCode::kConflict, "rows to be replaced were moved to another file: path={}",
                 file.path);
  }
  found.whole.merge(rewritten);
  return std::move(found.whole);
}

std::vector<TableState> StatesOf(const TableState& main, const std::optional<TableState>& dead) {
  std::vector<TableState> states = {main};
  if (dead.has_value()) states.push_back(*dead);
  return states;
}

void DeleteObjects(storage::ObjectStore& store, const std::vector<storage::NewObject>& objects) {
  for (const storage::NewObject& object : objects) (void)store.Delete(object.uri).ok();
}

}  // namespace

Committer::Committer(catalog::Catalog& catalog, storage::ObjectStore& store,
                     std::string warehouse_uri, const Clock& clock)
    : catalog_(catalog), store_(store), warehouse_uri_(std::move(warehouse_uri)), clock_(clock) {}

std::string Committer::StagingUri(const std::string& plan_id) const {
  return fmt::format("{}/_staging/{}", warehouse_uri_, plan_id);
}

Result<Committer::Heads> Committer::LoadHeads(const Epoch& epoch) {
  PH_ASSIGN_OR_RETURN(TableState main, catalog_.Load(epoch.main));
  Heads heads{.main = std::move(main), .dead = std::nullopt};
  if (!epoch.dead.name.empty()) {
    PH_ASSIGN_OR_RETURN(heads.dead, catalog_.Load(epoch.dead));
  }
  return heads;
}

Result<EpochOutcome> Committer::Commit(const Epoch& epoch) {
  if (ChangesNothing(epoch)) return EpochOutcome{};
  CrashPoint("commit.before_plan");
  PH_ASSIGN_OR_RETURN(const std::optional<catalog::Plan> open, catalog_.FindPlan(epoch.plan_id));
  if (open.has_value()) return FinishPlan(*open);

  PH_ASSIGN_OR_RETURN(const Heads heads, LoadHeads(epoch));
  if (const int64_t done = SnapshotOfPlan(*heads.main.metadata, epoch.plan_id); done != 0) {
    return EpochOutcome{.snapshot_id = done};
  }
  PH_ASSIGN_OR_RETURN(const TableProgress progress, ReadProgress(*heads.main.metadata));
  PH_RETURN_IF_ERROR(CheckRanges(progress, epoch.ranges));

  EpochPlan plan{.epoch = epoch, .rewritten = {}};
  if (!epoch.replaced_topics.empty()) {
    PH_RETURN_IF_ERROR(RewriteMixedFiles(store_, heads.main, StagingUri(epoch.plan_id), plan,
                                         plan.epoch.main_files));
    if (heads.dead.has_value()) {
      PH_RETURN_IF_ERROR(RewriteMixedFiles(store_, *heads.dead, StagingUri(epoch.plan_id), plan,
                                           plan.epoch.dead_files));
    }
  }
  PH_ASSIGN_OR_RETURN(const catalog::Plan row, PlanToRow(plan, clock_.NowMicros()));
  PH_RETURN_IF_ERROR(catalog_.InsertPlan(row));
  CrashPoint("commit.after_plan");
  return FinishPlan(row);
}

Result<EpochOutcome> Committer::FinishPlan(const catalog::Plan& row) {
  PH_ASSIGN_OR_RETURN(const EpochPlan plan, PlanFromRow(row));
  const Epoch& epoch = plan.epoch;
  PH_ASSIGN_OR_RETURN(const Heads heads, LoadHeads(epoch));
  PH_ASSIGN_OR_RETURN(const TableProgress progress, ReadProgress(*heads.main.metadata));
  // Before anything shows under a final name.
  Status status = CheckRanges(progress, epoch.ranges);
  if (status.ok()) {
    PH_RETURN_IF_ERROR(PublishPlan(store_, row, StatesOf(heads.main, heads.dead)));
    CrashPoint("commit.published");
    Result<EpochOutcome> outcome = MoveHeads(plan);
    if (outcome.ok()) return outcome;
    status = outcome.error();
  }
  if (status.code() == StatusCode::kConflict) PH_RETURN_IF_ERROR(AbandonPlan(row, epoch));
  return status;
}

Status Committer::AbandonPlan(const catalog::Plan& row, const Epoch& epoch) {
  PH_ASSIGN_OR_RETURN(const Heads heads, LoadHeads(epoch));
  logging::Warn("table", "plan abandoned",
                {{"plan", row.plan_id}, {"table", row.table.ToString()}});
  // The row goes last: until then a crash leads back here.
  PH_RETURN_IF_ERROR(Unpublish(store_, row, StatesOf(heads.main, heads.dead)));
  PH_RETURN_IF_ERROR(store_.DeleteTree(StagingUri(row.plan_id)));
  return catalog_.DeletePlan(row.plan_id);
}

namespace {

// One attempt to move the heads of a plan's tables.
class Attempt {
 public:
  Attempt(storage::ObjectStore& store, const EpochPlan& plan, int64_t snapshot_id, int64_t now_ms)
      : store_(store), plan_(plan), snapshot_id_(snapshot_id), now_ms_(now_ms) {}

  Status AddMain(const TableState& head, const TableProgress& progress) {
    TableChange change{.added = DataFiles(plan_.epoch.main_files)};
    PH_ASSIGN_OR_RETURN(change.removed_paths, RemovedPaths(store_, head, plan_));
    const TableProgress next = Advance(progress, plan_.epoch.ranges);
    change.properties = ProgressEntries(next);
    change.summary = change.properties;
    change.summary.merge(GapEntries(plan_.epoch.ranges));
    return Add(head, std::move(change));
  }

  Status AddDead(const TableState& head) {
    TableChange change{.added = DataFiles(plan_.epoch.dead_files)};
    PH_ASSIGN_OR_RETURN(change.removed_paths, RemovedPaths(store_, head, plan_));
    if (change.added.empty() && change.removed_paths.empty()) return {};
    return Add(head, std::move(change));
  }

  Status Write() {
    for (const NextSnapshot& next : snapshots_) {
      objects_.insert(objects_.end(), next.manifests.begin(), next.manifests.end());
    }
    PH_RETURN_IF_ERROR(store_.PutMany(objects_));
    CrashPoint("commit.after_manifest");
    const size_t manifests = objects_.size();
    for (const NextSnapshot& next : snapshots_) objects_.push_back(next.metadata.object);
    PH_RETURN_IF_ERROR(store_.PutMany(std::span(objects_).subspan(manifests)));
    CrashPoint("commit.after_metadata");
    return {};
  }

  catalog::CommitRequest Request() const {
    catalog::CommitRequest request{.finished_plan_id = plan_.epoch.plan_id};
    for (const NextSnapshot& next : snapshots_) request.moves.push_back(next.metadata.move);
    if (plan_.epoch.landing.has_value()) request.landing_files = {*plan_.epoch.landing};
    return request;
  }

  // Nobody refers to what was written.
  void Undo() { DeleteObjects(store_, objects_); }

  // All of it best effort: recovery and maintenance do what a crash leaves undone.
  void AfterCommit() {
    for (const NextSnapshot& next : snapshots_) WriteVersionHint(store_, next.metadata);
    CrashPoint("commit.after_hint");
    for (size_t i = 0; i < snapshots_.size(); ++i) {
      TidyAfterCommit(store_, *heads_[i].metadata, snapshots_[i].metadata);
      if (!snapshots_[i].owns_removed_files) continue;
      for (const std::string& path : removed_paths_[i]) (void)store_.Delete(path).ok();
    }
  }

 private:
  Status Add(const TableState& head, TableChange change) {
    change.summary[std::string(kPlanIdKey)] = plan_.epoch.plan_id;
    PH_ASSIGN_OR_RETURN(NextSnapshot next,
                        MakeNextSnapshot(store_, head, change, snapshot_id_, now_ms_));
    snapshots_.push_back(std::move(next));
    heads_.push_back(head);
    removed_paths_.push_back(std::move(change.removed_paths));
    return {};
  }

  storage::ObjectStore& store_;
  const EpochPlan& plan_;
  const int64_t snapshot_id_;
  const int64_t now_ms_;
  std::vector<NextSnapshot> snapshots_;
  std::vector<TableState> heads_;
  std::vector<std::set<std::string>> removed_paths_;
  std::vector<storage::NewObject> objects_;
};

}  // namespace

Result<EpochOutcome> Committer::MoveHeads(const EpochPlan& plan) {
  const Epoch& epoch = plan.epoch;
  const int64_t snapshot_id = NewSnapshotId();
  for (int32_t retries = 0; retries < kAttemptsMax; ++retries) {
    PH_ASSIGN_OR_RETURN(const Heads heads, LoadHeads(epoch));
    if (const int64_t done = SnapshotOfPlan(*heads.main.metadata, epoch.plan_id); done != 0) {
      return EpochOutcome{.snapshot_id = done, .retries = retries};
    }
    PH_ASSIGN_OR_RETURN(const TableProgress progress, ReadProgress(*heads.main.metadata));
    PH_RETURN_IF_ERROR(CheckRanges(progress, epoch.ranges));

    Attempt attempt(store_, plan, snapshot_id, clock_.NowMicros() / 1000);
    PH_RETURN_IF_ERROR(attempt.AddMain(heads.main, progress));
    if (heads.dead.has_value()) PH_RETURN_IF_ERROR(attempt.AddDead(*heads.dead));
    Status status = attempt.Write();
    if (status.ok()) status = catalog_.Commit(attempt.Request());
    if (status.ok()) {
      CrashPoint("commit.after_transaction");
      attempt.AfterCommit();
      const Status tidied = store_.DeleteTree(StagingUri(epoch.plan_id));
      if (!tidied.ok()) logging::Warn("table", "staging stays", {{"error", tidied.ToString()}});
      return EpochOutcome{.snapshot_id = snapshot_id, .retries = retries};
    }
    // An unknown outcome is never cleaned up on a guess: the next call reads the head.
    if (status.code() == StatusCode::kCommitUnknown) return status;
    attempt.Undo();
    if (status.code() != StatusCode::kConflict) return status;
    PH_ASSIGN_OR_RETURN(const auto open, catalog_.FindPlan(epoch.plan_id));
    if (!open.has_value()) {
      PH_ASSIGN_OR_RETURN(const TableState now, catalog_.Load(epoch.main));
      const int64_t done = SnapshotOfPlan(*now.metadata, epoch.plan_id);
      if (done != 0) return EpochOutcome{.snapshot_id = done, .retries = retries};
      return status;
    }
  }
  return Error(StatusCode::kUnavailable, "the head keeps moving: table={} attempts={}",
               epoch.main.ToString(), kAttemptsMax);
}

}  // namespace playhead::table
