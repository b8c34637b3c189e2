#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace playhead::ingest {

/// A snapshot that another program committed to a table of ours.
struct ForeignSnapshot {
  int64_t snapshot_id = 0;
  std::string
      operation;       ///< `append`, `overwrite`, `delete`, `replace`; empty when it says nothing
  std::string engine;  ///< as it calls itself; empty when it does not
  int64_t live_rows = 0;  ///< of the live files that it added
};

/// Who added a table's live files. Ours are the snapshots whose summary has an
/// entry `playhead.…`. A snapshot that has
/// expired tells nobody, so its files are nobody's here.
struct ForeignFiles {
  std::vector<ForeignSnapshot> snapshots;  ///< in the order of the metadata
  /// Paths (PlainPath) of live files that another program's append added: none of their rows is
  /// ours. Other operations of strangers (compaction, deletion) write our rows anew.
  std::vector<std::string> appended;
  std::set<std::string> own;  ///< paths of live files that we added

  bool empty() const { return snapshots.empty(); }
};

ForeignFiles FindForeignFiles(const iceberg::TableMetadata& metadata,
                              const std::vector<catalog::LiveFile>& live);

/// `file:/x`, `file:///x` and `/x` are one path, which engines spell as they like: `/x`. Other
/// stores' URIs as they are.
std::string PlainPath(const std::string& uri);

}  // namespace playhead::ingest
