#include "playhead/table/snapshot_summary.h"

#include <charconv>
#include <optional>

namespace playhead::table {
namespace {

std::optional<int64_t> ParentNumber(const iceberg::Snapshot* parent, const std::string& key) {
  if (parent == nullptr) return 0;
  const auto entry = parent->summary.find(key);
  if (entry == parent->summary.end()) return std::nullopt;
  const std::string& text = entry->second;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void SnapshotSummary::Counter::Count(const iceberg::DataFile& file) {
  ++files;
  records += file.record_count;
  bytes += file.file_bytes;
}

void SnapshotSummary::Add(const iceberg::DataFile& file) {
  added_.Count(file);
  partitions_.insert(file.partition);
}

void SnapshotSummary::Remove(const iceberg::DataFile& file) {
  removed_.Count(file);
  partitions_.insert(file.partition);
}

std::map<std::string, std::string> SnapshotSummary::Entries(
    const std::vector<iceberg::ManifestFile>& manifests, const iceberg::Snapshot* parent) const {
  std::map<std::string, std::string> entries;
  entries["operation"] = removed_.files > 0 ? "overwrite" : "append";
  const auto put = [&](const std::string& key, int64_t number) {
    if (number != 0) entries[key] = std::to_string(number);
  };
  put("added-data-files", added_.files);
  put("added-records", added_.records);
  put("added-files-size", added_.bytes);
  put("deleted-data-files", removed_.files);
  put("deleted-records", removed_.records);
  put("removed-files-size", removed_.bytes);
  entries["changed-partition-count"] = std::to_string(partitions_.size());

  int64_t files = 0;
  int64_t records = 0;
  for (const iceberg::ManifestFile& manifest : manifests) {
    if (manifest.content != 0) continue;
    files += manifest.added_files + manifest.existing_files;
    records += manifest.added_rows + manifest.existing_rows;
  }
  entries["total-data-files"] = std::to_string(files);
  entries["total-records"] = std::to_string(records);
  // The list does not tell sizes; a parent of somebody who does not count leaves the total unknown.
  if (const auto bytes = ParentNumber(parent, "total-files-size")) {
    entries["total-files-size"] = std::to_string(*bytes + added_.bytes - removed_.bytes);
  }
  // Delete files are never ours; what others counted stays true.
  for (const char* key :
       {"total-delete-files", "total-position-deletes", "total-equality-deletes"}) {
    if (const auto number = ParentNumber(parent, key)) entries[key] = std::to_string(*number);
  }
  return entries;
}

}  // namespace playhead::table
