#include "playhead/sql/duckdb_types.h"

#include <duckdb/parser/expression/constant_expression.hpp>

#include <cstring>
#include <utility>

namespace playhead::sql {
namespace {

using duckdb::LogicalType;
using iceberg::TypeKind;

template <typename T>
T LittleEndian(std::string_view bytes) {
  T value;
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  std::memcpy(&value, bytes.data(), sizeof(T));
  return value;
}

std::optional<int64_t> IntegerOf(std::string_view bytes) {
  if (bytes.size() == sizeof(int32_t)) return LittleEndian<int32_t>(bytes);
  if (bytes.size() == sizeof(int64_t)) return LittleEndian<int64_t>(bytes);
  return std::nullopt;
}

std::optional<double> FloatingOf(std::string_view bytes) {
  if (bytes.size() == sizeof(float)) return LittleEndian<float>(bytes);
  if (bytes.size() == sizeof(double)) return LittleEndian<double>(bytes);
  return std::nullopt;
}

LogicalType StructType(const iceberg::Type& type) {
  duckdb::child_list_t<LogicalType> children;
  for (const iceberg::NestedField& field : type.fields) {
    children.emplace_back(field.name, DuckdbType(*field.type));
  }
  return LogicalType::STRUCT(std::move(children));
}

}  // namespace

LogicalType DuckdbType(const iceberg::Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return LogicalType::BOOLEAN;
    case TypeKind::kInt:
      return LogicalType::INTEGER;
    case TypeKind::kLong:
      return LogicalType::BIGINT;
    case TypeKind::kFloat:
      return LogicalType::FLOAT;
    case TypeKind::kDouble:
      return LogicalType::DOUBLE;
    case TypeKind::kDecimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                  static_cast<uint8_t>(type.scale));
    case TypeKind::kDate:
      return LogicalType::DATE;
    case TypeKind::kTime:
      return LogicalType::TIME;
    case TypeKind::kTimestamp:
      return LogicalType::TIMESTAMP;
    case TypeKind::kTimestamptz:
      return LogicalType::TIMESTAMP_TZ;
    case TypeKind::kString:
      return LogicalType::VARCHAR;
    case TypeKind::kUuid:
      return LogicalType::UUID;
    case TypeKind::kFixed:
    case TypeKind::kBinary:
      return LogicalType::BLOB;
    case TypeKind::kStruct:
      return StructType(type);
    case TypeKind::kList:
      return LogicalType::LIST(DuckdbType(*type.fields[0].type));
    case TypeKind::kMap:
      return LogicalType::MAP(DuckdbType(*type.fields[0].type), DuckdbType(*type.fields[1].type));
  }
  return LogicalType::INVALID;
}

duckdb::MultiFileColumnDefinition ColumnDefinition(const iceberg::NestedField& field) {
  const LogicalType type = DuckdbType(*field.type);
  duckdb::MultiFileColumnDefinition column(field.name, type);
  column.default_expression = duckdb::make_uniq<duckdb::ConstantExpression>(duckdb::Value(type));
  column.identifier = duckdb::Value::INTEGER(field.id);
  for (const iceberg::NestedField& child : field.type->fields) {
    column.children.push_back(ColumnDefinition(child));
  }
  return column;
}

std::optional<duckdb::Value> BoundValue(const iceberg::Type& type, std::string_view bytes) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      if (bytes.size() != 1) return std::nullopt;
      return duckdb::Value::BOOLEAN(bytes[0] != 0);
    case TypeKind::kString:
      return duckdb::Value(std::string(bytes));
    case TypeKind::kFloat:
      if (auto value = FloatingOf(bytes)) return duckdb::Value::FLOAT(static_cast<float>(*value));
      return std::nullopt;
    case TypeKind::kDouble:
      if (auto value = FloatingOf(bytes)) return duckdb::Value::DOUBLE(*value);
      return std::nullopt;
    default:
      break;
  }
  const std::optional<int64_t> value = IntegerOf(bytes);
  if (!value) return std::nullopt;
  switch (type.kind) {
    case TypeKind::kInt:
      return duckdb::Value::INTEGER(static_cast<int32_t>(*value));
    case TypeKind::kLong:
      return duckdb::Value::BIGINT(*value);
    case TypeKind::kDate:
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(*value)));
    case TypeKind::kTimestamp:
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(*value));
    case TypeKind::kTimestamptz:
      return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(*value));
    default:
      return std::nullopt;
  }
}

}  // namespace playhead::sql
