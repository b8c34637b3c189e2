#include "playhead/project/columns.h"

#include "playhead/base/text_case.h"

#include <arrow/type.h>

#include <map>
#include <optional>
#include <regex>
#include <set>
#include <utility>

namespace playhead::project {
namespace {

/// A test that only warns, or is switched off, stays dbt's and makes no dead letters.
bool IsEnforced(YamlMap& test) {
  std::optional<YamlMap> config = test.Map("config");
  YamlMap& holder = config ? *config : test;
  const std::string severity = LowerCase(holder.Text("severity").value_or("error"));
  const std::string enabled = LowerCase(holder.Text("enabled").value_or("true"));
  return severity == "error" && enabled == "true" && !holder.Has("where");
}

std::vector<std::string> AcceptedValues(YamlMap& test) {
  std::optional<YamlMap> arguments = test.Map("arguments");
  YamlMap& holder = arguments ? *arguments : test;
  std::vector<std::string> values = holder.TextList("values");
  if (values.empty()) holder.Report("values", "missing; expected a list of the accepted values");
  return values;
}

void ReadTests(YamlMap& column_map, ColumnDecl& column) {
  for (const char* key : {"data_tests", "tests"}) {
    for (const YAML::Node& element : column_map.List(key)) {
      if (element.IsScalar()) {
        if (element.Scalar() == "not_null") column.not_null = true;
        continue;
      }
      YamlMap named(column_map.file(), element, column_map.path() + "." + key);
      if (named.Has("not_null")) {
        std::optional<YamlMap> test = named.Map("not_null");
        if (!test || IsEnforced(*test)) column.not_null = true;
      }
      if (named.Has("accepted_values")) {
        std::optional<YamlMap> test = named.Map("accepted_values");
        if (!test) {
          named.Report("accepted_values", "expected a list of values");
          continue;
        }
        std::vector<std::string> values = AcceptedValues(*test);
        if (IsEnforced(*test)) column.accepted_values = std::move(values);
      }
    }
  }
}

void ReadType(YamlMap& column_map, ColumnDecl& column) {
  const std::optional<std::string> type =
      column_map.RequiredText("data_type", "a SQL type such as VARCHAR");
  if (!type) return;
  column.data_type = *type;
  auto parsed = ParseDataType(*type);
  if (parsed.ok()) {
    column.type = *std::move(parsed);
  } else {
    column_map.Report("data_type",
                      fmt::format("column {}: {}; expected one of BOOLEAN, INTEGER, "
                                  "BIGINT, FLOAT, DOUBLE, DECIMAL(p,s), VARCHAR, DATE, "
                                  "TIMESTAMP, TIMESTAMPTZ, BLOB, T[], STRUCT(name T, "
                                  "…), MAP(VARCHAR, T)",
                                  column.name, parsed.error().message()));
  }
}

/// Names of Iceberg's metadata columns, those of its delete files included (spec, "Reserved Field
/// IDs"; Java's MetadataColumns). Spark reads no table that has one of the former.
bool IsReservedByIceberg(const std::string& name) {
  static const auto* const kReserved =
      new std::set<std::string, std::less<>>{"_file",
                                             "_pos",
                                             "_deleted",
                                             "_spec_id",
                                             "_partition",
                                             "_row_id",
                                             "_last_updated_sequence_number",
                                             "_change_type",
                                             "_change_ordinal",
                                             "_commit_snapshot_id",
                                             "file_path",
                                             "pos",
                                             "row"};
  return kReserved->contains(LowerCase(name));
}

void CheckName(YamlMap& column_map, const std::string& name) {
  static const auto* const kPattern = new std::regex("[A-Za-z_][A-Za-z0-9_]*");
  if (name.size() > kMatchedBytesMax || !std::regex_match(name, *kPattern)) {
    column_map.Report("name", fmt::format("got '{}', expected letters, digits and _", name));
  } else if (IsReservedByIceberg(name)) {
    column_map.Report("name", fmt::format("'{}': Iceberg reserves this name for metadata columns; "
                                          "choose another or leave it to _extra",
                                          name));
  } else if (name.front() == '_') {
    column_map.Report("name", fmt::format("'{}': names that begin with _ are playhead's own source "
                                          "columns; choose another or leave it to _extra",
                                          name));
  }
}

}  // namespace

ColumnDecl MakeColumn(const std::string& name, const std::string& data_type) {
  ColumnDecl column;
  column.name = name;
  column.data_type = data_type;
  auto type = ParseDataType(data_type);
  PH_CHECK(type.ok());
  column.type = *std::move(type);
  return column;
}

std::vector<ColumnDecl> ReadColumns(YamlMap& table) {
  std::vector<ColumnDecl> columns;
  std::map<std::string, Place> seen;
  int index = 0;
  for (const YAML::Node& element : table.List("columns")) {
    YamlMap column_map(table.file(), element,
                       ElementPath(table.path() + ".columns", index++, element));
    ColumnDecl column;
    const std::optional<std::string> name = column_map.RequiredText("name", "the column's name");
    if (!name) continue;
    column.name = *name;
    column.place = column_map.PlaceOfKey("name");
    column.description = column_map.Text("description").value_or("");
    CheckName(column_map, column.name);
    if (auto [first, is_new] = seen.emplace(LowerCase(column.name), column.place); !is_new) {
      column_map.Report("name", fmt::format("column '{}' is declared twice, first in line {}",
                                            column.name, first->second.line));
      continue;
    }
    ReadType(column_map, column);
    ReadTests(column_map, column);
    columns.push_back(std::move(column));
  }
  if (columns.empty()) table.Report("columns", "missing; expected at least one column");
  return columns;
}

}  // namespace playhead::project
