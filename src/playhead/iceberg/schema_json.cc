#include "playhead/iceberg/schema_json.h"

#include "playhead/iceberg/metadata_json.h"

#include <array>
#include <charconv>
#include <set>

namespace playhead::iceberg {
namespace {

struct PrimitiveName {
  std::string_view name;
  TypeKind kind;
};

constexpr std::array<PrimitiveName, 12> kPrimitives = {{
    {"boolean", TypeKind::kBoolean},
    {"int", TypeKind::kInt},
    {"long", TypeKind::kLong},
    {"float", TypeKind::kFloat},
    {"double", TypeKind::kDouble},
    {"date", TypeKind::kDate},
    {"time", TypeKind::kTime},
    {"timestamp", TypeKind::kTimestamp},
    {"timestamptz", TypeKind::kTimestamptz},
    {"string", TypeKind::kString},
    {"uuid", TypeKind::kUuid},
    {"binary", TypeKind::kBinary},
}};

constexpr int32_t kDecimalPrecisionMax = 38;
constexpr int32_t kFixedLengthMax = 1 << 20;

/// Reads "name(1, 2)" or "name[1]": the numbers between `open` and `close`.
std::vector<int32_t> Numbers(std::string_view text, char open, char close) {
  std::vector<int32_t> numbers;
  const size_t begin = text.find(open);
  if (begin == std::string_view::npos || text.back() != close) return {};
  const char* at = text.data() + begin + 1;
  const char* end = text.data() + text.size() - 1;
  while (at < end) {
    while (at < end && *at == ' ') ++at;
    int32_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0) return {};
    numbers.push_back(number);
    at = next;
    while (at < end && *at == ' ') ++at;
    if (at == end) break;
    if (*at != ',') return {};
    ++at;
  }
  return numbers;
}

Result<Type> ParsePrimitive(std::string_view name) {
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.name == name) return Type{.kind = primitive.kind};
  }
  if (name.starts_with("decimal(")) {
    const auto numbers = Numbers(name, '(', ')');
    if (numbers.size() == 2 && numbers[0] >= 1 && numbers[0] <= kDecimalPrecisionMax &&
        numbers[1] <= numbers[0]) {
      return Type{.kind = TypeKind::kDecimal, .precision = numbers[0], .scale = numbers[1]};
    }
    return Error(StatusCode::kDataCorrupt, "not a decimal type: type={}", name);
  }
  if (name.starts_with("fixed[")) {
    const auto numbers = Numbers(name, '[', ']');
    if (numbers.size() == 1 && numbers[0] <= kFixedLengthMax) {
      return Type{.kind = TypeKind::kFixed, .length = numbers[0]};
    }
    return Error(StatusCode::kDataCorrupt, "not a fixed type: type={}", name);
  }
  return Error(StatusCode::kNotSupported, "type is not one of Iceberg version 2: type={}", name);
}

using Ids = std::set<int32_t>;

Result<std::shared_ptr<const Type>> ParseType(const JsonView& json, Ids& ids);

Result<NestedField> MakeField(int32_t id, std::string name, bool is_required, const JsonView& type,
                              Ids& ids) {
  if (!ids.insert(id).second) {
    return Error(StatusCode::kDataCorrupt, "field id is used twice: id={} name={}", id, name);
  }
  PH_ASSIGN_OR_RETURN(auto parsed, ParseType(type, ids));
  return NestedField{.id = id,
                     .name = std::move(name),
                     .is_required = is_required,
                     .type = std::move(parsed),
                     .doc = {}};
}

Result<std::vector<NestedField>> ParseFields(const JsonView& json, Ids& ids) {
  std::vector<NestedField> fields;
  PH_ASSIGN_OR_RETURN(const auto elements, json.GetArray("fields"));
  for (const JsonView& element : elements) {
    PH_ASSIGN_OR_RETURN(const int32_t id, element.GetInt32("id"));
    PH_ASSIGN_OR_RETURN(std::string name, element.GetString("name"));
    PH_ASSIGN_OR_RETURN(const bool is_required, element.GetBool("required"));
    PH_ASSIGN_OR_RETURN(const JsonView type, element.Get("type"));
    PH_ASSIGN_OR_RETURN(NestedField field, MakeField(id, std::move(name), is_required, type, ids));
    if (element.Find("doc")) {
      PH_ASSIGN_OR_RETURN(field.doc, element.GetString("doc"));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

/// The element of a list, the key or the value of a map: `<name>-id`, `<name>`, `<name>-required`.
Result<NestedField> ParseInner(const JsonView& json, const std::string& name, bool is_key,
                               Ids& ids) {
  PH_ASSIGN_OR_RETURN(const int32_t id, json.GetInt32(name + "-id"));
  PH_ASSIGN_OR_RETURN(const JsonView type, json.Get(name));
  bool is_required = true;
  if (!is_key) {
    PH_ASSIGN_OR_RETURN(is_required, json.GetBool(name + "-required"));
  }
  return MakeField(id, name, is_required, type, ids);
}

Result<std::shared_ptr<const Type>> ParseType(const JsonView& json, Ids& ids) {
  if (json.is_string()) {
    PH_ASSIGN_OR_RETURN(Type primitive, ParsePrimitive(json.string()));
    return std::make_shared<const Type>(std::move(primitive));
  }
  auto type = std::make_shared<Type>();
  PH_ASSIGN_OR_RETURN(const std::string name, json.GetString("type"));
  if (name == "struct") {
    type->kind = TypeKind::kStruct;
    PH_ASSIGN_OR_RETURN(type->fields, ParseFields(json, ids));
  } else if (name == "list") {
    type->kind = TypeKind::kList;
    PH_ASSIGN_OR_RETURN(NestedField element, ParseInner(json, "element", false, ids));
    type->fields.push_back(std::move(element));
  } else if (name == "map") {
    type->kind = TypeKind::kMap;
    PH_ASSIGN_OR_RETURN(NestedField key, ParseInner(json, "key", true, ids));
    PH_ASSIGN_OR_RETURN(NestedField value, ParseInner(json, "value", false, ids));
    type->fields.push_back(std::move(key));
    type->fields.push_back(std::move(value));
  } else {
    return Error(StatusCode::kDataCorrupt, "not a nested type: type={}", name);
  }
  return std::shared_ptr<const Type>(std::move(type));
}

void WriteType(JsonWriter& writer, const Type& type);

void WriteFields(JsonWriter& writer, const std::vector<NestedField>& fields) {
  writer.Key("fields").BeginArray();
  for (const NestedField& field : fields) {
    writer.BeginObject().Key("id").Int(field.id).Key("name").String(field.name);
    writer.Key("required").Bool(field.is_required).Key("type");
    WriteType(writer, *field.type);
    if (!field.doc.empty()) writer.Key("doc").String(field.doc);
    writer.EndObject();
  }
  writer.EndArray();
}

void WriteType(JsonWriter& writer, const Type& type) {
  if (type.kind != TypeKind::kStruct && type.kind != TypeKind::kList &&
      type.kind != TypeKind::kMap) {
    writer.String(TypeName(type));
    return;
  }
  writer.BeginObject().Key("type").String(TypeName(type));
  if (type.kind == TypeKind::kStruct) {
    WriteFields(writer, type.fields);
  } else if (type.kind == TypeKind::kList) {
    const NestedField& element = type.fields[0];
    writer.Key("element-id").Int(element.id).Key("element");
    WriteType(writer, *element.type);
    writer.Key("element-required").Bool(element.is_required);
  } else {
    const NestedField& key = type.fields[0];
    const NestedField& value = type.fields[1];
    writer.Key("key-id").Int(key.id).Key("key");
    WriteType(writer, *key.type);
    writer.Key("value-id").Int(value.id).Key("value");
    WriteType(writer, *value.type);
    writer.Key("value-required").Bool(value.is_required);
  }
  writer.EndObject();
}

constexpr std::array<std::pair<std::string_view, Transform>, 6> kPlainTransforms = {{
    {"identity", Transform::kIdentity},
    {"year", Transform::kYear},
    {"month", Transform::kMonth},
    {"day", Transform::kDay},
    {"hour", Transform::kHour},
    {"void", Transform::kVoid},
}};

Status ParseTransform(std::string_view name, PartitionField* field) {
  for (const auto& [plain_name, transform] : kPlainTransforms) {
    if (plain_name != name) continue;
    field->transform = transform;
    return {};
  }
  const bool is_bucket = name.starts_with("bucket[");
  if (is_bucket || name.starts_with("truncate[")) {
    const auto numbers = Numbers(name, '[', ']');
    if (numbers.size() != 1 || numbers[0] == 0) {
      return Error(StatusCode::kDataCorrupt, "not a partition transform: transform={}", name);
    }
    field->transform = is_bucket ? Transform::kBucket : Transform::kTruncate;
    field->width = numbers[0];
    return {};
  }
  return Error(StatusCode::kNotSupported, "partition transform is not known: transform={}", name);
}

}  // namespace

std::string TypeName(const Type& type) {
  switch (type.kind) {
    case TypeKind::kDecimal:
      return fmt::format("decimal({}, {})", type.precision, type.scale);
    case TypeKind::kFixed:
      return fmt::format("fixed[{}]", type.length);
    case TypeKind::kStruct:
      return "struct";
    case TypeKind::kList:
      return "list";
    case TypeKind::kMap:
      return "map";
    default:
      break;
  }
  for (const PrimitiveName& primitive : kPrimitives) {
    if (primitive.kind == type.kind) return std::string(primitive.name);
  }
  PH_CHECK(!"every primitive type has a name");
  return {};
}

std::string TransformName(const PartitionField& field) {
  if (field.transform == Transform::kBucket) return fmt::format("bucket[{}]", field.width);
  if (field.transform == Transform::kTruncate) return fmt::format("truncate[{}]", field.width);
  for (const auto& [name, transform] : kPlainTransforms) {
    if (transform == field.transform) return std::string(name);
  }
  PH_CHECK(!"every transform has a name");
  return {};
}

Result<Schema> ParseSchema(const JsonView& json) {
  Schema schema;
  PH_ASSIGN_OR_RETURN(const auto schema_id, json.FindInt32("schema-id"));
  schema.schema_id = schema_id.value_or(0);
  PH_ASSIGN_OR_RETURN(const std::string type, json.GetString("type"));
  if (type != "struct") {
    return Error(StatusCode::kDataCorrupt, "schema is not a struct: type={}", type);
  }
  Ids ids;
  PH_ASSIGN_OR_RETURN(schema.fields, ParseFields(json, ids));
  PH_ASSIGN_OR_RETURN(schema.identifier_field_ids, json.FindInt32s("identifier-field-ids"));
  return schema;
}

void WriteSchema(JsonWriter& writer, const Schema& schema) {
  writer.BeginObject().Key("type").String("struct").Key("schema-id").Int(schema.schema_id);
  if (!schema.identifier_field_ids.empty()) {
    writer.Key("identifier-field-ids").BeginArray();
    for (const int32_t id : schema.identifier_field_ids) writer.Int(id);
    writer.EndArray();
  }
  WriteFields(writer, schema.fields);
  writer.EndObject();
}

Result<std::vector<PartitionField>> ParsePartitionFields(const std::vector<JsonView>& fields) {
  constexpr int32_t kFirstFieldId = 1000;
  std::vector<PartitionField> parsed;
  std::set<int32_t> ids;
  for (const JsonView& json : fields) {
    PartitionField field;
    PH_ASSIGN_OR_RETURN(field.source_id, json.GetInt32("source-id"));
    PH_ASSIGN_OR_RETURN(const auto field_id, json.FindInt32("field-id"));
    field.field_id = field_id.value_or(kFirstFieldId + static_cast<int32_t>(parsed.size()));
    PH_ASSIGN_OR_RETURN(field.name, json.GetString("name"));
    PH_ASSIGN_OR_RETURN(const std::string transform, json.GetString("transform"));
    PH_RETURN_IF_ERROR(ParseTransform(transform, &field));
    if (!ids.insert(field.field_id).second) {
      return Error(StatusCode::kDataCorrupt, "partition field id is used twice: id={} name={}",
                   field.field_id, field.name);
    }
    parsed.push_back(std::move(field));
  }
  return parsed;
}

void WritePartitionFields(JsonWriter& writer, const std::vector<PartitionField>& fields) {
  writer.BeginArray();
  for (const PartitionField& field : fields) {
    writer.BeginObject().Key("source-id").Int(field.source_id);
    writer.Key("field-id").Int(field.field_id).Key("name").String(field.name);
    writer.Key("transform").String(TransformName(field)).EndObject();
  }
  writer.EndArray();
}

std::string SerializeSchema(const Schema& schema) {
  JsonWriter writer;
  WriteSchema(writer, schema);
  return std::move(writer).Take();
}

Result<Schema> ParseSchema(std::string_view json) {
  PH_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Parse(json));
  return ParseSchema(document.root());
}

}  // namespace playhead::iceberg
