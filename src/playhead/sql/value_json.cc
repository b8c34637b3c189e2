#include "playhead/sql/result_table.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <string>

namespace playhead::sql {
namespace {

using duckdb::LogicalTypeId;
using duckdb::Value;

std::string Quoted(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <typename T>
std::string FloatingJson(T number) {
  return std::isfinite(number) ? fmt::format("{}", number) : "null";
}

/// `2024-01-31 12:00:00.5+00` → `2024-01-31T12:00:00.5Z`.
std::string IsoTime(const Value& value) {
  std::string text = value.ToString();
  const size_t blank = text.find(' ');
  // Infinite times have no blank, dates before our era have one more, at their end.
  if (blank != std::string::npos && blank + 1 < text.size() && text[blank + 1] != '(') {
    text[blank] = 'T';
  }
  if (value.type().id() == LogicalTypeId::TIMESTAMP_TZ && text.ends_with("+00")) {
    text.replace(text.size() - 3, 3, "Z");
  }
  return Quoted(text);
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
      return IsoTime(value);
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

std::string CsvField(const Value& value) {
  if (value.IsNull()) return "";
  std::string text = value.ToString();
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace playhead::sql
