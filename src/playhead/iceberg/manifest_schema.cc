#include "playhead/iceberg/manifest_schema.h"

#include "playhead/base/json_writer.h"

namespace playhead::iceberg {
namespace {

constexpr std::string_view kManifestListSchema =
    R"({"type":"record","name":"manifest_file","fields":[
{"name":"manifest_path","type":"string","field-id":500},
{"name":"manifest_length","type":"long","field-id":501},
{"name":"partition_spec_id","type":"int","field-id":502},
{"name":"content","type":"int","field-id":517},
{"name":"sequence_number","type":"long","field-id":515},
{"name":"min_sequence_number","type":"long","field-id":516},
{"name":"added_snapshot_id","type":"long","field-id":503},
{"name":"added_files_count","type":"int","field-id":504},
{"name":"existing_files_count","type":"int","field-id":505},
{"name":"deleted_files_count","type":"int","field-id":506},
{"name":"added_rows_count","type":"long","field-id":512},
{"name":"existing_rows_count","type":"long","field-id":513},
{"name":"deleted_rows_count","type":"long","field-id":514},
{"name":"partitions","default":null,"field-id":507,"type":["null",{"type":"array","element-id":508,
"items":{"type":"record","name":"r508","fields":[
{"name":"contains_null","type":"boolean","field-id":509},
{"name":"contains_nan","type":["null","boolean"],"default":null,"field-id":518},
{"name":"lower_bound","type":["null","bytes"],"default":null,"field-id":510},
{"name":"upper_bound","type":["null","bytes"],"default":null,"field-id":511}]}}]},
{"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":519}]})";

constexpr std::string_view kEntryHead = R"({"type":"record","name":"manifest_entry","fields":[
{"name":"status","type":"int","field-id":0},
{"name":"snapshot_id","type":["null","long"],"default":null,"field-id":1},
{"name":"sequence_number","type":["null","long"],"default":null,"field-id":3},
{"name":"file_sequence_number","type":["null","long"],"default":null,"field-id":4},
{"name":"data_file","field-id":2,"type":{"type":"record","name":"r2","fields":[
{"name":"content","type":"int","field-id":134},
{"name":"file_path","type":"string","field-id":100},
{"name":"file_format","type":"string","field-id":101},
{"name":"partition","field-id":102,"type":{"type":"record","name":"r102","fields":)";

constexpr std::string_view kAfterPartition = R"(}},
{"name":"record_count","type":"long","field-id":103},
{"name":"file_size_in_bytes","type":"long","field-id":104},
)";

constexpr std::string_view kEntryTail =
    R"({"name":"key_metadata","type":["null","bytes"],"default":null,"field-id":131},
{"name":"split_offsets","default":null,"field-id":132,"type":["null",{"type":"array","element-id":133,"items":"long"}]},
{"name":"equality_ids","default":null,"field-id":135,"type":["null",{"type":"array","element-id":136,"items":"int"}]},
{"name":"sort_order_id","type":["null","int"],"default":null,"field-id":140}]}}]})";

/// A map with int keys, which Avro has not: an array of pairs.
std::string ColumnMap(std::string_view name, int32_t id, int32_t key_id, int32_t value_id,
                      std::string_view value_type) {
  return fmt::format(
      R"({{"name":"{0}","default":null,"field-id":{1},"type":["null",{{"type":"array","logicalType":"map","items":{{"type":"record","name":"k{2}_v{3}","fields":[
{{"name":"key","type":"int","field-id":{2}}},
{{"name":"value","type":"{4}","field-id":{3}}}]}}}}]}},
)",
      name, id, key_id, value_id, value_type);
}

/// `id` keeps the names of fixed types apart within one schema.
std::string AvroTypeJson(const Type& type, int32_t id) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return R"("boolean")";
    case TypeKind::kInt:
      return R"("int")";
    case TypeKind::kLong:
      return R"("long")";
    case TypeKind::kFloat:
      return R"("float")";
    case TypeKind::kDouble:
      return R"("double")";
    case TypeKind::kDate:
      return R"({"type":"int","logicalType":"date"})";
    case TypeKind::kTime:
      return R"({"type":"long","logicalType":"time-micros"})";
    case TypeKind::kTimestamp:
      return R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":false})";
    case TypeKind::kTimestamptz:
      return R"({"type":"long","logicalType":"timestamp-micros","adjust-to-utc":true})";
    case TypeKind::kUuid:
      return fmt::format(R"({{"type":"fixed","name":"uuid_{}","size":16,"logicalType":"uuid"}})",
                         id);
    case TypeKind::kFixed:
      return fmt::format(R"({{"type":"fixed","name":"fixed_{}","size":{}}})", id, type.length);
    case TypeKind::kBinary:
      return R"("bytes")";
    default:
      return R"("string")";
  }
}

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string ManifestAvroSchema(const PartitionSpec& spec, const std::vector<Type>& types) {
  JsonWriter partition;
  partition.BeginArray();
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    const std::string avro_name = AvroName(field.name);
    partition.BeginObject().Key("name").String(avro_name);
    partition.Key("type").BeginArray().String("null").Raw(AvroTypeJson(types[i], field.field_id));
    partition.EndArray().Key("default").Raw("null").Key("field-id").Int(field.field_id);
    if (avro_name != field.name) partition.Key("iceberg-field-name").String(field.name);
    partition.EndObject();
  }
  partition.EndArray();

  std::string schema(kEntryHead);
  schema += std::move(partition).Take();
  schema += kAfterPartition;
  schema += ColumnMap("column_sizes", 108, 117, 118, "long");
  schema += ColumnMap("value_counts", 109, 119, 120, "long");
  schema += ColumnMap("null_value_counts", 110, 121, 122, "long");
  schema += ColumnMap("nan_value_counts", 137, 138, 139, "long");
  schema += ColumnMap("lower_bounds", 125, 126, 127, "bytes");
  schema += ColumnMap("upper_bounds", 128, 129, 130, "bytes");
  schema += kEntryTail;
  return schema;
}

std::string_view ManifestListAvroSchema() { return kManifestListSchema; }

std::string AvroName(std::string_view name) {
  std::string valid;
  for (const char c : name) {
    if (IsLetter(c)) {
      valid += c;
    } else if (IsDigit(c)) {
      if (valid.empty()) valid += '_';
      valid += c;
    } else {
      valid += fmt::format("_x{:02X}", static_cast<unsigned char>(c));
    }
  }
  return valid.empty() ? "_" : valid;
}

}  // namespace playhead::iceberg
