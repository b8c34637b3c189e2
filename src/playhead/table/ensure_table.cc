#include "playhead/table/ensure_table.h"

#include "playhead/base/uuid.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/update.h"
#include "playhead/table/metadata_file.h"
#include "playhead/table/parquet_properties.h"

#include <arrow/type.h>

#include <optional>
#include <utility>

namespace playhead::table {
namespace {

constexpr int kAttemptsMax = 10;
constexpr int32_t kFirstPartitionFieldId = 1000;

using iceberg::TableMetadata;

iceberg::Transform ToIceberg(PartitionTransform transform) {
  switch (transform) {
    case PartitionTransform::kIdentity:
      return iceberg::Transform::kIdentity;
    case PartitionTransform::kDay:
      return iceberg::Transform::kDay;
    case PartitionTransform::kHour:
      return iceberg::Transform::kHour;
  }
  return iceberg::Transform::kIdentity;
}

Result<iceberg::PartitionSpec> MakeSpec(const TableSpec& wanted, const iceberg::Schema& schema) {
  iceberg::PartitionSpec spec;
  for (const PartitionFieldSpec& field : wanted.partition_by) {
    const iceberg::NestedField* source = schema.FindByName(field.source_column);
    if (source == nullptr) {
      return Error(StatusCode::kInvalidArgument,
                   "partitioned by a column that is not there: table={} column={}",
                   wanted.id.ToString(), field.source_column);
    }
    // Readers look partition fields and columns up in one set of names.
    const iceberg::NestedField* namesake = schema.FindByName(field.name);
    const bool is_identity = field.transform == PartitionTransform::kIdentity;
    if (namesake != nullptr && (namesake != source || !is_identity)) {
      return Error(StatusCode::kInvalidArgument,
                   "a partition field has the name of a column: table={} name={}",
                   wanted.id.ToString(), field.name);
    }
    spec.fields.push_back(
        {.source_id = source->id,
         .field_id = kFirstPartitionFieldId + static_cast<int32_t>(spec.fields.size()),
         .name = field.name,
         .transform = ToIceberg(field.transform)});
  }
  return spec;
}

std::map<std::string, std::string> NewTableProperties(const TableSpec& wanted) {
  std::map<std::string, std::string> properties = {
      {"write.parquet.compression-codec", "zstd"},
      // Writers of others then keep what finds a landing file's rows.
      {"write.metadata.metrics.column._topic", "full"},
  };
  for (const auto& [key, value] : wanted.properties) properties[key] = value;
  return properties;
}

Result<TableMetadata> MakeTable(const TableSpec& wanted, const std::string& warehouse_uri,
                                const Clock& clock) {
  int32_t last_column_id = 0;
  auto schema = iceberg::SchemaFromArrow(*wanted.schema, &last_column_id);
  if (!schema.ok()) return schema.error().WithContext(wanted.id.ToString());
  PH_ASSIGN_OR_RETURN(iceberg::PartitionSpec spec, MakeSpec(wanted, *schema));
  const std::string location =
      fmt::format("{}/{}/{}", warehouse_uri, wanted.id.table_namespace, wanted.id.name);
  return iceberg::NewTable(NewUuid(), location, *std::move(schema), last_column_id, std::move(spec),
                           NewTableProperties(wanted), clock.NowMicros() / 1000);
}

Result<bool> HasRows(storage::ObjectStore& store, const TableMetadata& metadata) {
  const iceberg::Snapshot* snapshot = metadata.CurrentSnapshot();
  if (snapshot == nullptr) return false;
  PH_ASSIGN_OR_RETURN(const std::string bytes, store.Get(snapshot->manifest_list));
  PH_ASSIGN_OR_RETURN(const auto manifests, iceberg::ReadManifestList(bytes));
  for (const iceberg::ManifestFile& manifest : manifests) {
    if (manifest.added_rows + manifest.existing_rows > 0) return true;
  }
  return false;
}

Status CheckColumns(storage::ObjectStore& store, const TableSpec& wanted,
                    const TableMetadata& current) {
  for (const iceberg::NestedField& field : current.CurrentSchema().fields) {
    if (wanted.schema->GetFieldIndex(field.name) >= 0) continue;
    return Error(StatusCode::kInvalidArgument,
                 "schema change is refused: table={} column={} reason=the table has it and the "
                 "declaration does not",
                 wanted.id.ToString(), field.name);
  }
  for (const auto& field : wanted.schema->fields()) {
    if (field->nullable() || current.CurrentSchema().FindByName(field->name()) != nullptr) continue;
    PH_ASSIGN_OR_RETURN(const bool has_rows, HasRows(store, current));
    if (!has_rows) continue;
    return Error(StatusCode::kInvalidArgument,
                 "schema change is refused: table={} column={} reason=a new column of a table with "
                 "rows cannot be required",
                 wanted.id.ToString(), field->name());
  }
  return {};
}

Status CheckPartitioning(const TableSpec& wanted, const TableMetadata& current) {
  PH_ASSIGN_OR_RETURN(const iceberg::PartitionSpec spec, MakeSpec(wanted, current.CurrentSchema()));
  const auto& have = current.DefaultSpec().fields;
  bool is_equal = have.size() == spec.fields.size();
  for (size_t i = 0; is_equal && i < have.size(); ++i) {
    is_equal = have[i].source_id == spec.fields[i].source_id &&
               have[i].name == spec.fields[i].name && have[i].transform == spec.fields[i].transform;
  }
  if (is_equal) return {};
  return Error(StatusCode::kInvalidArgument,
               "another partitioning of an existing table is refused: table={}",
               wanted.id.ToString());
}

// The metadata after the change, or nothing to change.
Result<std::optional<TableMetadata>> EvolveTable(storage::ObjectStore& store,
                                                 const TableSpec& wanted,
                                                 const catalog::TableState& head,
                                                 const Clock& clock) {
  const TableMetadata& current = *head.metadata;
  PH_RETURN_IF_ERROR(CheckColumns(store, wanted, current));
  PH_RETURN_IF_ERROR(CheckPartitioning(wanted, current));
  int32_t last_column_id = current.last_column_id;
  auto evolved = iceberg::EvolveSchema(current.CurrentSchema(), *wanted.schema, &last_column_id);
  if (!evolved.ok()) return evolved.error().WithContext(wanted.id.ToString());
  bool has_new_property = false;
  for (const auto& [key, value] : wanted.properties) {
    const auto have = current.properties.find(key);
    has_new_property |= have == current.properties.end() || have->second != value;
  }
  if (!evolved->has_value() && !has_new_property) return std::optional<TableMetadata>();
  iceberg::Schema schema = evolved->has_value() ? **evolved : current.CurrentSchema();
  PH_ASSIGN_OR_RETURN(TableMetadata next,
                      iceberg::SetSchema(current, std::move(schema), last_column_id,
                                         head.metadata_location, clock.NowMicros() / 1000, {}));
  for (const auto& [key, value] : wanted.properties) next.properties[key] = value;
  return std::optional<TableMetadata>(std::move(next));
}

// One table's next metadata; nothing when it is as wanted already.
Result<std::optional<NextMetadata>> NextFor(catalog::Catalog& catalog, storage::ObjectStore& store,
                                            const std::string& warehouse_uri,
                                            const TableSpec& wanted, const Clock& clock) {
  const auto head = catalog.Load(wanted.id);
  if (!head.ok()) {
    if (head.error().code() != StatusCode::kNotFound) return head.error();
    PH_ASSIGN_OR_RETURN(TableMetadata metadata, MakeTable(wanted, warehouse_uri, clock));
    PH_RETURN_IF_ERROR(TableCompression(metadata));
    return std::optional(MakeNextMetadata(wanted.id, "", std::move(metadata)));
  }
  PH_ASSIGN_OR_RETURN(std::optional<TableMetadata> metadata,
                      EvolveTable(store, wanted, *head, clock));
  if (!metadata.has_value()) return std::optional<NextMetadata>();
  PH_RETURN_IF_ERROR(TableCompression(*metadata));
  return std::optional(MakeNextMetadata(wanted.id, head->metadata_location, *std::move(metadata)));
}

Status EnsureOnce(catalog::Catalog& catalog, storage::ObjectStore& store,
                  const std::string& warehouse_uri, const std::vector<TableSpec>& specs,
                  const Clock& clock) {
  std::vector<NextMetadata> changes;
  for (const TableSpec& wanted : specs) {
    PH_ASSIGN_OR_RETURN(auto next, NextFor(catalog, store, warehouse_uri, wanted, clock));
    if (next.has_value()) changes.push_back(*std::move(next));
  }
  if (changes.empty()) return {};
  std::vector<storage::NewObject> objects;
  catalog::CommitRequest request;
  for (NextMetadata& change : changes) {
    objects.push_back(std::move(change.object));
    request.moves.push_back(change.move);
  }
  PH_RETURN_IF_ERROR(store.PutMany(objects));
  const catalog::CommitAnswer answer = catalog.Commit(request);
  const Status status = answer.ToStatus();
  if (answer.kind == catalog::CommitAnswer::Kind::kRefused) {
    // Definitely not referred to by anybody.
    for (const storage::NewObject& object : objects) (void)store.Delete(object.uri).ok();
  }
  if (status.ok()) {
    for (const NextMetadata& change : changes) WriteVersionHint(store, change);
  }
  return status;
}

}  // namespace

Result<std::vector<catalog::TableState>> EnsureTables(catalog::Catalog& catalog,
                                                      storage::ObjectStore& store,
                                                      const std::string& warehouse_uri,
                                                      const std::vector<TableSpec>& specs,
                                                      const Clock& clock) {
  Status status;
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    status = EnsureOnce(catalog, store, warehouse_uri, specs, clock);
    if (status.code() != StatusCode::kConflict) break;
  }
  PH_RETURN_IF_ERROR(status);
  std::vector<catalog::TableState> tables;
  for (const TableSpec& wanted : specs) {
    PH_ASSIGN_OR_RETURN(catalog::TableState state, catalog.Load(wanted.id));
    tables.push_back(std::move(state));
  }
  return tables;
}

}  // namespace playhead::table
