#include "playhead/sql/name_mapping.h"

#include <duckdb/parser/parsed_expression.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace playhead::sql {
namespace {

constexpr char kProperty[] = "schema.name-mapping.default";

void Collect(const nlohmann::json& fields, NamesById& names) {
  if (!fields.is_array()) return;
  for (const nlohmann::json& field : fields) {
    if (!field.is_object()) continue;
    const auto id = field.find("field-id");
    const auto aliases = field.find("names");
    if (id != field.end() && id->is_number_integer() && aliases != field.end() &&
        aliases->is_array()) {
      for (const nlohmann::json& alias : *aliases) {
        if (alias.is_string()) names[id->get<int32_t>()].push_back(alias.get<std::string>());
      }
    }
    if (const auto nested = field.find("fields"); nested != field.end()) Collect(*nested, names);
  }
}

}  // namespace

NamesById ReadNameMapping(const iceberg::TableMetadata& metadata) {
  NamesById names;
  const auto property = metadata.properties.find(kProperty);
  if (property == metadata.properties.end()) return names;
  Collect(nlohmann::json::parse(property->second, nullptr, /*allow_exceptions=*/false), names);
  return names;
}

duckdb::vector<duckdb::MultiFileColumnDefinition> NameColumns(
    const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
    const duckdb::vector<duckdb::MultiFileColumnDefinition>& file_columns, const NamesById& names) {
  duckdb::vector<duckdb::MultiFileColumnDefinition> named = columns;
  for (duckdb::MultiFileColumnDefinition& column : named) {
    std::vector<std::string> aliases = {column.name};
    if (!column.identifier.IsNull()) {
      const auto more = names.find(column.identifier.GetValue<int32_t>());
      if (more != names.end()) {
        aliases.insert(aliases.end(), more->second.begin(), more->second.end());
      }
    }
    column.identifier = duckdb::Value(column.name);
    for (const std::string& alias : aliases) {
      const auto found =
          std::find_if(file_columns.begin(), file_columns.end(),
                       [&](const auto& file_column) { return file_column.name == alias; });
      if (found == file_columns.end()) continue;
      column.identifier = duckdb::Value(alias);
      column.children = NameColumns(column.children, found->children, names);
      break;
    }
  }
  return named;
}

}  // namespace playhead::sql
