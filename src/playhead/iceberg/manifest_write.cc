#include "playhead/iceberg/avro.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/manifest_schema.h"
#include "playhead/iceberg/partition_type.h"
#include "playhead/iceberg/schema_json.h"

namespace playhead::iceberg {
namespace {

constexpr int kNull = 0;
constexpr int kValue = 1;
constexpr int64_t kDataContent = 0;

void WriteOptional(AvroEncoder& avro, std::optional<int64_t> value) {
  avro.Branch(value ? kValue : kNull);
  if (value) avro.Long(*value);
}

void WriteMapValue(AvroEncoder& avro, int64_t value) { avro.Long(value); }
void WriteMapValue(AvroEncoder& avro, const std::string& value) { avro.Bytes(value); }

template <typename Value>
void WriteMap(AvroEncoder& avro, const std::map<int32_t, Value>& map) {
  avro.Branch(map.empty() ? kNull : kValue);
  if (map.empty()) return;
  avro.BeginArray(map.size());
  for (const auto& [key, value] : map) {
    avro.Long(key);
    WriteMapValue(avro, value);
  }
  avro.EndArray();
}

/// Writes a value that is already of its partition field's type.
struct ValueWriter {
  AvroEncoder& avro;
  const Type& type;

  void operator()(std::monostate) const { avro.Branch(kNull); }
  void operator()(bool value) const { Begin().Bool(value); }
  void operator()(int32_t value) const { Begin().Long(value); }
  void operator()(int64_t value) const { Begin().Long(value); }
  void operator()(float value) const { Begin().Float(value); }
  void operator()(double value) const { Begin().Double(value); }
  void operator()(const std::string& value) const {
    if (type.kind == TypeKind::kUuid || type.kind == TypeKind::kFixed) {
      Begin().Fixed(value);
    } else {
      Begin().Bytes(value);
    }
  }

  AvroEncoder& Begin() const {
    avro.Branch(kValue);
    return avro;
  }
};

Status WritePartition(AvroEncoder& avro, const PartitionSpec& spec, const std::vector<Type>& types,
                      const DataFile& file) {
  if (file.partition.size() != types.size()) {
    return Error(StatusCode::kInvalidArgument,
                 "file has another number of partition values than its spec: path={} got={} "
                 "expected={}",
                 file.path, file.partition.size(), types.size());
  }
  for (size_t i = 0; i < types.size(); ++i) {
    const auto value = ToPartitionType(file.partition[i], types[i]);
    if (!value.ok()) {
      return value.error().WithContext(
          fmt::format("path={} partition_field={}", file.path, spec.fields[i].name));
    }
    std::visit(ValueWriter{.avro = avro, .type = types[i]}, *value);
  }
  return {};
}

Status WriteDataFile(AvroEncoder& avro, const PartitionSpec& spec, const std::vector<Type>& types,
                     const DataFile& file) {
  avro.Long(kDataContent);
  avro.Bytes(file.path);
  avro.Bytes("PARQUET");
  PH_RETURN_IF_ERROR(WritePartition(avro, spec, types, file));
  avro.Long(file.record_count);
  avro.Long(file.file_bytes);
  WriteMap(avro, file.column_sizes);
  WriteMap(avro, file.value_counts);
  WriteMap(avro, file.null_value_counts);
  WriteMap(avro, file.nan_value_counts);
  WriteMap(avro, file.lower_bounds);
  WriteMap(avro, file.upper_bounds);
  avro.Branch(kNull);  // key_metadata
  avro.Branch(file.split_offsets.empty() ? kNull : kValue);
  if (!file.split_offsets.empty()) {
    avro.BeginArray(file.split_offsets.size());
    for (const int64_t offset : file.split_offsets) avro.Long(offset);
    avro.EndArray();
  }
  avro.Branch(kNull);  // equality_ids
  avro.Branch(kNull);  // sort_order_id
  return {};
}

Status WriteEntry(AvroEncoder& avro, const PartitionSpec& spec, const std::vector<Type>& types,
                  const ManifestEntry& entry) {
  const bool has_numbers = entry.snapshot_id && entry.sequence_number && entry.file_sequence_number;
  if (entry.status != EntryStatus::kAdded && !has_numbers) {
    return Error(StatusCode::kInvalidArgument,
                 "entry that is not new lacks its original numbers: path={}", entry.file.path);
  }
  avro.Long(static_cast<int64_t>(entry.status));
  WriteOptional(avro, entry.snapshot_id);
  WriteOptional(avro, entry.sequence_number);
  WriteOptional(avro, entry.file_sequence_number);
  return WriteDataFile(avro, spec, types, entry.file);
}

}  // namespace

Result<std::string> WriteManifest(const Schema& schema, const PartitionSpec& spec,
                                  const std::vector<ManifestEntry>& entries) {
  const std::vector<Type> types = PartitionTypes(schema, spec, entries);
  JsonWriter fields;
  WritePartitionFields(fields, spec.fields);
  JsonWriter schema_json;
  WriteSchema(schema_json, schema);
  AvroFileWriter file(ManifestAvroSchema(spec, types),
                      {{"schema", std::move(schema_json).Take()},
                       {"schema-id", std::to_string(schema.schema_id)},
                       {"partition-spec", std::move(fields).Take()},
                       {"partition-spec-id", std::to_string(spec.spec_id)},
                       {"format-version", "2"},
                       {"content", "data"}});
  for (const ManifestEntry& entry : entries) {
    PH_RETURN_IF_ERROR(WriteEntry(file.encoder(), spec, types, entry));
    PH_RETURN_IF_ERROR(file.EndObject());
  }
  return std::move(file).Finish();
}

}  // namespace playhead::iceberg
