#pragma once

#include "playhead/iceberg/types.h"

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

namespace playhead::catalog {

/// Parsed metadata by location. A metadata file never changes, so an entry is never stale; the
/// least recently used one leaves. Threads: any.
class MetadataCache {
 public:
  explicit MetadataCache(size_t entries_max) : entries_max_(entries_max) {}

  using Metadata = std::shared_ptr<const iceberg::TableMetadata>;
  /// Null when it is not held.
  Metadata Find(const std::string& location);
  void Keep(const std::string& location, Metadata metadata);

 private:
  using Entry = std::pair<std::string, Metadata>;
  std::mutex mutex_;
  size_t entries_max_;
  std::list<Entry> by_use_;  // most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_location_;
};

}  // namespace playhead::catalog
