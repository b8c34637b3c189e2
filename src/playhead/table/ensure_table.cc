#include "playhead/table/ensure_table.h"

#include "playhead/base/data_type_name.h"
#include "playhead/base/uuid.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/schema_json.h"
#include "playhead/iceberg/update.h"
#include "playhead/table/column_binding.h"
#include "playhead/table/metadata_file.h"
#include "playhead/table/parquet_properties.h"
#include "playhead/table/row_placement.h"

#include <arrow/type.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace playhead::table {
namespace {

constexpr int kAttemptsMax = 10;
constexpr int32_t kFirstPartitionFieldId = 1000;

using iceberg::TableMetadata;

/// The declared partitioning of a table whose columns are `bound`.
Result<iceberg::PartitionSpec> MakeSpec(const TableSpec& wanted, const arrow::Schema& bound,
                                        const iceberg::Schema& schema) {
  iceberg::PartitionSpec spec;
  for (const PartitionDecl& field : wanted.partition_by) {
    const int column = wanted.schema->GetFieldIndex(field.source_column);
    const iceberg::NestedField* source =
        column < 0 ? nullptr : schema.FindByName(bound.field(column)->name());
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
  PH_ASSIGN_OR_RETURN(iceberg::PartitionSpec spec, MakeSpec(wanted, *wanted.schema, *schema));
  const std::string location =
      fmt::format("{}/{}/{}", warehouse_uri, wanted.id.table_namespace, wanted.id.name);
  std::map<std::string, std::string> properties = NewTableProperties(wanted);
  properties[std::string(kColumnsKey)] = ColumnIds(*wanted.schema, *wanted.schema, *schema);
  return iceberg::NewTable(NewUuid(), location, *std::move(schema), last_column_id, std::move(spec),
                           std::move(properties), clock.NowMicros() / 1000);
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

/// What the table has and the declaration has not is written as null; what the declaration has and
/// the table has not becomes a new column, null in all rows so far.
Status CheckColumns(storage::ObjectStore& store, const TableSpec& wanted,
                    const arrow::Schema& bound, const TableMetadata& current) {
  for (const iceberg::NestedField& field : current.CurrentSchema().fields) {
    if (!field.is_required || bound.GetFieldIndex(field.name) >= 0) continue;
    return Error(StatusCode::kInvalidArgument,
                 "the table requires a column that is not declared: table={} column={} type={}; "
                 "declare it in sources.yml, or make it optional in the table (ALTER TABLE … ALTER "
                 "COLUMN {} DROP NOT NULL)",
                 wanted.id.ToString(), field.name, iceberg::DeclaredTypeName(*field.type),
                 field.name);
  }
  for (int i = 0; i < bound.num_fields(); ++i) {
    const arrow::Field& field = *bound.field(i);
    if (field.nullable() || current.CurrentSchema().FindByName(field.name()) != nullptr) continue;
    PH_ASSIGN_OR_RETURN(const bool has_rows, HasRows(store, current));
    if (!has_rows) continue;
    return Error(StatusCode::kInvalidArgument,
                 "a table with rows lacks a column that all of them must have: table={} column={} "
                 "type={}; add it as optional (ALTER TABLE … ADD COLUMN), then the rows so far are "
                 "null and ingest goes on",
                 wanted.id.ToString(), wanted.schema->field(i)->name(),
                 DataTypeName(*field.type()));
  }
  return {};
}

std::string Describe(const iceberg::PartitionSpec& spec, const iceberg::Schema& schema) {
  std::string text;
  for (const iceberg::PartitionField& field : spec.fields) {
    const iceberg::NestedField* source = schema.FindById(field.source_id);
    const std::string column = source == nullptr ? "?" : source->name;
    text += text.empty() ? "" : ", ";
    text += field.transform == iceberg::Transform::kIdentity
                ? column
                : fmt::format("{}({})", iceberg::TransformName(field), column);
    if (field.name != column) text += " as " + field.name;
  }
  return "[" + text + "]";
}

bool IsSame(const iceberg::PartitionSpec& a, const iceberg::PartitionSpec& b) {
  return std::ranges::equal(a.fields, b.fields, [](const auto& x, const auto& y) {
    return x.source_id == y.source_id && x.name == y.name && x.transform == y.transform;
  });
}

/// A table that was once partitioned as declared has been changed by another writer since, and rows
/// go where its current spec wants them. Any other difference is a change of the declaration.
Status CheckPartitioning(const TableSpec& wanted, const arrow::Schema& bound,
                         const TableMetadata& current) {
  const iceberg::Schema& schema = current.CurrentSchema();
  PH_ASSIGN_OR_RETURN(const iceberg::PartitionSpec spec, MakeSpec(wanted, bound, schema));
  if (std::ranges::none_of(current.specs, [&](const auto& have) { return IsSame(have, spec); })) {
    return Error(
        StatusCode::kInvalidArgument,
        "another partitioning of an existing table is refused: table={} table_has={} "
        "declared={}; declare partition_by as the table has it, or load a table of another "
        "name",
        wanted.id.ToString(), Describe(current.DefaultSpec(), schema), Describe(spec, schema));
  }
  return RowPlacement::Make(current, &wanted).status();
}

// The metadata after the change, or nothing to change.
Result<std::optional<TableMetadata>> EvolveTable(storage::ObjectStore& store,
                                                 const TableSpec& wanted,
                                                 const catalog::TableState& head,
                                                 const Clock& clock) {
  const TableMetadata& current = *head.metadata;
  PH_ASSIGN_OR_RETURN(const auto bound, ColumnBinder(current).Bind(*wanted.schema));
  PH_RETURN_IF_ERROR(CheckColumns(store, wanted, *bound, current));
  int32_t last_column_id = current.last_column_id;
  auto evolved = iceberg::EvolveSchema(current.CurrentSchema(), *bound, &last_column_id);
  if (!evolved.ok()) return evolved.error().WithContext(wanted.id.ToString());
  const iceberg::Schema& schema = evolved->has_value() ? **evolved : current.CurrentSchema();
  std::map<std::string, std::string> properties = wanted.properties;
  properties[std::string(kColumnsKey)] = ColumnIds(*wanted.schema, *bound, schema);
  const bool has_properties = std::ranges::all_of(properties, [&](const auto& property) {
    const auto have = current.properties.find(property.first);
    return have != current.properties.end() && have->second == property.second;
  });
  if (!evolved->has_value() && has_properties) {
    PH_RETURN_IF_ERROR(CheckPartitioning(wanted, *bound, current));
    return std::optional<TableMetadata>();
  }
  PH_ASSIGN_OR_RETURN(TableMetadata next,
                      iceberg::SetSchema(current, schema, last_column_id, head.metadata_location,
                                         clock.NowMicros() / 1000, {}));
  for (const auto& [key, value] : properties) next.properties[key] = value;
  PH_RETURN_IF_ERROR(CheckPartitioning(wanted, *bound, next));
  return std::optional<TableMetadata>(std::move(next));
}

// One table as it is, if it is there, and its next metadata, if it is not as wanted.
struct Step {
  std::optional<catalog::TableState> head;
  std::optional<NextMetadata> next;
};

Result<Step> StepFor(catalog::Catalog& catalog, storage::ObjectStore& store,
                     const std::string& warehouse_uri, const TableSpec& wanted,
                     const Clock& clock) {
  Result<catalog::TableState> head = catalog.Load(wanted.id);
  std::optional<TableMetadata> metadata;
  if (head.ok()) {
    PH_ASSIGN_OR_RETURN(metadata, EvolveTable(store, wanted, *head, clock));
    if (!metadata.has_value()) return Step{.head = *std::move(head), .next = std::nullopt};
  } else if (head.error().code() == StatusCode::kNotFound) {
    PH_ASSIGN_OR_RETURN(metadata, MakeTable(wanted, warehouse_uri, clock));
  } else {
    return head.error().WithContext(wanted.id.ToString());
  }
  PH_RETURN_IF_ERROR(TableCompression(*metadata));
  return Step{.head = std::nullopt,
              .next = MakeNextMetadata(wanted.id, head.ok() ? head->metadata_location : "",
                                       *std::move(metadata))};
}

Status CommitChanges(catalog::Catalog& catalog, storage::ObjectStore& store,
                     std::vector<NextMetadata> changes) {
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

// The tables, if all were as wanted; else they are brought there and looked at once more.
Result<std::optional<std::vector<catalog::TableState>>> EnsureOnce(
    catalog::Catalog& catalog, storage::ObjectStore& store, const std::string& warehouse_uri,
    const std::vector<TableSpec>& specs, const Clock& clock) {
  std::vector<catalog::TableState> tables;
  std::vector<NextMetadata> changes;
  for (const TableSpec& wanted : specs) {
    PH_ASSIGN_OR_RETURN(Step step, StepFor(catalog, store, warehouse_uri, wanted, clock));
    if (step.head) tables.push_back(*std::move(step.head));
    if (step.next) changes.push_back(*std::move(step.next));
  }
  if (changes.empty()) return std::optional(std::move(tables));
  const Status status = CommitChanges(catalog, store, std::move(changes));
  if (!status.ok() && status.code() != StatusCode::kConflict) return status;
  return std::optional<std::vector<catalog::TableState>>();
}

}  // namespace

Result<std::vector<catalog::TableState>> EnsureTables(catalog::Catalog& catalog,
                                                      storage::ObjectStore& store,
                                                      const std::string& warehouse_uri,
                                                      const std::vector<TableSpec>& specs,
                                                      const Clock& clock) {
  for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
    PH_ASSIGN_OR_RETURN(auto tables, EnsureOnce(catalog, store, warehouse_uri, specs, clock));
    if (tables.has_value()) return *std::move(tables);
  }
  return Error(StatusCode::kConflict, "the table moved during each of {} attempts: table={}",
               kAttemptsMax, specs.front().id.ToString());
}

}  // namespace playhead::table
