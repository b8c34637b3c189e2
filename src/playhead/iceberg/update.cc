#include "playhead/iceberg/update.h"

#include "playhead/iceberg/metadata_json.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <tuple>

namespace playhead::iceberg {
namespace {

constexpr std::string_view kMain = "main";
constexpr std::string_view kOffsetsKey = "playhead.offsets";

int32_t LastFieldId(const std::vector<NestedField>& fields) {
  int32_t last = 0;
  for (const NestedField& field : fields) {
    last = std::max({last, field.id, LastFieldId(field.type->fields)});
  }
  return last;
}

/// Readers refuse metadata whose times go back, so a clock that did counts on from the last time.
int64_t NextTime(const TableMetadata& base, int64_t now_ms) {
  int64_t next = std::max(now_ms, base.last_updated_ms + 1);
  if (!base.snapshot_log.empty()) {
    next = std::max(next, base.snapshot_log.back().timestamp_ms + 1);
  }
  if (!base.metadata_log.empty()) {
    next = std::max(next, base.metadata_log.back().timestamp_ms + 1);
  }
  return next;
}

void LogMetadata(const TableMetadata& base, const std::string& base_location, SnapshotLimits limits,
                 TableMetadata* next) {
  if (!base_location.empty()) {
    next->metadata_log.push_back({base.last_updated_ms, base_location});
  }
  const auto limit = static_cast<size_t>(std::max(limits.metadata_log_max, 0));
  if (next->metadata_log.size() > limit) {
    next->metadata_log.erase(next->metadata_log.begin(),
                             next->metadata_log.end() - static_cast<std::ptrdiff_t>(limit));
  }
}

/// A partition field may bear the name of its own source column, but of no other.
Status CheckNames(const TableMetadata& base, const Schema& schema) {
  for (const PartitionSpec& spec : base.specs) {
    for (const PartitionField& field : spec.fields) {
      const NestedField* column = schema.FindByName(field.name);
      if (column == nullptr || column->id == field.source_id) continue;
      return Error(StatusCode::kInvalidArgument,
                   "column has the name of a partition field: column={}", field.name);
    }
  }
  return {};
}

/// Makes `schema` the current one: an equal one that the table already has, or a new one with the
/// next free id.
Status ApplySchema(Schema schema, int32_t last_column_id, TableMetadata* metadata) {
  const int32_t last_used = LastFieldId(schema.fields);
  if (last_used > last_column_id) {
    return Error(StatusCode::kInvalidArgument,
                 "schema uses a field id above last_column_id: id={} last_column_id={}", last_used,
                 last_column_id);
  }
  PH_RETURN_IF_ERROR(CheckNames(*metadata, schema));
  metadata->last_column_id = std::max(metadata->last_column_id, last_column_id);

  int32_t next_id = 0;
  for (const Schema& known : metadata->schemas) {
    next_id = std::max(next_id, known.schema_id + 1);
    schema.schema_id = known.schema_id;
    if (SerializeSchema(schema) != SerializeSchema(known)) continue;
    metadata->current_schema_id = known.schema_id;
    return {};
  }
  schema.schema_id = next_id;
  metadata->current_schema_id = next_id;
  metadata->schemas.push_back(std::move(schema));
  return {};
}

Status CheckSnapshot(const TableMetadata& base, const Snapshot& snapshot) {
  static const std::set<std::string, std::less<>> kOperations = {"append", "replace", "overwrite",
                                                                 "delete"};
  if (snapshot.parent_snapshot_id != base.current_snapshot_id) {
    return Error(StatusCode::kConflict, "snapshot is not based on the head: parent={} head={}",
                 snapshot.parent_snapshot_id.value_or(-1), base.current_snapshot_id.value_or(-1));
  }
  const int64_t next_number = base.last_sequence_number + 1;
  if (snapshot.sequence_number != 0 && snapshot.sequence_number != next_number) {
    return Error(StatusCode::kConflict, "sequence number is not the next: got={} expected={}",
                 snapshot.sequence_number, next_number);
  }
  if (snapshot.snapshot_id <= 0 || base.FindSnapshot(snapshot.snapshot_id) != nullptr) {
    return Error(StatusCode::kInvalidArgument, "snapshot id is not new and positive: id={}",
                 snapshot.snapshot_id);
  }
  if (snapshot.manifest_list.empty()) {
    return Error(StatusCode::kInvalidArgument, "snapshot has no manifest list: id={}",
                 snapshot.snapshot_id);
  }
  const auto operation = snapshot.summary.find("operation");
  if (operation == snapshot.summary.end() || !kOperations.contains(operation->second)) {
    return Error(StatusCode::kInvalidArgument, "snapshot summary has no known operation: id={}",
                 snapshot.snapshot_id);
  }
  return {};
}

/// `snapshot` and up to `count - 1` of its ancestors.
void AddAncestors(const TableMetadata& metadata, int64_t snapshot_id, int64_t count,
                  std::set<int64_t>* kept) {
  // More would only go round in a circle of parents.
  count = std::min(count, static_cast<int64_t>(metadata.snapshots.size()));
  const Snapshot* snapshot = metadata.FindSnapshot(snapshot_id);
  for (; snapshot != nullptr && count > 0; --count) {
    kept->insert(snapshot->snapshot_id);
    snapshot = snapshot->parent_snapshot_id ? metadata.FindSnapshot(*snapshot->parent_snapshot_id)
                                            : nullptr;
  }
}

/// The newest snapshot on main that has `key`; see FindInSummaries.
const Snapshot* FindCarrier(const TableMetadata& metadata, std::string_view key) {
  const std::string wanted(key);
  const Snapshot* snapshot = metadata.CurrentSnapshot();
  // The count guards against parents that go round in a circle.
  for (size_t steps = 0; snapshot != nullptr && steps < metadata.snapshots.size(); ++steps) {
    if (snapshot->summary.contains(wanted)) return snapshot;
    if (!snapshot->parent_snapshot_id) return nullptr;
    const Snapshot* parent = metadata.FindSnapshot(*snapshot->parent_snapshot_id);
    if (parent == nullptr) break;
    snapshot = parent;
  }
  if (snapshot == nullptr) return nullptr;
  // Expiry took the parents between here and the carrier that it had to keep: the next older one.
  const int64_t older_than = snapshot->sequence_number;
  const Snapshot* carrier = nullptr;
  for (const Snapshot& candidate : metadata.snapshots) {
    if (candidate.sequence_number >= older_than || !candidate.summary.contains(wanted)) continue;
    if (carrier == nullptr || carrier->sequence_number < candidate.sequence_number) {
      carrier = &candidate;
    }
  }
  return carrier;
}

std::set<int64_t> HeldSnapshots(const TableMetadata& metadata) {
  std::set<int64_t> held;
  for (const auto& [name, ref] : metadata.refs) {
    const bool is_branch = ref.type == "branch";
    const int64_t count = is_branch ? ref.min_snapshots_to_keep.value_or(1) : 1;
    AddAncestors(metadata, ref.snapshot_id, std::max<int64_t>(count, 1), &held);
  }
  if (const Snapshot* carrier = FindCarrier(metadata, kOffsetsKey)) {
    held.insert(carrier->snapshot_id);
  }
  return held;
}

/// The log is the history of main without gaps: it starts anew after an entry whose snapshot is
/// gone.
void TrimSnapshotLog(TableMetadata* metadata) {
  std::set<int64_t> ids;
  for (const Snapshot& snapshot : metadata->snapshots) ids.insert(snapshot.snapshot_id);
  const auto last_gone =
      std::find_if(metadata->snapshot_log.rbegin(), metadata->snapshot_log.rend(),
                   [&](const SnapshotLogEntry& entry) { return !ids.contains(entry.snapshot_id); });
  metadata->snapshot_log.erase(metadata->snapshot_log.begin(), last_gone.base());
}

void CapSnapshots(int32_t snapshots_max, TableMetadata* metadata) {
  const auto limit = static_cast<size_t>(std::max(snapshots_max, 1));
  if (metadata->snapshots.size() <= limit) return;
  const std::set<int64_t> held = HeldSnapshots(*metadata);
  std::vector<const Snapshot*> by_age;
  by_age.reserve(metadata->snapshots.size());
  for (const Snapshot& snapshot : metadata->snapshots) by_age.push_back(&snapshot);
  // Snapshots of version 1 all have the number 0.
  std::sort(by_age.begin(), by_age.end(), [](const Snapshot* a, const Snapshot* b) {
    return std::tie(a->sequence_number, a->timestamp_ms, a->snapshot_id) <
           std::tie(b->sequence_number, b->timestamp_ms, b->snapshot_id);
  });
  std::set<int64_t> dropped;
  for (const Snapshot* snapshot : by_age) {
    if (metadata->snapshots.size() - dropped.size() <= limit) break;
    if (!held.contains(snapshot->snapshot_id)) dropped.insert(snapshot->snapshot_id);
  }
  std::erase_if(metadata->snapshots,
                [&](const Snapshot& snapshot) { return dropped.contains(snapshot.snapshot_id); });
  TrimSnapshotLog(metadata);
}

}  // namespace

TableMetadata NewTable(std::string table_uuid, std::string location, Schema schema,
                       int32_t last_column_id, PartitionSpec spec,
                       std::map<std::string, std::string> properties, int64_t now_ms) {
  TableMetadata metadata;
  metadata.table_uuid = std::move(table_uuid);
  metadata.location = std::move(location);
  metadata.last_updated_ms = now_ms;
  metadata.last_column_id = std::max(last_column_id, LastFieldId(schema.fields));
  metadata.current_schema_id = schema.schema_id;
  metadata.schemas.push_back(std::move(schema));
  for (const PartitionField& field : spec.fields) {
    metadata.last_partition_id = std::max(metadata.last_partition_id, field.field_id);
  }
  metadata.default_spec_id = spec.spec_id;
  metadata.specs.push_back(std::move(spec));
  metadata.properties = std::move(properties);
  return metadata;
}

Result<TableMetadata> AddSnapshot(const TableMetadata& base, Snapshot snapshot,
                                  std::optional<Schema> new_schema, int32_t last_column_id,
                                  const std::string& base_location, SnapshotLimits limits) {
  PH_RETURN_IF_ERROR(CheckSnapshot(base, snapshot));
  TableMetadata next = base;
  if (new_schema) {
    PH_RETURN_IF_ERROR(ApplySchema(*std::move(new_schema), last_column_id, &next));
  }
  snapshot.sequence_number = base.last_sequence_number + 1;
  snapshot.timestamp_ms = NextTime(base, snapshot.timestamp_ms);
  snapshot.schema_id = next.current_schema_id;

  next.last_sequence_number = snapshot.sequence_number;
  next.last_updated_ms = snapshot.timestamp_ms;
  next.current_snapshot_id = snapshot.snapshot_id;
  next.refs[std::string(kMain)].snapshot_id = snapshot.snapshot_id;
  next.snapshot_log.push_back({snapshot.timestamp_ms, snapshot.snapshot_id});
  next.snapshots.push_back(std::move(snapshot));
  LogMetadata(base, base_location, limits, &next);
  CapSnapshots(limits.snapshots_max, &next);
  return next;
}

Result<TableMetadata> SetSchema(const TableMetadata& base, Schema schema, int32_t last_column_id,
                                const std::string& base_location, int64_t now_ms,
                                SnapshotLimits limits) {
  TableMetadata next = base;
  PH_RETURN_IF_ERROR(ApplySchema(std::move(schema), last_column_id, &next));
  next.last_updated_ms = NextTime(base, now_ms);
  LogMetadata(base, base_location, limits, &next);
  return next;
}

std::string NextMetadataFileName(std::string_view current, std::string_view uuid) {
  const size_t slash = current.rfind('/');
  std::string_view name = slash == std::string_view::npos ? current : current.substr(slash + 1);
  // File-system tables of others name theirs v<N>.metadata.json.
  if (name.starts_with('v')) name.remove_prefix(1);
  int32_t version = -1;
  std::from_chars(name.data(), name.data() + name.size(), version);
  return fmt::format("{:05}-{}.metadata.json", std::max<int64_t>(version, -1) + 1, uuid);
}

std::optional<std::string> FindInSummaries(const TableMetadata& metadata, std::string_view key) {
  const Snapshot* carrier = FindCarrier(metadata, key);
  if (carrier == nullptr) return std::nullopt;
  return carrier->summary.at(std::string(key));
}

}  // namespace playhead::iceberg
