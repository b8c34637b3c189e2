#include "playhead/ingest/foreign_files.h"

#include <map>

namespace playhead::ingest {
namespace {

/// Every commit of ours says something of its own in the summary, no other program copies it.
bool IsOurs(const iceberg::Snapshot& snapshot) {
  const auto entry = snapshot.summary.lower_bound("playhead.");
  return entry != snapshot.summary.end() && entry->first.starts_with("playhead.");
}

std::string Entry(const iceberg::Snapshot& snapshot, const char* key) {
  const auto entry = snapshot.summary.find(key);
  return entry == snapshot.summary.end() ? std::string() : entry->second;
}

}  // namespace

ForeignFiles FindForeignFiles(const iceberg::TableMetadata& metadata,
                              const std::vector<catalog::LiveFile>& live) {
  ForeignFiles found;
  std::map<int64_t, size_t> foreign;  // index into found.snapshots
  std::set<int64_t> own;
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    if (IsOurs(snapshot)) {
      own.insert(snapshot.snapshot_id);
      continue;
    }
    foreign[snapshot.snapshot_id] = found.snapshots.size();
    found.snapshots.push_back({.snapshot_id = snapshot.snapshot_id,
                               .operation = Entry(snapshot, "operation"),
                               .engine = Entry(snapshot, "engine-name")});
  }
  for (const catalog::LiveFile& file : live) {
    std::string path = PlainPath(file.file.path);
    if (own.contains(file.snapshot_id)) found.own.insert(path);
    const auto entry = foreign.find(file.snapshot_id);
    if (entry == foreign.end()) continue;
    ForeignSnapshot& snapshot = found.snapshots[entry->second];
    snapshot.live_rows += file.file.record_count;
    if (snapshot.operation == "append") found.appended.push_back(std::move(path));
  }
  return found;
}

std::string PlainPath(const std::string& uri) {
  if (!uri.starts_with("file:")) return uri;
  const size_t path = uri.find_first_not_of('/', 5);
  return path == std::string::npos ? "/" : "/" + uri.substr(path);
}

}  // namespace playhead::ingest
