#pragma once

#include "playhead/table/metadata_file.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace playhead::table {

/// What one commit does to one table.
struct TableChange {
  std::vector<iceberg::DataFile> added;
  std::set<std::string> removed_paths;
  std::map<std::string, std::string> summary;     ///< besides the standard entries
  std::map<std::string, std::string> properties;  ///< set with the snapshot
};

/// The next snapshot of a table: objects to write, then one catalog move.
struct NextSnapshot {
  std::vector<storage::NewObject> manifests;  ///< and the manifest list
  NextMetadata metadata;
  /// False when files were removed that an older snapshot still held by a tag or branch needs.
  bool owns_removed_files = true;
};

/// Applies `change` to `head`: a manifest for the added files, copies of the manifests that lose
/// files, a merge of the small manifests once there are 100, the list and the metadata. Reads the
/// store, writes nothing. A snapshot that removes files is the only one left, because their data
/// files go at once. Errors: kConflict (a removed file is not live), kNotSupported (delete files
/// and removals), kInvalidArgument (partition tuples of another spec), kDataCorrupt, kNotFound.
Result<NextSnapshot> MakeNextSnapshot(storage::ObjectStore& store, const catalog::TableState& head,
                                      const TableChange& change, int64_t snapshot_id,
                                      int64_t now_ms);

}  // namespace playhead::table
