#include "playhead/table/next_snapshot.h"

#include "playhead/base/uuid.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/update.h"
#include "playhead/table/snapshot_summary.h"

#include <algorithm>
#include <map>
#include <utility>

namespace playhead::table {
namespace {

// Iceberg's defaults: that many small manifests are merged, into ones of about that size.
constexpr size_t kManifestsMax = 100;
constexpr int64_t kManifestBytes = 8LL << 20;

using iceberg::EntryStatus;
using iceberg::ManifestEntry;
using iceberg::ManifestFile;

class SnapshotBuilder {
 public:
  SnapshotBuilder(storage::ObjectStore& store, const catalog::TableState& head,
                  const TableChange& change, int64_t snapshot_id, int64_t now_ms)
      : store_(store),
        head_(head),
        metadata_(*head.metadata),
        change_(change),
        snapshot_id_(snapshot_id),
        sequence_number_(metadata_.last_sequence_number + 1),
        now_ms_(now_ms),
        uuid_(NewUuid()) {}

  Result<NextSnapshot> Build() {
    PH_RETURN_IF_ERROR(ReadHeadManifests());
    if (!change_.removed_paths.empty()) PH_RETURN_IF_ERROR(RemoveFiles());
    DropEmptyManifests();
    PH_RETURN_IF_ERROR(MergeSmallManifests());
    if (!change_.added.empty()) PH_RETURN_IF_ERROR(AddFiles());
    return WriteMetadata();
  }

 private:
  Status ReadHeadManifests() {
    const iceberg::Snapshot* snapshot = metadata_.CurrentSnapshot();
    if (snapshot == nullptr) return {};
    PH_ASSIGN_OR_RETURN(const std::string bytes, store_.Get(snapshot->manifest_list));
    auto manifests = iceberg::ReadManifestList(bytes);
    if (!manifests.ok()) return manifests.error().WithContext(snapshot->manifest_list);
    manifests_ = *std::move(manifests);
    return {};
  }

  Result<std::vector<ManifestEntry>> ReadEntries(const ManifestFile& manifest) {
    PH_ASSIGN_OR_RETURN(const std::string bytes, store_.Get(manifest.path));
    auto entries = iceberg::ReadManifest(bytes, manifest);
    if (!entries.ok()) return entries.error().WithContext(manifest.path);
    return entries;
  }

  Result<const iceberg::PartitionSpec*> FindSpec(int32_t spec_id) {
    for (const iceberg::PartitionSpec& spec : metadata_.specs) {
      if (spec.spec_id == spec_id) return &spec;
    }
    return Error(StatusCode::kDataCorrupt, "files have an unknown partition spec: table={} spec={}",
                 head_.id.ToString(), spec_id);
  }

  // Serializes a manifest of this commit and returns its line in the list.
  Result<ManifestFile> WriteManifest(const iceberg::PartitionSpec& spec,
                                     const std::vector<ManifestEntry>& entries) {
    const iceberg::Schema& schema = metadata_.CurrentSchema();
    PH_ASSIGN_OR_RETURN(std::string bytes, iceberg::WriteManifest(schema, spec, entries));
    std::string path =
        fmt::format("{}/metadata/{}-m{}.avro", metadata_.location, uuid_, next_.manifests.size());
    ManifestFile line =
        iceberg::DescribeManifest(schema, spec, entries, path, static_cast<int64_t>(bytes.size()),
                                  sequence_number_, snapshot_id_);
    next_.manifests.push_back({.uri = std::move(path), .contents = std::move(bytes)});
    return line;
  }

  Status RemoveFiles() {
    size_t found = 0;
    for (ManifestFile& manifest : manifests_) {
      if (manifest.content != 0) {
        return Error(StatusCode::kNotSupported,
                     "rows cannot be replaced in a table with delete files: table={}",
                     head_.id.ToString());
      }
      PH_ASSIGN_OR_RETURN(const size_t hits, RemoveFilesOf(manifest));
      found += hits;
    }
    if (found == change_.removed_paths.size()) return {};
    return Error(StatusCode::kConflict, "a file to be replaced is not live any more: table={}",
                 head_.id.ToString());
  }

  // Replaces the manifest's line by that of a copy in which the removed files are marked deleted.
  Result<size_t> RemoveFilesOf(ManifestFile& manifest) {
    PH_ASSIGN_OR_RETURN(std::vector<ManifestEntry> entries, ReadEntries(manifest));
    std::erase_if(entries,
                  [](const ManifestEntry& entry) { return entry.status == EntryStatus::kDeleted; });
    size_t hits = 0;
    for (ManifestEntry& entry : entries) {
      entry.status = EntryStatus::kExisting;
      if (!change_.removed_paths.contains(entry.file.path)) continue;
      entry.status = EntryStatus::kDeleted;
      entry.snapshot_id = snapshot_id_;
      counts_.Remove(entry.file);
      ++hits;
    }
    if (hits == 0) return hits;
    PH_ASSIGN_OR_RETURN(const iceberg::PartitionSpec* spec, FindSpec(manifest.spec_id));
    PH_ASSIGN_OR_RETURN(manifest, WriteManifest(*spec, entries));
    return hits;
  }

  // A manifest of deleted entries only tells its own snapshot what it deleted.
  void DropEmptyManifests() {
    std::erase_if(manifests_, [&](const ManifestFile& manifest) {
      return manifest.content == 0 && manifest.added_files + manifest.existing_files == 0 &&
             manifest.added_snapshot_id != snapshot_id_;
    });
  }

  bool IsSmall(const ManifestFile& manifest) const {
    return manifest.content == 0 && manifest.spec_id == metadata_.default_spec_id &&
           manifest.length < kManifestBytes / 2 && manifest.added_snapshot_id != snapshot_id_;
  }

  Status MergeSmallManifests() {
    const auto small = std::ranges::count_if(manifests_, [&](const auto& m) { return IsSmall(m); });
    if (static_cast<size_t>(small) < kManifestsMax) return {};
    std::vector<ManifestEntry> entries;
    int64_t bytes = 0;
    for (const ManifestFile& manifest : manifests_) {
      if (!IsSmall(manifest)) continue;
      bytes += manifest.length;
      PH_ASSIGN_OR_RETURN(std::vector<ManifestEntry> some, ReadEntries(manifest));
      for (ManifestEntry& entry : some) {
        if (entry.status == EntryStatus::kDeleted) continue;
        entry.status = EntryStatus::kExisting;
        entries.push_back(std::move(entry));
      }
    }
    std::erase_if(manifests_, [&](const ManifestFile& manifest) { return IsSmall(manifest); });
    // Neighbours in one manifest, so that its partition bounds stay narrow.
    std::ranges::sort(entries, [](const ManifestEntry& a, const ManifestEntry& b) {
      return std::tie(a.file.partition, a.file.path) < std::tie(b.file.partition, b.file.path);
    });
    const size_t parts = static_cast<size_t>(bytes / kManifestBytes) + 1;
    const size_t step = entries.size() / parts + 1;
    for (size_t begin = 0; begin < entries.size(); begin += step) {
      const size_t end = std::min(begin + step, entries.size());
      const std::vector<ManifestEntry> part(
          std::make_move_iterator(entries.begin() + static_cast<std::ptrdiff_t>(begin)),
          std::make_move_iterator(entries.begin() + static_cast<std::ptrdiff_t>(end)));
      PH_ASSIGN_OR_RETURN(ManifestFile merged, WriteManifest(metadata_.DefaultSpec(), part));
      manifests_.push_back(std::move(merged));
    }
    return {};
  }

  Status AddFiles() {
    // A file keeps the spec that it was written for, though another writer has changed the table's.
    std::map<int32_t, std::vector<ManifestEntry>> by_spec;
    for (const iceberg::DataFile& file : change_.added) {
      counts_.Add(file);
      by_spec[file.spec_id].push_back(
          {.status = EntryStatus::kAdded, .snapshot_id = snapshot_id_, .file = file});
    }
    for (const auto& [spec_id, entries] : by_spec) {
      PH_ASSIGN_OR_RETURN(const iceberg::PartitionSpec* spec, FindSpec(spec_id));
      const auto fits = [&](const ManifestEntry& entry) {
        return entry.file.partition.size() == spec->fields.size();
      };
      if (!std::ranges::all_of(entries, fits)) {
        return Error(StatusCode::kInvalidArgument,
                     "a file was written for another partitioning: table={} path={}",
                     head_.id.ToString(), entries.front().file.path);
      }
      PH_ASSIGN_OR_RETURN(ManifestFile added, WriteManifest(*spec, entries));
      manifests_.insert(manifests_.begin(), std::move(added));
    }
    return {};
  }

  Result<NextSnapshot> WriteMetadata() {
    const iceberg::Snapshot* parent = metadata_.CurrentSnapshot();
    iceberg::Snapshot snapshot{.snapshot_id = snapshot_id_, .timestamp_ms = now_ms_};
    if (parent != nullptr) snapshot.parent_snapshot_id = parent->snapshot_id;
    snapshot.summary = counts_.Entries(manifests_, parent);
    for (const auto& [key, value] : change_.summary) snapshot.summary[key] = value;
    snapshot.manifest_list =
        fmt::format("{}/metadata/snap-{}-{}.avro", metadata_.location, snapshot_id_, uuid_);
    PH_ASSIGN_OR_RETURN(std::string list,
                        iceberg::WriteManifestList(manifests_, snapshot_id_,
                                                   snapshot.parent_snapshot_id, sequence_number_));
    next_.manifests.push_back({.uri = snapshot.manifest_list, .contents = std::move(list)});

    iceberg::SnapshotLimits limits;
    if (!change_.removed_paths.empty()) {
      next_.owns_removed_files =
          std::ranges::all_of(metadata_.refs, [](const auto& ref) { return ref.first == "main"; });
      if (next_.owns_removed_files) limits.snapshots_max = 1;
    }
    PH_ASSIGN_OR_RETURN(
        iceberg::TableMetadata metadata,
        iceberg::AddSnapshot(metadata_, std::move(snapshot), std::nullopt, metadata_.last_column_id,
                             head_.metadata_location, limits));
    for (const auto& [key, value] : change_.properties) metadata.properties[key] = value;
    next_.metadata = MakeNextMetadata(head_.id, head_.metadata_location, std::move(metadata));
    return std::move(next_);
  }

  storage::ObjectStore& store_;
  const catalog::TableState& head_;
  const iceberg::TableMetadata& metadata_;
  const TableChange& change_;
  const int64_t snapshot_id_;
  const int64_t sequence_number_;
  const int64_t now_ms_;
  const std::string uuid_;
  std::vector<ManifestFile> manifests_;
  SnapshotSummary counts_;
  NextSnapshot next_;
};

}  // namespace

Result<NextSnapshot> MakeNextSnapshot(storage::ObjectStore& store, const catalog::TableState& head,
                                      const TableChange& change, int64_t snapshot_id,
                                      int64_t now_ms) {
  return SnapshotBuilder(store, head, change, snapshot_id, now_ms).Build();
}

}  // namespace playhead::table
