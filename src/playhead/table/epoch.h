#pragma once

#include "playhead/base/ids.h"
#include "playhead/catalog/catalog.h"
#include "playhead/table/partitioned_writer.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  /// The head map did not know the partition when its records were read. Of any other range it must
  /// know it: a table that was rolled back to before the partition's first commit does not.
  bool is_first = false;
};

/// One landing file's part of an epoch. The epoch's files are of different names.
struct EpochLanding {
  catalog::LandingFile file;  ///< its ledger row, committed with the rows
  /// Content of the same name that the ledger had when this one was judged, none without.
  std::optional<std::string> known_hash;
  /// `_topic` values whose rows this epoch replaces, in both tables (on_change: replace, re-runs).
  std::vector<std::string> replaced_topics;
};

/// Everything of one epoch of one stream, staged and durable, not yet visible.
struct Epoch {
  std::string plan_id;  ///< a UUID; the epoch's folder in `_staging/`, and in every final name
  catalog::TableId main;
  catalog::TableId dead;
  /// The tables that the files were written for. Empty: those that bear the names when the plan is
  /// made.
  std::string main_uuid = {};
  std::string dead_uuid = {};
  std::vector<EpochRange> ranges = {};  ///< empty for landing files
  std::vector<StagedFile> main_files = {};
  std::vector<StagedFile> dead_files = {};
  std::vector<EpochLanding> landing = {};
};

/// This process as the owner of plans and of what it stages: host, process id and a random part.
const std::string& ProcessOwner();

/// The folder in which an owner stages an epoch.
std::string StagingUri(std::string_view warehouse_uri, std::string_view owner,
                       std::string_view plan_id);

}  // namespace playhead::table
