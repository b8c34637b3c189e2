#include "playhead/table/moved_table.h"

#include "playhead/base/uuid.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/metadata_json.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace playhead::table {
namespace {

using iceberg::EntryStatus;
using iceberg::ManifestEntry;
using iceberg::ManifestFile;

class Rewriter {
 public:
  Rewriter(storage::ObjectStore& store, const catalog::TablePlace& table,
           const catalog::PlaceMove& move)
      : store_(store), table_(table), move_(move) {}

  Result<MovedTable> Run() {
    PH_ASSIGN_OR_RETURN(const std::string head, Moved(table_.metadata_location));
    PH_ASSIGN_OR_RETURN(const std::string json, Get(head));
    PH_ASSIGN_OR_RETURN(const std::string moved_json, catalog::MovedJson(json, move_));
    PH_ASSIGN_OR_RETURN(metadata_, iceberg::ParseMetadata(moved_json));
    metadata_.metadata_log.clear();
    for (iceberg::Snapshot& snapshot : metadata_.snapshots) {
      PH_RETURN_IF_ERROR(RewriteList(snapshot));
    }
    PH_RETURN_IF_ERROR(CheckLiveFiles());
    PH_RETURN_IF_ERROR(store_.PutMany(objects_));
    MovedTable moved{.metadata = MakeNextMetadata(table_.id, table_.metadata_location, metadata_),
                     .live_files = static_cast<int64_t>(live_.size())};
    PH_RETURN_IF_ERROR(store_.Put(moved.metadata.object.uri, moved.metadata.object.contents));
    return moved;
  }

 private:
  Result<std::string> Moved(const std::string& uri) const {
    std::optional<std::string> moved = catalog::MovedUri(uri, move_);
    if (moved) return *std::move(moved);
    // What was moved already, or what was put here by hand.
    if (storage::IsBelow(uri, move_.to_uri)) return uri;
    return Error(StatusCode::kNotSupported,
                 "a file of the table lies neither in the old nor in the new warehouse: uri={} "
                 "old={}",
                 uri, move_.from_uri);
  }

  Result<std::string> Get(const std::string& uri) {
    Result<std::string> bytes = store_.Get(uri);
    if (bytes.ok() || bytes.error().code() != StatusCode::kNotFound) return bytes;
    return Missing(uri);
  }

  static Status Missing(const std::string& uri) {
    return Error(StatusCode::kNotFound,
                 "a file of the table did not come along: uri={}; copy the warehouse whole, while "
                 "nothing writes to it",
                 uri);
  }

  Status RewriteList(iceberg::Snapshot& snapshot) {
    // The metadata's own places are moved already.
    PH_ASSIGN_OR_RETURN(const std::string bytes, Get(snapshot.manifest_list));
    auto manifests = iceberg::ReadManifestList(bytes);
    if (!manifests.ok()) return manifests.error().WithContext(snapshot.manifest_list);
    const bool is_head = snapshot.snapshot_id == metadata_.current_snapshot_id;
    for (ManifestFile& manifest : *manifests) {
      PH_RETURN_IF_ERROR(RewriteManifest(manifest, is_head));
    }
    PH_ASSIGN_OR_RETURN(
        std::string list,
        iceberg::WriteManifestList(*manifests, snapshot.snapshot_id, snapshot.parent_snapshot_id,
                                   snapshot.sequence_number));
    snapshot.manifest_list =
        fmt::format("{}/metadata/snap-{}-{}.avro", metadata_.location, snapshot.snapshot_id, uuid_);
    objects_.push_back({.uri = snapshot.manifest_list, .contents = std::move(list)});
    return {};
  }

  Status RewriteManifest(ManifestFile& manifest, bool is_head) {
    if (manifest.content != 0) {
      return Error(StatusCode::kNotSupported,
                   "the table has delete files, whose contents name data files at the old place; "
                   "compact it there first");
    }
    auto [known, is_new] = manifests_.try_emplace(manifest.path);
    Rewritten& rewritten = known->second;
    if (is_new) {
      PH_ASSIGN_OR_RETURN(rewritten.file, Rewrite(manifest, rewritten.live));
    }
    // Counts and summaries are as before.
    manifest.path = rewritten.file.path;
    manifest.length = rewritten.file.length;
    if (is_head) live_.insert(rewritten.live.begin(), rewritten.live.end());
    return {};
  }

  Result<ManifestFile> Rewrite(ManifestFile manifest, std::map<std::string, int64_t>& live) {
    PH_ASSIGN_OR_RETURN(const std::string path, Moved(manifest.path));
    PH_ASSIGN_OR_RETURN(const std::string bytes, Get(path));
    auto entries = iceberg::ReadManifest(bytes, manifest);
    if (!entries.ok()) return entries.error().WithContext(path);
    for (ManifestEntry& entry : *entries) {
      PH_ASSIGN_OR_RETURN(entry.file.path, Moved(entry.file.path));
      if (entry.status != EntryStatus::kDeleted) live[entry.file.path] = entry.file.file_bytes;
    }
    const auto spec =
        std::ranges::find(metadata_.specs, manifest.spec_id, &iceberg::PartitionSpec::spec_id);
    if (spec == metadata_.specs.end()) {
      return Error(StatusCode::kDataCorrupt, "a manifest has an unknown spec: path={} spec={}",
                   path, manifest.spec_id);
    }
    PH_ASSIGN_OR_RETURN(std::string contents,
                        iceberg::WriteManifest(SchemaFor(*spec), *spec, *entries));
    manifest.path = fmt::format("{}/metadata/{}-m{}.avro", metadata_.location, uuid_, written_++);
    manifest.length = static_cast<int64_t>(contents.size());
    objects_.push_back({.uri = manifest.path, .contents = std::move(contents)});
    return manifest;
  }

  // The source column of an old spec may have left the current schema.
  const iceberg::Schema& SchemaFor(const iceberg::PartitionSpec& spec) const {
    const auto has_sources = [&](const iceberg::Schema& schema) {
      return std::ranges::all_of(spec.fields, [&](const auto& field) {
        return schema.FindById(field.source_id) != nullptr;
      });
    };
    if (has_sources(metadata_.CurrentSchema())) return metadata_.CurrentSchema();
    const auto found = std::ranges::find_if(metadata_.schemas, has_sources);
    return found == metadata_.schemas.end() ? metadata_.CurrentSchema() : *found;
  }

  Status CheckLiveFiles() {
    for (const auto& [uri, bytes] : live_) {
      const Result<storage::ObjectInfo> info = store_.Stat(uri);
      if (!info.ok()) {
        return info.error().code() == StatusCode::kNotFound ? Missing(uri) : info.error();
      }
      if (info->bytes == bytes) continue;
      return Error(StatusCode::kDataCorrupt,
                   "a data file came along in part: uri={} bytes={} expected={}", uri, info->bytes,
                   bytes);
    }
    return {};
  }

  struct Rewritten {
    ManifestFile file;
    std::map<std::string, int64_t> live;  ///< bytes by URI
  };

  storage::ObjectStore& store_;
  const catalog::TablePlace& table_;
  const catalog::PlaceMove& move_;
  const std::string uuid_ = NewUuid();
  iceberg::TableMetadata metadata_;
  std::map<std::string, Rewritten> manifests_;  // by old path
  std::map<std::string, int64_t> live_;         // of the head: bytes by URI
  std::vector<storage::NewObject> objects_;
  int64_t written_ = 0;  // manifests
};

}  // namespace

Result<MovedTable> RewriteMovedTable(storage::ObjectStore& store, const catalog::TablePlace& table,
                                     const catalog::PlaceMove& move) {
  Result<MovedTable> moved = Rewriter(store, table, move).Run();
  if (!moved.ok()) return moved.error().WithContext(table.id.ToString());
  return moved;
}

}  // namespace playhead::table
