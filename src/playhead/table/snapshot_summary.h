#pragma once

#include "playhead/iceberg/types.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace playhead::table {

/// Iceberg's standard summary entries of a snapshot, counted file by file.
class SnapshotSummary {
 public:
  void Add(const iceberg::DataFile& file);
  void Remove(const iceberg::DataFile& file);

  /// `manifests` is the whole list of the new snapshot; `parent` may be null.
  std::map<std::string, std::string> Entries(const std::vector<iceberg::ManifestFile>& manifests,
                                             const iceberg::Snapshot* parent) const;

 private:
  struct Counter {
    int64_t files = 0;
    int64_t records = 0;
    int64_t bytes = 0;
    void Count(const iceberg::DataFile& file);
  };
  Counter added_;
  Counter removed_;
  std::set<std::vector<iceberg::PartitionValue>> partitions_;
};

}  // namespace playhead::table
