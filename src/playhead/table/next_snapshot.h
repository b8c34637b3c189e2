#pragma once

#include "playhead/table/metadata_file.h"
#include "playhead/table/plan.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

/// What one commit does to one table, besides the files of a PlannedChange.
struct SnapshotEntries {
  std::map<std::string, std::string> summary;     ///< besides the standard entries
  std::map<std::string, std::string> properties;  ///< set with the snapshot
};

/// Names and times of one attempt at a commit.
struct AttemptIds {
  int64_t snapshot_id = 0;
  std::string uuid;  ///< in the names of all that is written; no other attempt has it
  int64_t now_ms = 0;
};

/// The next snapshot of a table: objects to write, then one catalog move.
struct NextSnapshot {
  std::vector<storage::NewObject> objects;  ///< manifests, their list, the metadata
  NextMetadata metadata;
  /// What readers of older snapshots may still need, and nobody else.
  std::vector<catalog::ExpiredObject> expired;
};

using ManifestEntries = std::shared_ptr<const std::vector<iceberg::ManifestEntry>>;

/// The manifests of the head whose entries MakeNextSnapshot() wants to see: all of data when files
/// are removed, the small ones once there are 100 of them to be merged.
std::vector<iceberg::ManifestFile> NeededManifests(
    const iceberg::TableMetadata& head, const std::vector<iceberg::ManifestFile>& manifests,
    const PlannedChange& change);

/// Applies `change` to `head`: manifests for the added files, copies of the manifests that lose
/// files, a merge of the small manifests once there are 100, the list and the metadata. A snapshot
/// that removes files is the only one left, unless a tag or branch holds others, because the files
/// go at once. Pure: `manifests` are those of the head's list, `entries` of the needed ones by
/// path. Errors: kConflict (a removed file is not live), kNotSupported (delete files and removals),
/// kInvalidArgument (partition tuples of another spec), kDataCorrupt.
Result<NextSnapshot> MakeNextSnapshot(const catalog::TableState& head,
                                      const std::vector<iceberg::ManifestFile>& manifests,
                                      const std::map<std::string, ManifestEntries>& entries,
                                      const PlannedChange& change, const SnapshotEntries& extra,
                                      const AttemptIds& ids);

}  // namespace playhead::table
