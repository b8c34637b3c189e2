#include "playhead/cli/table_facts.h"

#include "playhead/base/data_type_name.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/iceberg/partition_folders.h"

#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <map>
#include <string>
#include <utility>
#include <variant>

namespace playhead::cli {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kMicrosPerMilli = 1'000;

std::string TransformName(const iceberg::PartitionField& field) {
  switch (field.transform) {
    case iceberg::Transform::kIdentity:
      return "identity";
    case iceberg::Transform::kYear:
      return "year";
    case iceberg::Transform::kMonth:
      return "month";
    case iceberg::Transform::kDay:
      return "day";
    case iceberg::Transform::kHour:
      return "hour";
    case iceberg::Transform::kBucket:
      return fmt::format("bucket[{}]", field.width);
    case iceberg::Transform::kTruncate:
      return fmt::format("truncate[{}]", field.width);
    case iceberg::Transform::kVoid:
      return "void";
  }
  return "";
}

const iceberg::PartitionSpec* FindSpec(const iceberg::TableMetadata& metadata, int32_t spec_id) {
  for (const iceberg::PartitionSpec& spec : metadata.specs) {
    if (spec.spec_id == spec_id) return &spec;
  }
  return nullptr;
}

/// A number of a snapshot summary, null when the writer left it out.
Cell SummaryNumber(const iceberg::Snapshot& snapshot, const std::string& key) {
  const auto entry = snapshot.summary.find(key);
  if (entry == snapshot.summary.end()) return {};
  return static_cast<int64_t>(std::strtoll(entry->second.c_str(), nullptr, 10));
}

}  // namespace

Table TableFacts::Schema() const {
  Table table{.columns = {"field_id", "column", "type", "required", "doc"}, .rows = {}};
  const iceberg::Schema& schema = state.metadata->CurrentSchema();
  const auto arrow_schema = iceberg::ArrowFromSchema(schema);
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    const iceberg::NestedField& field = schema.fields[i];
    table.rows.push_back({int64_t{field.id}, field.name,
                          DataTypeName(*arrow_schema->field(static_cast<int>(i))->type()),
                          field.is_required, field.doc});
  }
  return table;
}

Table TableFacts::Spec() const {
  Table table{.columns = {"field", "transform", "column"}, .rows = {}};
  for (const iceberg::PartitionField& field : state.metadata->DefaultSpec().fields) {
    const iceberg::NestedField* source = state.metadata->CurrentSchema().FindById(field.source_id);
    table.rows.push_back(
        {field.name, TransformName(field), source == nullptr ? Cell() : Cell(source->name)});
  }
  return table;
}

Table TableFacts::Snapshots() const {
  Table table{.columns = {"snapshot", "committed", "operation", "added_rows", "added_files",
                          "total_rows", "total_files"},
              .rows = {}};
  for (const iceberg::Snapshot& snapshot : state.metadata->snapshots) {
    const auto operation = snapshot.summary.find("operation");
    table.rows.push_back(
        {snapshot.snapshot_id, IsoMicros(snapshot.timestamp_ms * kMicrosPerMilli),
         operation == snapshot.summary.end() ? Cell() : Cell(operation->second),
         SummaryNumber(snapshot, "added-records"), SummaryNumber(snapshot, "added-data-files"),
         SummaryNumber(snapshot, "total-records"), SummaryNumber(snapshot, "total-data-files")});
  }
  return table;
}

Table TableFacts::Partitions() const {
  struct Sum {
    int64_t rows = 0, files = 0, bytes = 0;
  };
  std::map<std::string, Sum> sums;
  for (const catalog::LiveFile& file : files) {
    Sum& sum = sums[PartitionPath(*state.metadata, file)];
    sum.rows += file.file.record_count;
    sum.files += 1;
    sum.bytes += file.file.file_bytes;
  }
  Table table{.columns = {"partition", "rows", "files", "bytes"}, .rows = {}};
  for (const auto& [partition, sum] : sums) {
    table.rows.push_back({partition, sum.rows, sum.files, sum.bytes});
  }
  return table;
}

Table TableFacts::Files() const {
  Table table{.columns = {"file", "partition", "rows", "bytes", "snapshot"}, .rows = {}};
  const std::string prefix = state.metadata->location + "/";
  for (const catalog::LiveFile& file : files) {
    const std::string& path = file.file.path;
    table.rows.push_back({path.starts_with(prefix) ? path.substr(prefix.size()) : path,
                          PartitionPath(*state.metadata, file), file.file.record_count,
                          file.file.file_bytes, file.snapshot_id});
  }
  return table;
}

std::string PartitionPath(const iceberg::TableMetadata& metadata, const catalog::LiveFile& file) {
  const iceberg::PartitionSpec* spec = FindSpec(metadata, file.spec_id);
  if (spec == nullptr) return "";
  std::string path = iceberg::PartitionFolders(metadata, *spec).Of(file.file.partition);
  if (!path.empty()) path.pop_back();  // the slash
  return path;
}

std::optional<int64_t> NewestMicros(const iceberg::TableMetadata& metadata,
                                    const std::vector<catalog::LiveFile>& files,
                                    const std::string& column) {
  const iceberg::NestedField* field = metadata.CurrentSchema().FindByName(column);
  if (field == nullptr) return std::nullopt;
  std::optional<int64_t> newest;
  for (const catalog::LiveFile& file : files) {
    const auto bound = file.file.upper_bounds.find(field->id);
    if (bound == file.file.upper_bounds.end() || bound->second.size() != sizeof(int64_t)) {
      // A file of nulls has no bound and no newest event either.
      const auto nulls = file.file.null_value_counts.find(field->id);
      if (nulls != file.file.null_value_counts.end() && nulls->second == file.file.record_count) {
        continue;
      }
      return std::nullopt;
    }
    int64_t micros = 0;
    std::memcpy(&micros, bound->second.data(), sizeof(micros));
    newest = std::max(newest.value_or(micros), micros);
  }
  return newest;
}

std::string IsoMicros(int64_t micros) {
  int64_t fraction = micros % kMicrosPerSecond;
  if (fraction < 0) fraction += kMicrosPerSecond;
  const time_t seconds = (micros - fraction) / kMicrosPerSecond;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
  if (fraction != 0) {
    text += fmt::format(".{:06}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

}  // namespace playhead::cli
