#include "playhead/catalog/metadata_cache.h"

namespace playhead::catalog {

MetadataCache::Metadata MetadataCache::Find(const std::string& location) {
  const std::lock_guard lock(mutex_);
  const auto it = by_location_.find(location);
  if (it == by_location_.end()) return nullptr;
  by_use_.splice(by_use_.begin(), by_use_, it->second);
  return it->second->second;
}

void MetadataCache::Keep(const std::string& location, Metadata metadata) {
  const std::lock_guard lock(mutex_);
  if (by_location_.contains(location)) return;
  by_use_.emplace_front(location, std::move(metadata));
  by_location_[location] = by_use_.begin();
  if (by_use_.size() > entries_max_) {
    by_location_.erase(by_use_.back().first);
    by_use_.pop_back();
  }
}

}  // namespace playhead::catalog
