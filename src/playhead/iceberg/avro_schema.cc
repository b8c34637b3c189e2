#include "playhead/iceberg/avro_schema.h"

#include "playhead/iceberg/json_view.h"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace playhead::iceberg {
namespace {

constexpr std::array<std::pair<std::string_view, AvroKind>, 8> kPrimitives = {{
    {"null", AvroKind::kNull},
    {"boolean", AvroKind::kBoolean},
    {"int", AvroKind::kInt},
    {"long", AvroKind::kLong},
    {"float", AvroKind::kFloat},
    {"double", AvroKind::kDouble},
    {"bytes", AvroKind::kBytes},
    {"string", AvroKind::kString},
}};

std::optional<AvroKind> PrimitiveKind(std::string_view name) {
  for (const auto& [primitive, kind] : kPrimitives) {
    if (primitive == name) return kind;
  }
  return std::nullopt;
}

class SchemaParser {
 public:
  explicit SchemaParser(std::vector<std::unique_ptr<AvroType>>& types) : types_(types) {}

  Result<const AvroType*> Parse(const JsonView& json) {
    if (json.is_string()) return ParseName(json.string());
    if (json.is_array()) return ParseUnion(json);
    PH_ASSIGN_OR_RETURN(const JsonView type, json.Get("type"));
    if (!type.is_string()) return Parse(type);
    const std::string_view kind = type.string();
    if (kind == "record") return ParseRecord(json);
    if (kind == "array" || kind == "map") return ParseContainer(json, kind);
    if (kind == "fixed") return ParseFixed(json);
    if (kind == "enum") return ParseEnum(json);
    return ParseName(kind);
  }

 private:
  Result<const AvroType*> ParseName(std::string_view name) {
    if (const auto kind = PrimitiveKind(name)) return Add(*kind);
    if (const auto named = named_.find(name); named != named_.end()) return named->second;
    return Error(StatusCode::kDataCorrupt, "Avro schema names an unknown type: type={}", name);
  }

  Result<const AvroType*> ParseUnion(const JsonView& json) {
    AvroType* type = Add(AvroKind::kUnion);
    for (const JsonView& branch : json.Elements()) {
      PH_ASSIGN_OR_RETURN(const AvroType* parsed, Parse(branch));
      type->branches.push_back(parsed);
    }
    return type;
  }

  Result<const AvroType*> ParseRecord(const JsonView& json) {
    PH_ASSIGN_OR_RETURN(AvroType * record, AddNamed(json, AvroKind::kRecord));
    PH_ASSIGN_OR_RETURN(const auto fields, json.GetArray("fields"));
    std::set<int32_t> field_ids;
    for (const JsonView& element : fields) {
      AvroField field;
      PH_ASSIGN_OR_RETURN(field.name, element.GetString("name"));
      PH_ASSIGN_OR_RETURN(const auto field_id, element.FindInt32("field-id"));
      field.field_id = field_id.value_or(-1);
      if (field_id && !field_ids.insert(*field_id).second) {
        return Error(StatusCode::kDataCorrupt, "Avro record has a field id twice: id={}",
                     *field_id);
      }
      PH_ASSIGN_OR_RETURN(const JsonView type, element.Get("type"));
      PH_ASSIGN_OR_RETURN(field.type, Parse(type));
      record->fields.push_back(std::move(field));
    }
    return record;
  }

  Result<const AvroType*> ParseContainer(const JsonView& json, std::string_view kind) {
    AvroType* type = Add(kind == "array" ? AvroKind::kArray : AvroKind::kMap);
    PH_ASSIGN_OR_RETURN(const JsonView item, json.Get(kind == "array" ? "items" : "values"));
    PH_ASSIGN_OR_RETURN(type->item, Parse(item));
    return type;
  }

  Result<const AvroType*> ParseFixed(const JsonView& json) {
    PH_ASSIGN_OR_RETURN(AvroType * fixed, AddNamed(json, AvroKind::kFixed));
    PH_ASSIGN_OR_RETURN(fixed->size, json.GetInt64("size"));
    if (fixed->size < 0) {
      return Error(StatusCode::kDataCorrupt, "Avro type has a negative size: size={}", fixed->size);
    }
    return fixed;
  }

  Result<const AvroType*> ParseEnum(const JsonView& json) {
    PH_ASSIGN_OR_RETURN(const AvroType* type, AddNamed(json, AvroKind::kEnum));
    return type;
  }

  AvroType* Add(AvroKind kind) {
    types_.push_back(std::make_unique<AvroType>());
    types_.back()->kind = kind;
    return types_.back().get();
  }

  /// Known under its name before its fields are read, because they may refer to it.
  Result<AvroType*> AddNamed(const JsonView& json, AvroKind kind) {
    PH_ASSIGN_OR_RETURN(const std::string name, json.GetString("name"));
    AvroType* type = Add(kind);
    named_[name] = type;
    if (json.Find("namespace")) {
      PH_ASSIGN_OR_RETURN(const std::string space, json.GetString("namespace"));
      named_[space + "." + name] = type;
    }
    return type;
  }

  std::vector<std::unique_ptr<AvroType>>& types_;
  std::map<std::string, const AvroType*, std::less<>> named_;
};

}  // namespace

const AvroField* AvroType::FindField(int32_t field_id) const {
  for (const AvroField& field : fields) {
    if (field.field_id == field_id) return &field;
  }
  return nullptr;
}

Result<AvroSchema> AvroSchema::Parse(std::string_view json) {
  PH_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Parse(json));
  AvroSchema schema;
  PH_ASSIGN_OR_RETURN(schema.root_, SchemaParser(schema.types_).Parse(document.root()));
  return schema;
}

}  // namespace playhead::iceberg
