#include "playhead/iceberg/arrow_schema.h"

#include "playhead/base/data_type_name.h"
#include "playhead/iceberg/field_ids.h"

#include <arrow/api.h>
#include <arrow/extension/uuid.h>

#include <set>

namespace playhead::iceberg {
namespace {

constexpr int32_t kDecimalPrecisionMax = 38;
constexpr std::string_view kFieldIdKey = "PARQUET:field_id";

Status Unsupported(std::string_view column, const arrow::DataType& type) {
  return Error(StatusCode::kNotSupported,
               "Iceberg has no type for the column: column={} arrow_type={}", column,
               type.ToString());
}

Result<Type> TypeFromArrow(const arrow::DataType& type, const std::string& column);

Result<NestedField> FieldFromArrow(const arrow::Field& field, std::string name, bool is_required,
                                   const std::string& parent) {
  const std::string column = parent.empty() ? name : fmt::format("{}.{}", parent, name);
  PH_ASSIGN_OR_RETURN(Type type, TypeFromArrow(*field.type(), column));
  return NestedField{.id = 0,
                     .name = std::move(name),
                     .is_required = is_required,
                     .type = std::make_shared<const Type>(std::move(type)),
                     .doc = {}};
}

Result<std::vector<NestedField>> FieldsFromArrow(const arrow::FieldVector& arrow_fields,
                                                 const std::string& parent) {
  std::vector<NestedField> fields;
  std::set<std::string> names;
  for (const auto& arrow_field : arrow_fields) {
    if (!names.insert(arrow_field->name()).second) {
      return Error(StatusCode::kInvalidArgument, "column is there twice: column={} in={}",
                   arrow_field->name(), parent);
    }
    PH_ASSIGN_OR_RETURN(NestedField field, FieldFromArrow(*arrow_field, arrow_field->name(),
                                                          !arrow_field->nullable(), parent));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Type> ListFromArrow(const arrow::Field& element, const std::string& column) {
  PH_ASSIGN_OR_RETURN(NestedField field,
                      FieldFromArrow(element, "element", !element.nullable(), column));
  Type list{.kind = TypeKind::kList};
  list.fields.push_back(std::move(field));
  return list;
}

Result<Type> MapFromArrow(const arrow::MapType& map, const std::string& column) {
  PH_ASSIGN_OR_RETURN(NestedField key, FieldFromArrow(*map.key_field(), "key", true, column));
  PH_ASSIGN_OR_RETURN(NestedField value, FieldFromArrow(*map.item_field(), "value",
                                                        !map.item_field()->nullable(), column));
  Type type{.kind = TypeKind::kMap};
  type.fields.push_back(std::move(key));
  type.fields.push_back(std::move(value));
  return type;
}

Result<Type> TypeFromArrow(const arrow::DataType& type, const std::string& column) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return Type{.kind = TypeKind::kBoolean};
    case arrow::Type::INT8:
    case arrow::Type::UINT8:
    case arrow::Type::INT16:
    case arrow::Type::UINT16:
    case arrow::Type::INT32:
      return Type{.kind = TypeKind::kInt};
    case arrow::Type::UINT32:
    case arrow::Type::INT64:
      return Type{.kind = TypeKind::kLong};
    case arrow::Type::FLOAT:
      return Type{.kind = TypeKind::kFloat};
    case arrow::Type::DOUBLE:
      return Type{.kind = TypeKind::kDouble};
    case arrow::Type::DATE32:
      return Type{.kind = TypeKind::kDate};
    case arrow::Type::STRING:
    case arrow::Type::LARGE_STRING:
    case arrow::Type::STRING_VIEW:
      return Type{.kind = TypeKind::kString};
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY:
    case arrow::Type::BINARY_VIEW:
      return Type{.kind = TypeKind::kBinary};
    case arrow::Type::FIXED_SIZE_BINARY: {
      const auto& fixed = static_cast<const arrow::FixedSizeBinaryType&>(type);
      return Type{.kind = TypeKind::kFixed, .length = fixed.byte_width()};
    }
    case arrow::Type::DECIMAL32:
    case arrow::Type::DECIMAL64:
    case arrow::Type::DECIMAL128:
    case arrow::Type::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      if (decimal.precision() > kDecimalPrecisionMax || decimal.scale() < 0) break;
      return Type{
          .kind = TypeKind::kDecimal, .precision = decimal.precision(), .scale = decimal.scale()};
    }
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      if (static_cast<const arrow::TimeType&>(type).unit() == arrow::TimeUnit::NANO) break;
      return Type{.kind = TypeKind::kTime};
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() == arrow::TimeUnit::NANO) break;
      return Type{.kind =
                      timestamp.timezone().empty() ? TypeKind::kTimestamp : TypeKind::kTimestamptz};
    }
    case arrow::Type::STRUCT: {
      PH_ASSIGN_OR_RETURN(auto fields, FieldsFromArrow(type.fields(), column));
      Type structure{.kind = TypeKind::kStruct};
      structure.fields = std::move(fields);
      return structure;
    }
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return ListFromArrow(*type.field(0), column);
    case arrow::Type::MAP:
      return MapFromArrow(static_cast<const arrow::MapType&>(type), column);
    case arrow::Type::DICTIONARY:
      return TypeFromArrow(*static_cast<const arrow::DictionaryType&>(type).value_type(), column);
    case arrow::Type::EXTENSION: {
      const auto& extension = static_cast<const arrow::ExtensionType&>(type);
      if (extension.extension_name() == "arrow.uuid") return Type{.kind = TypeKind::kUuid};
      return TypeFromArrow(*extension.storage_type(), column);
    }
    default:
      break;
  }
  return Unsupported(column, type);
}

std::shared_ptr<arrow::DataType> ArrowFromType(const Type& type);

std::shared_ptr<arrow::Field> ArrowFromField(const NestedField& field) {
  return arrow::field(
      field.name, ArrowFromType(*field.type), !field.is_required,
      arrow::key_value_metadata({std::string(kFieldIdKey)}, {std::to_string(field.id)}));
}

arrow::FieldVector ArrowFromFields(const std::vector<NestedField>& fields) {
  arrow::FieldVector arrow_fields;
  for (const NestedField& field : fields) arrow_fields.push_back(ArrowFromField(field));
  return arrow_fields;
}

std::shared_ptr<arrow::DataType> ArrowFromType(const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return arrow::boolean();
    case TypeKind::kInt:
      return arrow::int32();
    case TypeKind::kLong:
      return arrow::int64();
    case TypeKind::kFloat:
      return arrow::float32();
    case TypeKind::kDouble:
      return arrow::float64();
    case TypeKind::kDecimal:
      return arrow::decimal128(type.precision, type.scale);
    case TypeKind::kDate:
      return arrow::date32();
    case TypeKind::kTime:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case TypeKind::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case TypeKind::kTimestamptz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeKind::kString:
      return arrow::utf8();
    case TypeKind::kUuid:
      return arrow::extension::uuid();
    case TypeKind::kFixed:
      return arrow::fixed_size_binary(type.length);
    case TypeKind::kBinary:
      return arrow::binary();
    case TypeKind::kStruct:
      return arrow::struct_(ArrowFromFields(type.fields));
    case TypeKind::kList:
      return arrow::list(ArrowFromField(type.fields[0]));
    case TypeKind::kMap:
      return std::make_shared<arrow::MapType>(ArrowFromField(type.fields[0]),
                                              ArrowFromField(type.fields[1]));
  }
  PH_CHECK(!"every type has an Arrow type");
  return nullptr;
}

}  // namespace

Result<Schema> SchemaFromArrow(const arrow::Schema& schema, int32_t* last_column_id) {
  Schema converted;
  PH_ASSIGN_OR_RETURN(converted.fields, FieldsFromArrow(schema.fields(), ""));
  PH_RETURN_IF_ERROR(AssignFreshIds(&converted.fields, last_column_id));
  return converted;
}

std::string DeclaredTypeName(const Type& type) { return DataTypeName(*ArrowFromType(type)); }

std::shared_ptr<arrow::Schema> ArrowFromSchema(const Schema& schema) {
  return arrow::schema(ArrowFromFields(schema.fields));
}

}  // namespace playhead::iceberg
