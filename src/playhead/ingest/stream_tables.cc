#include "playhead/ingest/stream_tables.h"

#include <arrow/type.h>

namespace playhead::ingest {
namespace {

decode::Transform DecodeTransform(project::PartitionTransform transform) {
  switch (transform) {
    case project::PartitionTransform::kIdentity:
      return decode::Transform::kIdentity;
    case project::PartitionTransform::kDay:
      return decode::Transform::kDay;
    case project::PartitionTransform::kHour:
      return decode::Transform::kHour;
  }
  return decode::Transform::kIdentity;
}

table::PartitionTransform TableTransform(project::PartitionTransform transform) {
  switch (transform) {
    case project::PartitionTransform::kIdentity:
      return table::PartitionTransform::kIdentity;
    case project::PartitionTransform::kDay:
      return table::PartitionTransform::kDay;
    case project::PartitionTransform::kHour:
      return table::PartitionTransform::kHour;
  }
  return table::PartitionTransform::kIdentity;
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
  for (const project::PartitionDecl& field : declaration.partition_by) {
    schema.partition_by.push_back({.source_column = field.source_column,
                                   .transform = DecodeTransform(field.transform),
                                   .name = field.name});
  }
  schema.event_time_column = declaration.event_time;
  schema.timezone = declaration.timezone;
  if (declaration.event_time_ahead_us) {
    schema.event_time_ahead_us = *declaration.event_time_ahead_us;
  }
  return schema;
}

}  // namespace

IngestStream MakeIngestStream(const project::Stream& declaration) {
  IngestStream stream;
  stream.name = declaration.name;
  stream.declaration = &declaration;
  auto row_schema = std::make_shared<decode::RowSchema>(MakeRowSchema(declaration));
  stream.main.id = {declaration.table_namespace, declaration.identifier};
  stream.main.schema = decode::BatchSchema(*row_schema);
  for (const project::PartitionDecl& field : declaration.partition_by) {
    stream.main.partition_by.push_back({.source_column = field.source_column,
                                        .transform = TableTransform(field.transform),
                                        .name = field.name});
  }
  stream.main.properties = declaration.table_properties;
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
  for (const decode::KeyValue& value : key) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      values.emplace_back(*text);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      // Days and hours since 1970 are 32 bits wide in Iceberg.
      values.emplace_back(static_cast<int32_t>(*number));
    } else {
      values.emplace_back(std::monostate{});
    }
  }
  return values;
}

}  // namespace playhead::ingest
