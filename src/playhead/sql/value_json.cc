#include "playhead/sql/value_json.h"

#include "playhead/sql/row_writer.h"

#include <fmt/format.h>

#include <cmath>
#include <string>

namespace playhead::sql {
namespace {

using duckdb::LogicalTypeId;
using duckdb::Value;

std::string Quoted(const std::string& text) {
  std::string json;
  AppendJsonText(text, json);
  return json;
}

template <typename T>
std::string FloatingJson(T number) {
  return std::isfinite(number) ? fmt::format("{}", number) : "null";
}

std::string ListJson(const duckdb::vector<Value>& children) {
  std::string json = "[";
  for (const Value& child : children) {
    if (json.size() > 1) json += ",";
    json += ValueJson(child);
  }
  return json + "]";
}

std::string StructJson(const Value& value) {
  const auto& children = duckdb::StructValue::GetChildren(value);
  std::string json = "{";
  for (size_t i = 0; i < children.size(); ++i) {
    if (i > 0) json += ",";
    json +=
        Quoted(duckdb::StructType::GetChildName(value.type(), i)) + ":" + ValueJson(children[i]);
  }
  return json + "}";
}

std::string MapJson(const Value& value) {
  std::string json = "{";
  for (const Value& entry : duckdb::MapValue::GetChildren(value)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    if (json.size() > 1) json += ",";
    json += Quoted(pair[0].ToString()) + ":" + ValueJson(pair[1]);
  }
  return json + "}";
}

}  // namespace

std::string ValueJson(const Value& value) {
  if (value.IsNull()) return "null";
  switch (value.type().id()) {
    case LogicalTypeId::BOOLEAN:
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::HUGEINT:
    case LogicalTypeId::UTINYINT:
    case LogicalTypeId::USMALLINT:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::UHUGEINT:
    case LogicalTypeId::DECIMAL:
      return value.ToString();
    case LogicalTypeId::FLOAT:
      return FloatingJson(value.GetValue<float>());
    case LogicalTypeId::DOUBLE:
      return FloatingJson(value.GetValue<double>());
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_SEC:
    case LogicalTypeId::TIMESTAMP_MS:
    case LogicalTypeId::TIMESTAMP_NS:
    case LogicalTypeId::TIMESTAMP_TZ:
      return Quoted(IsoTime(value.ToString(), value.type().id() == LogicalTypeId::TIMESTAMP_TZ));
    case LogicalTypeId::LIST:
      return ListJson(duckdb::ListValue::GetChildren(value));
    case LogicalTypeId::ARRAY:
      return ListJson(duckdb::ArrayValue::GetChildren(value));
    case LogicalTypeId::STRUCT:
      return StructJson(value);
    case LogicalTypeId::MAP:
      return MapJson(value);
    case LogicalTypeId::UNION:
      return ValueJson(duckdb::UnionValue::GetValue(value));
    default:
      return value.type().IsJSONType() ? value.ToString() : Quoted(value.ToString());
  }
}

std::string IsoTime(std::string text, bool has_zone) {
  const size_t blank = text.find(' ');
  // Infinite times have no blank, dates before our era have one more, at their end.
  if (blank != std::string::npos && blank + 1 < text.size() && text[blank + 1] != '(') {
    text[blank] = 'T';
  }
  if (has_zone && text.ends_with("+00")) text.replace(text.size() - 3, 3, "Z");
  return text;
}

}  // namespace playhead::sql
