#include "playhead/catalog/scan.h"

#include "playhead/iceberg/manifest.h"

#include <algorithm>
#include <utility>

namespace playhead::catalog {
Result<ManifestCache::Entries> ReadEntries(storage::ObjectStore& store,
                                           const iceberg::ManifestFile& manifest,
                                           ManifestCache* cache) {
  if (cache != nullptr) {
    if (auto held = cache->Find(manifest.path)) return held;
  }
  PH_ASSIGN_OR_RETURN(std::string bytes, store.Get(manifest.path));
  auto entries = iceberg::ReadManifest(bytes, manifest);
  if (!entries.ok()) return entries.error().WithContext("manifest " + manifest.path);
  auto shared = std::make_shared<const std::vector<iceberg::ManifestEntry>>(*std::move(entries));
  if (cache != nullptr) cache->Keep(manifest.path, shared);
  return ManifestCache::Entries(std::move(shared));
}

ManifestCache::Entries ManifestCache::Find(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto slot = slots_.find(path);
  if (slot == slots_.end()) return nullptr;
  slot->second.used = ++clock_;
  return slot->second.entries;
}

void ManifestCache::Keep(const std::string& path, Entries entries) {
  std::lock_guard lock(mutex_);
  const size_t added = entries->size();
  auto [slot, is_new] = slots_.try_emplace(path);
  if (!is_new) return;
  slot->second = Slot{.entries = std::move(entries), .used = ++clock_};
  entries_held_ += added;
  while (entries_held_ > entries_max_ && slots_.size() > 1) {
    auto oldest = std::min_element(slots_.begin(), slots_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    });
    entries_held_ -= oldest->second.entries->size();
    slots_.erase(oldest);
  }
}

Result<std::vector<LiveFile>> LiveFiles(storage::ObjectStore& store,
                                        const iceberg::TableMetadata& metadata,
                                        ManifestCache* cache, std::optional<int64_t> snapshot_id) {
  const iceberg::Snapshot* snapshot =
      snapshot_id ? metadata.FindSnapshot(*snapshot_id) : metadata.CurrentSnapshot();
  if (snapshot == nullptr) {
    if (!snapshot_id) return std::vector<LiveFile>();
    return Error(StatusCode::kNotFound, "no such snapshot: location={} snapshot={}",
                 metadata.location, *snapshot_id);
  }
  PH_ASSIGN_OR_RETURN(std::string list, store.Get(snapshot->manifest_list));
  auto manifests = iceberg::ReadManifestList(list);
  if (!manifests.ok()) {
    return manifests.error().WithContext("manifest list " + snapshot->manifest_list);
  }

  std::vector<LiveFile> files;
  for (const iceberg::ManifestFile& manifest : *manifests) {
    if (manifest.content != 0) {
      return Error(StatusCode::kNotSupported, "table has delete files: location={} manifest={}",
                   metadata.location, manifest.path);
    }
    PH_ASSIGN_OR_RETURN(ManifestCache::Entries entries, ReadEntries(store, manifest, cache));
    for (const iceberg::ManifestEntry& entry : *entries) {
      if (entry.status == iceberg::EntryStatus::kDeleted) continue;
      files.push_back(
          LiveFile{.file = entry.file,
                   .spec_id = manifest.spec_id,
                   .snapshot_id = entry.snapshot_id.value_or(manifest.added_snapshot_id),
                   .sequence_number = entry.sequence_number.value_or(manifest.sequence_number)});
    }
  }
  std::sort(files.begin(), files.end(),
            [](const LiveFile& a, const LiveFile& b) { return a.file.path < b.file.path; });
  return files;
}

}  // namespace playhead::catalog
