#include "playhead/ingest/stream_tables.h"

#include "playhead/iceberg/partition_folders.h"

#include <arrow/type.h>

#include <algorithm>
#include <utility>

namespace playhead::ingest {
namespace {

/// The hour field whose folder gets that of its day before it: a declared day of the same column
/// is no Iceberg field of its own, since a spec may hold one time transform of a column.
const PartitionDecl* HourOf(const PartitionDecl& day, const project::Stream& declaration) {
  if (day.transform != PartitionTransform::kDay) return nullptr;
  const auto hour = std::ranges::find_if(declaration.partition_by, [&](const PartitionDecl& field) {
    return field.transform == PartitionTransform::kHour && field.source_column == day.source_column;
  });
  return hour == declaration.partition_by.end() ? nullptr : &*hour;
}

std::vector<PartitionDecl> IcebergFields(const project::Stream& declaration) {
  std::vector<PartitionDecl> fields;
  for (const PartitionDecl& field : declaration.partition_by) {
    if (HourOf(field, declaration) == nullptr) fields.push_back(field);
  }
  return fields;
}

/// The property `playhead.folders`; empty where the folders are the Iceberg fields.
std::string Folders(const project::Stream& declaration) {
  std::string folders;
  bool has_day_of_hour = false;
  for (const PartitionDecl& field : declaration.partition_by) {
    if (!folders.empty()) folders += ", ";
    const PartitionDecl* hour = HourOf(field, declaration);
    has_day_of_hour |= hour != nullptr;
    folders += hour == nullptr ? field.name : fmt::format("day({}) as {}", hour->name, field.name);
  }
  return has_day_of_hour ? folders : "";
}

decode::RowSchema MakeRowSchema(const project::Stream& declaration) {
  decode::RowSchema schema;
  for (const project::ColumnDecl& column : declaration.columns) {
    schema.columns.push_back({.name = column.name,
                              .type = column.type,
                              .is_required = column.not_null,
                              .accepted_values = column.accepted_values});
  }
  if (declaration.has_ingestion_date) {
    schema.columns.push_back({.name = "ingestion_date",
                              .type = arrow::date32(),
                              .is_required = false,
                              .accepted_values = {}});
    schema.has_ingestion_date = true;
  }
  schema.partition_by = IcebergFields(declaration);
  schema.event_time_column = declaration.event_time;
  schema.timezone = declaration.timezone;
  if (declaration.event_time_ahead_us) {
    schema.event_time_ahead_us = *declaration.event_time_ahead_us;
  }
  return schema;
}

iceberg::PartitionValue IntegerKey(const decode::RowSchema& schema, const PartitionDecl& field,
                                   int64_t value) {
  if (field.transform == PartitionTransform::kIdentity) {
    const auto column =
        std::ranges::find(schema.columns, field.source_column, &decode::Column::name);
    if (column->type->id() == arrow::Type::BOOL) return value != 0;
    if (column->type->id() == arrow::Type::INT64) return value;
  }
  // Days and hours since 1970 are 32 bits wide in Iceberg.
  return static_cast<int32_t>(value);
}

}  // namespace

IngestStream MakeIngestStream(const project::Stream& declaration) {
  IngestStream stream;
  stream.name = declaration.name;
  stream.declaration = &declaration;
  auto row_schema = std::make_shared<decode::RowSchema>(MakeRowSchema(declaration));
  stream.main.id = {declaration.table_namespace, declaration.identifier};
  stream.main.schema = decode::BatchSchema(*row_schema);
  stream.main.partition_by = row_schema->partition_by;
  stream.main.properties = declaration.table_properties;
  if (std::string folders = Folders(declaration); !folders.empty()) {
    stream.main.properties[std::string(iceberg::kFoldersKey)] = std::move(folders);
  }
  stream.dead.id = {declaration.table_namespace, declaration.identifier + "_dead"};
  stream.dead.schema = decode::DeadLetterSchema();
  stream.row_schema = std::move(row_schema);
  return stream;
}

Result<StreamTables> EnsureStreamTables(catalog::Catalog& catalog, storage::ObjectStore& store,
                                        const std::string& warehouse_uri,
                                        const IngestStream& stream, const Clock& clock) {
  PH_ASSIGN_OR_RETURN(auto tables, table::EnsureTables(catalog, store, warehouse_uri,
                                                       {stream.main, stream.dead}, clock));
  return StreamTables{.main = std::move(tables[0]), .dead = std::move(tables[1])};
}

std::vector<iceberg::PartitionValue> TableKey(const decode::RowSchema& schema,
                                              const decode::PartitionKey& key) {
  PH_CHECK(key.size() == schema.partition_by.size());
  std::vector<iceberg::PartitionValue> values;
  values.reserve(key.size());
  for (size_t i = 0; i < key.size(); ++i) {
    if (const auto* text = std::get_if<std::string>(&key[i])) {
      values.emplace_back(*text);
    } else if (const auto* number = std::get_if<int64_t>(&key[i])) {
      values.push_back(IntegerKey(schema, schema.partition_by[i], *number));
    } else {
      values.emplace_back(std::monostate{});
    }
  }
  return values;
}

}  // namespace playhead::ingest
