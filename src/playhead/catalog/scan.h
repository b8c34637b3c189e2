#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace playhead::catalog {

/// One data file of a snapshot, with the commit that added it.
struct LiveFile {
  iceberg::DataFile file;
  int32_t spec_id = 0;
  int64_t snapshot_id = 0;
  int64_t sequence_number = 0;
};

/// Entries of manifests by path. A manifest never changes, so an entry is never stale; the least
/// recently used ones leave once `entries_max` manifest entries are held. Threads: any.
class ManifestCache {
 public:
  explicit ManifestCache(size_t entries_max = 200'000) : entries_max_(entries_max) {}

  using Entries = std::shared_ptr<const std::vector<iceberg::ManifestEntry>>;
  /// Null when it is not held.
  Entries Find(const std::string& path);
  void Keep(const std::string& path, Entries entries);

 private:
  struct Slot {
    Entries entries;
    uint64_t used = 0;
  };
  std::mutex mutex_;
  size_t entries_max_;
  size_t entries_held_ = 0;
  uint64_t clock_ = 0;
  std::map<std::string, Slot> slots_;
};

/// The entries of a manifest, through `cache` when given. Errors: kDataCorrupt, kNotFound.
Result<ManifestCache::Entries> ReadEntries(storage::ObjectStore& store,
                                           const iceberg::ManifestFile& manifest,
                                           ManifestCache* cache);

/// All live data files of a snapshot (the current one by default), in path order. Manifests are
/// read through `cache` when given. Errors: kDataCorrupt, kNotFound (a manifest, or no such
/// snapshot), kNotSupported (delete files).
Result<std::vector<LiveFile>> LiveFiles(storage::ObjectStore& store,
                                        const iceberg::TableMetadata& metadata,
                                        ManifestCache* cache = nullptr,
                                        std::optional<int64_t> snapshot_id = {});

}  // namespace playhead::catalog
