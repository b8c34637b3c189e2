#include "playhead/table/next_snapshot.h"

#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/update.h"
#include "playhead/table/snapshot_summary.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace playhead::table {
namespace {

// Iceberg's defaults: that many small manifests are merged, into ones of about that size.
constexpr size_t kManifestsMax = 100;
constexpr int64_t kManifestBytes = 8LL << 20;

using iceberg::EntryStatus;
using iceberg::ManifestEntry;
using iceberg::ManifestFile;
using iceberg::Snapshot;

constexpr int32_t kData = 0;

// Manifests of data files that are worth merging.
bool IsSmall(const iceberg::TableMetadata& head, const ManifestFile& manifest) {
  return manifest.content == kData && manifest.spec_id == head.default_spec_id &&
         manifest.length < kManifestBytes / 2;
}

bool IsMergeDue(const iceberg::TableMetadata& head, const std::vector<ManifestFile>& manifests) {
  const auto small =
      std::ranges::count_if(manifests, [&](const auto& one) { return IsSmall(head, one); });
  return static_cast<size_t>(small) >= kManifestsMax;
}

bool HasOnlyMain(const iceberg::TableMetadata& metadata) {
  return std::ranges::all_of(metadata.refs, [](const auto& ref) { return ref.first == "main"; });
}

// Each snapshot's parent is the one before it.
bool IsOneLine(const std::vector<const Snapshot*>& by_age) {
  for (size_t i = 1; i < by_age.size(); ++i) {
    if (by_age[i]->parent_snapshot_id != by_age[i - 1]->snapshot_id) return false;
  }
  return true;
}

// The lists of snapshots that left with `next`, oldest first. Only of a table whose history is one
// line without tags and branches is it certain that nobody else needs them.
void AddExpiredLists(const catalog::TableId& id, const iceberg::TableMetadata& base,
                     const iceberg::TableMetadata& next,
                     std::vector<catalog::ExpiredObject>& expired) {
  if (!HasOnlyMain(base) || !HasOnlyMain(next)) return;
  std::vector<const Snapshot*> dropped;
  for (const Snapshot& snapshot : base.snapshots) {
    if (next.FindSnapshot(snapshot.snapshot_id) == nullptr) dropped.push_back(&snapshot);
  }
  if (dropped.empty()) return;
  std::vector<const Snapshot*> all = dropped;
  for (const Snapshot& snapshot : next.snapshots) all.push_back(&snapshot);
  std::ranges::sort(all, {}, &Snapshot::sequence_number);
  std::ranges::sort(dropped, {}, &Snapshot::sequence_number);
  const bool is_old_end = std::equal(dropped.begin(), dropped.end(), all.begin());
  if (!is_old_end || !IsOneLine(all)) return;
  for (const Snapshot* snapshot : dropped) {
    expired.push_back({.table = id, .uri = snapshot->manifest_list, .is_manifest_list = true});
  }
}

// The metadata files that left the metadata log.
void AddExpiredMetadata(const catalog::TableId& id, const iceberg::TableMetadata& base,
                        const iceberg::TableMetadata& next,
                        std::vector<catalog::ExpiredObject>& expired) {
  std::set<std::string_view> kept;
  for (const auto& entry : next.metadata_log) kept.insert(entry.metadata_file);
  const std::string folder = base.location + "/metadata/";
  for (const auto& entry : base.metadata_log) {
    if (kept.contains(entry.metadata_file) || !entry.metadata_file.starts_with(folder)) continue;
    expired.push_back({.table = id, .uri = entry.metadata_file});
  }
}

class SnapshotBuilder {
 public:
  SnapshotBuilder(const catalog::TableState& head, std::vector<ManifestFile> manifests,
                  const std::map<std::string, ManifestEntries>& entries,
                  const PlannedChange& change, const SnapshotEntries& extra, const AttemptIds& ids)
      : head_(head),
        metadata_(*head.metadata),
        entries_(entries),
        change_(change),
        extra_(extra),
        ids_(ids),
        removed_(change.removed_paths.begin(), change.removed_paths.end()),
        sequence_number_(metadata_.last_sequence_number + 1),
        manifests_(std::move(manifests)) {}

  Result<NextSnapshot> Build() {
    iceberg::SettleContainsNan(metadata_, manifests_);
    const bool is_merge_due = IsMergeDue(metadata_, manifests_);
    if (!removed_.empty()) PH_RETURN_IF_ERROR(RemoveFiles());
    DropEmptyManifests();
    if (is_merge_due) PH_RETURN_IF_ERROR(MergeSmallManifests());
    PH_RETURN_IF_ERROR(AddFiles());
    return WriteMetadata();
  }

 private:
  Result<std::vector<ManifestEntry>> EntriesOf(const ManifestFile& manifest) {
    const auto found = entries_.find(manifest.path);
    if (found != entries_.end()) return *found->second;
    return Error(StatusCode::kInternal, "a manifest that is needed was not read: path={}",
                 manifest.path);
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
        fmt::format("{}/metadata/{}-m{}.avro", metadata_.location, ids_.uuid, next_.objects.size());
    ManifestFile line =
        iceberg::DescribeManifest(schema, spec, entries, path, static_cast<int64_t>(bytes.size()),
                                  sequence_number_, ids_.snapshot_id);
    next_.objects.push_back({.uri = std::move(path), .contents = std::move(bytes)});
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
    if (found == removed_.size()) return {};
    return Error(StatusCode::kConflict, "a file to be replaced is not live any more: table={}",
                 head_.id.ToString());
  }

  // Replaces the manifest's line by that of a copy in which the removed files are marked deleted.
  Result<size_t> RemoveFilesOf(ManifestFile& manifest) {
    PH_ASSIGN_OR_RETURN(std::vector<ManifestEntry> entries, EntriesOf(manifest));
    std::erase_if(entries,
                  [](const ManifestEntry& entry) { return entry.status == EntryStatus::kDeleted; });
    size_t hits = 0;
    for (ManifestEntry& entry : entries) {
      entry.status = EntryStatus::kExisting;
      if (!removed_.contains(entry.file.path)) continue;
      entry.status = EntryStatus::kDeleted;
      entry.snapshot_id = ids_.snapshot_id;
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
             manifest.added_snapshot_id != ids_.snapshot_id;
    });
  }

  // Those of this commit are not read again.
  bool IsMergeable(const ManifestFile& manifest) const {
    return IsSmall(metadata_, manifest) && manifest.added_snapshot_id != ids_.snapshot_id;
  }

  Status MergeSmallManifests() {
    std::vector<ManifestEntry> entries;
    int64_t bytes = 0;
    for (const ManifestFile& manifest : manifests_) {
      if (!IsMergeable(manifest)) continue;
      bytes += manifest.length;
      PH_ASSIGN_OR_RETURN(std::vector<ManifestEntry> some, EntriesOf(manifest));
      for (ManifestEntry& entry : some) {
        if (entry.status == EntryStatus::kDeleted) continue;
        entry.status = EntryStatus::kExisting;
        entries.push_back(std::move(entry));
      }
    }
    std::erase_if(manifests_, [&](const ManifestFile& manifest) { return IsMergeable(manifest); });
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
    for (const StagedFile& staged : change_.added) {
      counts_.Add(staged.file);
      by_spec[staged.file.spec_id].push_back(
          {.status = EntryStatus::kAdded, .snapshot_id = ids_.snapshot_id, .file = staged.file});
    }
    for (const auto& [spec_id, entries] : by_spec) {
      PH_ASSIGN_OR_RETURN(const iceberg::PartitionSpec* spec, FindSpec(spec_id));
      for (const ManifestEntry& entry : entries) {
        if (entry.file.partition.size() == spec->fields.size()) continue;
        return Error(StatusCode::kInvalidArgument,
                     "a file was written for another partitioning: table={} path={}",
                     head_.id.ToString(), entry.file.path);
      }
      PH_ASSIGN_OR_RETURN(ManifestFile added, WriteManifest(*spec, entries));
      manifests_.insert(manifests_.begin(), std::move(added));
    }
    return {};
  }

  Result<NextSnapshot> WriteMetadata() {
    const iceberg::Snapshot* parent = metadata_.CurrentSnapshot();
    iceberg::Snapshot snapshot{.snapshot_id = ids_.snapshot_id, .timestamp_ms = ids_.now_ms};
    if (parent != nullptr) snapshot.parent_snapshot_id = parent->snapshot_id;
    snapshot.summary = counts_.Entries(manifests_, parent);
    for (const auto& [key, value] : extra_.summary) snapshot.summary[key] = value;
    snapshot.manifest_list =
        fmt::format("{}/metadata/snap-{}-{}.avro", metadata_.location, ids_.snapshot_id, ids_.uuid);
    PH_ASSIGN_OR_RETURN(std::string list,
                        iceberg::WriteManifestList(manifests_, ids_.snapshot_id,
                                                   snapshot.parent_snapshot_id, sequence_number_));
    next_.objects.push_back({.uri = snapshot.manifest_list, .contents = std::move(list)});

    iceberg::SnapshotLimits limits;
    if (!removed_.empty() && HasOnlyMain(metadata_)) limits.snapshots_max = 1;
    PH_ASSIGN_OR_RETURN(
        iceberg::TableMetadata metadata,
        iceberg::AddSnapshot(metadata_, std::move(snapshot), std::nullopt, metadata_.last_column_id,
                             head_.metadata_location, limits));
    for (const auto& [key, value] : extra_.properties) metadata.properties[key] = value;
    AddExpiredLists(head_.id, metadata_, metadata, next_.expired);
    AddExpiredMetadata(head_.id, metadata_, metadata, next_.expired);
    next_.metadata =
        MakeNextMetadata(head_.id, head_.metadata_location, std::move(metadata), ids_.uuid);
    next_.objects.push_back(next_.metadata.object);
    return std::move(next_);
  }

  const catalog::TableState& head_;
  const iceberg::TableMetadata& metadata_;
  const std::map<std::string, ManifestEntries>& entries_;
  const PlannedChange& change_;
  const SnapshotEntries& extra_;
  const AttemptIds& ids_;
  const std::set<std::string> removed_;
  const int64_t sequence_number_;
  std::vector<ManifestFile> manifests_;
  SnapshotSummary counts_;
  NextSnapshot next_;
};

}  // namespace

std::vector<ManifestFile> NeededManifests(const iceberg::TableMetadata& head,
                                          const std::vector<ManifestFile>& manifests,
                                          const PlannedChange& change) {
  const bool is_merge_due = IsMergeDue(head, manifests);
  std::vector<ManifestFile> needed;
  for (const ManifestFile& manifest : manifests) {
    if (manifest.content != kData) continue;
    if (!change.removed_paths.empty() || (is_merge_due && IsSmall(head, manifest))) {
      needed.push_back(manifest);
    }
  }
  return needed;
}

Result<NextSnapshot> MakeNextSnapshot(const catalog::TableState& head,
                                      const std::vector<ManifestFile>& manifests,
                                      const std::map<std::string, ManifestEntries>& entries,
                                      const PlannedChange& change, const SnapshotEntries& extra,
                                      const AttemptIds& ids) {
  return SnapshotBuilder(head, manifests, entries, change, extra, ids).Build();
}

}  // namespace playhead::table
