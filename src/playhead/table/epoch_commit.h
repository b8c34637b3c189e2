#pragma once

#include "playhead/base/clock.h"
#include "playhead/catalog/catalog.h"
#include "playhead/table/partitioned_writer.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace playhead::table {

/// good + dead + skipped = read, per log partition.
struct RecordCounts {
  int64_t read = 0;
  int64_t good = 0;
  int64_t dead = 0;
  int64_t skipped = 0;
  auto operator<=>(const RecordCounts&) const = default;
};

/// One log partition's part of an epoch. `range.begin` must be the head map's entry (or the first
/// offset ever ingested); read = range.end − range.begin, and the offsets of an accepted gap.
struct EpochRange {
  LogPartition partition;
  OffsetRange range;
  RecordCounts counts;
  /// The head map's entry when the operator accepted a gap between it and `begin`; recorded in the
  /// summary (`playhead.gaps`).
  std::optional<int64_t> accepted_gap_from;
};

/// Everything of one epoch of one stream, staged and durable, not yet visible.
struct Epoch {
  std::string plan_id;  ///< the folder below `_staging/`
  catalog::TableId main;
  catalog::TableId dead;
  std::vector<EpochRange> ranges;  ///< empty for landing files
  std::vector<StagedFile> main_files;
  std::vector<StagedFile> dead_files;
  /// For a landing file: its ledger row, committed with the rows.
  std::optional<catalog::LandingFile> landing;
  /// `_topic` values whose rows this epoch replaces, in both tables (on_change: replace, re-runs).
  std::vector<std::string> replaced_topics;
};

struct EpochOutcome {
  int64_t snapshot_id = 0;  ///< of the main table; 0 when nothing changed
  int32_t retries = 0;      ///< rebases on a moved head
};

/// What a table has consumed and counted, from its newest snapshot that carries it.
struct TableProgress {
  std::map<std::string, std::map<int32_t, int64_t>> offsets;      ///< `playhead.offsets`
  std::map<std::string, std::map<int32_t, RecordCounts>> counts;  ///< `playhead.counts`, cumulative
};
/// From the snapshots on main, else from the table properties of the same names.
/// Errors: kDataCorrupt (the summary is not what we write).
Result<TableProgress> ReadProgress(const iceberg::TableMetadata& metadata);

struct EpochPlan;

/// Commits epochs exactly once: plan, publish, manifests and metadata, one catalog transaction,
/// version hints (design: docs/formats/commit.md). A dead table without dead letters is not
/// touched.
///
/// Steps that tests can kill at: commit.before_plan, commit.after_plan, commit.published_one,
/// commit.published, commit.after_manifest, commit.after_metadata, commit.after_transaction,
/// commit.after_hint.
/// Threads: one at a time per main table.
class Committer {
 public:
  Committer(catalog::Catalog& catalog, storage::ObjectStore& store, std::string warehouse_uri,
            const Clock& clock);

  /// Errors: kConflict (an entry of the epoch's own partitions moved: discard, start from the
  /// head), kAlreadyExists (somebody's open plan covers a range: Recover() first), kUnavailable,
  /// kResourceExhausted (retry the same epoch), kDataCorrupt. A definite failure before the plan
  /// leaves only staged files; after the plan, Recover() or a repeat of Commit() with the same
  /// epoch finishes. An epoch that is committed already is a success.
  Result<EpochOutcome> Commit(const Epoch& epoch);

  /// Finishes or discards every open plan, then removes staging folders without a plan and data
  /// files that the heads have replaced. Run at start, under the warehouse's lock. Running it twice
  /// changes nothing.
  Status Recover();

  /// Removes the staged files of an epoch that will not be committed. Errors: kConflict (it is
  /// planned: Recover() decides).
  Status Discard(const std::string& plan_id);

 private:
  struct Heads {
    catalog::TableState main;
    std::optional<catalog::TableState> dead;
  };
  Result<Heads> LoadHeads(const Epoch& epoch);
  Result<EpochOutcome> FinishPlan(const catalog::Plan& row);
  Result<EpochOutcome> MoveHeads(const EpochPlan& plan);
  Status RecoverPlan(const catalog::Plan& row);
  Status AbandonPlan(const catalog::Plan& row, const Epoch& epoch);
  std::string StagingUri(const std::string& plan_id) const;

  catalog::Catalog& catalog_;
  storage::ObjectStore& store_;
  std::string warehouse_uri_;
  const Clock& clock_;
};

}  // namespace playhead::table
