#include "playhead/iceberg/types.h"

namespace playhead::iceberg {
namespace {

const NestedField* FindIn(const std::vector<NestedField>& fields, int32_t id) {
  for (const NestedField& field : fields) {
    if (field.id == id) return &field;
    if (const NestedField* nested = FindIn(field.type->fields, id)) return nested;
  }
  return nullptr;
}

}  // namespace

const NestedField* Schema::FindByName(std::string_view top_level_name) const {
  for (const NestedField& field : fields) {
    if (field.name == top_level_name) return &field;
  }
  return nullptr;
}

const NestedField* Schema::FindById(int32_t id) const { return FindIn(fields, id); }

const Schema& TableMetadata::CurrentSchema() const {
  for (const Schema& schema : schemas) {
    if (schema.schema_id == current_schema_id) return schema;
  }
  PH_CHECK(!"the current schema is among the schemas");
  return schemas.front();
}

const PartitionSpec& TableMetadata::DefaultSpec() const {
  for (const PartitionSpec& spec : specs) {
    if (spec.spec_id == default_spec_id) return spec;
  }
  PH_CHECK(!"the default spec is among the specs");
  return specs.front();
}

const Snapshot* TableMetadata::CurrentSnapshot() const {
  return current_snapshot_id ? FindSnapshot(*current_snapshot_id) : nullptr;
}

const Snapshot* TableMetadata::FindSnapshot(int64_t id) const {
  for (const Snapshot& snapshot : snapshots) {
    if (snapshot.snapshot_id == id) return &snapshot;
  }
  return nullptr;
}

}  // namespace playhead::iceberg
