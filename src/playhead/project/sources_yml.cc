#include "playhead/base/data_type_name.h"
#include "playhead/project/columns.h"
#include "playhead/project/partition_decl.h"
#include "playhead/project/readers.h"
#include "playhead/project/yaml_file.h"

#include <arrow/type.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace playhead::project {
namespace {

constexpr int64_t kMicrosPerDay = 86'400LL * 1'000'000;
constexpr int64_t kAheadDaysMax = 3'660;

bool IsTableName(const std::string& name) {
  static const auto* const kPattern = new std::regex("[a-z][a-z0-9_]*");
  return name.size() <= kMatchedBytesMax && std::regex_match(name, *kPattern);
}

bool IsKnownTimezone(const std::string& name) {
  static constexpr char kZones[] = "/usr/share/zoneinfo/";
  struct stat info;
  if (name == "UTC" || stat(kZones, &info) != 0) return true;
  if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos) return false;
  return stat((kZones + name).c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

template <typename Enum>
void ReadChoice(YamlMap& map, std::string_view key,
                const std::vector<std::pair<std::string, Enum>>& choices, Enum& value) {
  std::vector<std::string> names;
  for (const auto& choice : choices) names.push_back(choice.first);
  const std::string expected = fmt::format("one of {}", fmt::join(names, ", "));
  const std::optional<std::string> text = map.Text(key, expected);
  if (!text) return;
  for (const auto& [name, choice] : choices) {
    if (*text == name) {
      value = choice;
      return;
    }
  }
  map.Report(key, fmt::format("got '{}', expected {}", *text, expected));
}

/// The patterns a landing table has when it declares none: `T.csv` and `T_2024-01-31.csv` in any
/// folder, packed or not.
std::vector<std::string> DefaultPatterns(const std::string& table, Format format) {
  std::vector<std::string> extensions;
  switch (format) {
    case Format::kCsv:
      extensions = {"csv"};
      break;
    case Format::kJson:
      extensions = {"json"};
      break;
    case Format::kJsonl:
      extensions = {"jsonl", "ndjson"};
      break;
    case Format::kParquet:
      extensions = {"parquet"};
      break;
  }
  std::vector<std::string> patterns;
  for (const std::string& extension : extensions) {
    patterns.push_back(fmt::format("**/{}.{}{{,.gz,.zst}}", table, extension));
    patterns.push_back(fmt::format("**/{}_YYYY-MM-DD.{}{{,.gz,.zst}}", table, extension));
  }
  return patterns;
}

void ReadOrigin(YamlMap& meta, Stream& stream) {
  stream.topic = meta.Text("topic", "the name of a topic").value_or("");
  stream.landing = meta.TextList("landing", /*scalar_too=*/true);
  meta.RequiredText("format", "one of json, jsonl, csv, parquet");
  ReadChoice<Format>(meta, "format",
                     {{"json", Format::kJson},
                      {"jsonl", Format::kJsonl},
                      {"csv", Format::kCsv},
                      {"parquet", Format::kParquet}},
                     stream.format);
  ReadChoice<OnChange>(meta, "on_change",
                       {{"append", OnChange::kAppend},
                        {"replace", OnChange::kReplace},
                        {"refuse", OnChange::kRefuse}},
                       stream.on_change);
  const bool has_topic = !stream.topic.empty();
  if (has_topic && meta.Has("landing")) {
    meta.Report("landing", "not together with topic: a table is fed by one of the two");
  }
  if (has_topic && meta.Has("on_change")) {
    meta.Report("on_change", "only for landing files, not together with topic");
  }
  if (has_topic && stream.format != Format::kJson) {
    meta.Report("format", "expected json for a table with a topic");
  }
  for (const std::string& pattern : stream.landing) {
    if (pattern.empty() || pattern.front() == '/') {
      meta.Report("landing", fmt::format("got '{}', expected a pattern relative to the landing "
                                         "folder",
                                         pattern));
    }
  }
  if (!has_topic && !meta.Has("landing")) {
    stream.landing = DefaultPatterns(stream.name, stream.format);
  }
}

void ReadClocks(YamlMap& meta, Stream& stream) {
  if (std::optional<std::string> zone = meta.Text("timezone", "an IANA time zone")) {
    stream.timezone = *zone;
    if (!IsKnownTimezone(*zone)) {
      meta.Report("timezone", fmt::format("got '{}', expected an IANA time zone such as "
                                          "Europe/Berlin",
                                          *zone));
    }
  }
  if (std::optional<std::string> days = meta.Text("event_time_ahead_days", "a number of days")) {
    int64_t value = -1;
    const auto [end, error] = std::from_chars(days->data(), days->data() + days->size(), value);
    if (error != std::errc() || end != days->data() + days->size() || value < 0 ||
        value > kAheadDaysMax) {
      meta.Report("event_time_ahead_days",
                  fmt::format("got '{}', expected 0 … {} days", *days, kAheadDaysMax));
    } else {
      stream.event_time_ahead_us = value * kMicrosPerDay;
    }
  }
}

void ReadPartitions(YamlMap& meta, const std::vector<ColumnDecl>& columns, Stream& stream) {
  for (const YAML::Node& element : meta.List("partition_by")) {
    if (!element.IsScalar()) {
      meta.file().Report(element, meta.path() + ".partition_by: expected a list of texts");
      continue;
    }
    auto field = ParsePartitionField(element.Scalar());
    Status status = field.status();
    if (status.ok()) status = CheckPartitionField(*field, columns);
    if (status.ok()) {
      for (const PartitionDecl& other : stream.partition_by) {
        if (other.name == field->name) {
          status = Error(StatusCode::kInvalidArgument, "the name '{}' is given twice", other.name);
        } else if (other.source_column == field->source_column &&
                   other.transform == field->transform) {
          status = Error(StatusCode::kInvalidArgument,
                         "'{}' and '{}' partition by the same transform of '{}'; leave one out",
                         other.name, field->name, field->source_column);
        }
      }
    }
    if (!status.ok()) {
      meta.file().Report(element, meta.path() + ".partition_by: " + status.message());
      continue;
    }
    stream.partition_by.push_back(*field);
  }
}

void ReadFreshness(YamlMap& config) {
  std::optional<YamlMap> freshness = config.Map("freshness");
  if (!freshness) return;
  for (const char* key : {"warn_after", "error_after"}) {
    std::optional<YamlMap> limit = freshness->Map(key);
    if (!limit) continue;
    const std::string count = limit->RequiredText("count", "a whole number").value_or("1");
    if (count.find_first_not_of("0123456789") != std::string::npos) {
      limit->Report("count", fmt::format("got '{}', expected a whole number", count));
    }
    const std::string period = limit->RequiredText("period", "minute, hour or day").value_or("day");
    if (period != "minute" && period != "hour" && period != "day") {
      limit->Report("period", fmt::format("got '{}', expected minute, hour or day", period));
    }
    limit->RefuseOtherKeys();
  }
}

void ReadProperties(YamlMap& meta, Stream& stream) {
  std::optional<YamlMap> properties = meta.Map("properties");
  if (!properties) return;
  for (const std::string& name : properties->Keys()) {
    if (std::optional<std::string> value = properties->Text(name)) {
      stream.table_properties.emplace(name, *std::move(value));
    }
  }
}

void ReadConfig(YamlMap& config, const std::vector<ColumnDecl>& columns, Stream& stream) {
  stream.event_time = config.Text("event_time", "the name of a column").value_or("");
  if (!stream.event_time.empty()) {
    const auto column = std::find_if(columns.begin(), columns.end(), [&](const ColumnDecl& c) {
      return c.name == stream.event_time;
    });
    const bool is_column = column != columns.end();
    if (!is_column || (column->type != nullptr && DataTypeName(*column->type) != "TIMESTAMPTZ")) {
      config.Report("event_time",
                    fmt::format("got '{}', expected a column of type TIMESTAMPTZ{}",
                                stream.event_time, is_column ? ", not " + column->data_type : ""));
    }
  }
  const std::string loaded_at =
      config.Text("loaded_at_field", "_ingested_at").value_or("_ingested_at");
  if (loaded_at != "_ingested_at") {
    config.Report("loaded_at_field", fmt::format("got '{}', expected _ingested_at", loaded_at));
  }
  ReadFreshness(config);
}

/// Columns a partition field may name: declared, `ingestion_date` of landing tables, source
/// columns.
std::vector<ColumnDecl> WithSourceColumns(std::vector<ColumnDecl> columns, bool has_topic) {
  const bool declares_date = std::any_of(columns.begin(), columns.end(), [](const ColumnDecl& c) {
    return c.name == "ingestion_date";
  });
  if (!has_topic && !declares_date) columns.push_back(MakeColumn("ingestion_date", "DATE"));
  columns.push_back(MakeColumn("_topic", "VARCHAR"));
  columns.push_back(MakeColumn("_topic_partition", "INTEGER"));
  columns.push_back(MakeColumn("_offset", "BIGINT"));
  columns.push_back(MakeColumn("_ingested_at", "TIMESTAMPTZ"));
  columns.push_back(MakeColumn("_extra", "VARCHAR"));
  return columns;
}

/// Takes the virtual column `ingestion_date` of a landing table out of the declared ones.
void SettleIngestionDate(YamlMap& table, Stream& stream) {
  if (!stream.topic.empty()) return;
  stream.has_ingestion_date = std::any_of(
      stream.partition_by.begin(), stream.partition_by.end(),
      [](const PartitionDecl& field) { return field.source_column == "ingestion_date"; });
  if (!stream.has_ingestion_date) return;
  auto column = std::find_if(stream.columns.begin(), stream.columns.end(),
                             [](const ColumnDecl& c) { return c.name == "ingestion_date"; });
  if (column == stream.columns.end()) return;
  if (column->type != nullptr && column->type->id() != arrow::Type::DATE32) {
    table.file().Report(column->place, table.path() +
                                           ".columns.ingestion_date: expected "
                                           "data_type DATE, since it is the file's date");
  }
  stream.columns.erase(column);
}

void RefuseMisplacedKeys(YamlMap& table) {
  for (const char* key : {"event_time", "loaded_at_field", "freshness", "meta"}) {
    if (!table.Has(key)) continue;
    if (std::string_view(key) == "meta" && !HasPlayheadMeta(table)) continue;
    table.Report(key, fmt::format("dbt 1.11 wants it in config.{}; move it there", key));
  }
}

std::optional<Stream> ReadTable(YamlMap& table, const std::string& source_name,
                                const std::string& schema) {
  Stream stream;
  stream.source_name = source_name;
  stream.table_namespace = schema;
  stream.place = table.PlaceOfKey("name");
  stream.name = table.RequiredText("name", "the table's name").value_or("");
  stream.identifier =
      table.Text("identifier", "the table's name in the lake").value_or(stream.name);
  stream.description = table.Text("description").value_or("");
  RefuseMisplacedKeys(table);
  std::optional<YamlMap> config = table.Map("config");
  std::optional<YamlMap> all_meta = config ? config->Map("meta") : std::nullopt;
  std::optional<YamlMap> meta = all_meta ? all_meta->Map("playhead") : std::nullopt;
  // A source that playhead does not feed is dbt's alone.
  if (!meta) return std::nullopt;

  for (const auto& [key, name] :
       {std::pair{"name", stream.name}, std::pair{"identifier", stream.identifier}}) {
    if (!name.empty() && !IsTableName(name)) {
      table.Report(key, fmt::format("got '{}', expected lower-case letters, digits and _", name));
    }
  }
  ReadOrigin(*meta, stream);
  stream.columns = ReadColumns(table);
  const std::vector<ColumnDecl> columns = WithSourceColumns(stream.columns, !stream.topic.empty());
  ReadConfig(*config, columns, stream);
  ReadClocks(*meta, stream);
  ReadPartitions(*meta, columns, stream);
  ReadProperties(*meta, stream);
  meta->RefuseOtherKeys();
  SettleIngestionDate(table, stream);
  return stream;
}

/// Streams are named by their table on the command line, and every table has a table of dead
/// letters.
void AddStream(YamlMap& table, Stream stream, Project& project) {
  for (const Stream& other : project.streams) {
    const std::string there = fmt::format("{}:{}", other.place.file, other.place.line);
    if (other.name == stream.name) {
      table.Report("name", fmt::format("'{}' is declared twice, first at {}", stream.name, there));
    } else if (other.table_namespace == stream.table_namespace &&
               (other.identifier == stream.identifier ||
                other.identifier + "_dead" == stream.identifier ||
                stream.identifier + "_dead" == other.identifier)) {
      table.Report("name", fmt::format("'{}.{}' or its dead letters are taken by the table at {}",
                                       stream.table_namespace, stream.identifier, there));
    }
  }
  project.streams.push_back(std::move(stream));
}

void ReadSource(YamlFile& file, const YAML::Node& node, const std::string& path, Project& project) {
  YamlMap source(file, node, path);
  const std::string name = source.RequiredText("name", "the source's name").value_or("");
  const std::string schema = source.Text("schema", "the namespace of the tables").value_or(name);
  int index = 0;
  for (const YAML::Node& element : source.List("tables")) {
    YamlMap table(file, element, ElementPath(path + ".tables", index++, element));
    std::optional<Stream> stream = ReadTable(table, name, schema);
    if (!stream) continue;
    if (!IsTableName(schema)) {
      source.Report(source.Has("schema") ? "schema" : "name",
                    fmt::format("got '{}', expected lower-case letters, digits and _", schema));
    }
    AddStream(table, *std::move(stream), project);
  }
}

}  // namespace

void ReadSourcesYml(const std::string& path, Project& project, std::vector<Problem>& problems) {
  YamlFile file(project.folder, path, problems);
  YamlMap root(file, file.root(), "");
  int index = 0;
  for (const YAML::Node& source : root.List("sources")) {
    ReadSource(file, source, ElementPath("sources", index++, source), project);
  }
}

}  // namespace playhead::project
