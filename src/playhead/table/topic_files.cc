#include "playhead/table/topic_files.h"

#include "playhead/base/arrow_status.h"
#include "playhead/catalog/scan.h"
#include "playhead/columnar/column_writers.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/table/data_file_writer.h"
#include "playhead/table/parquet_properties.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>
#include <arrow/io/interfaces.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace playhead::table {
namespace {

using Topics = std::vector<std::string>;

bool IsAmong(std::string_view value, const Topics& topics) {
  return std::ranges::find(topics, value) != topics.end();
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenReader(storage::ObjectStore& store,
                                                               const std::string& path) {
  PH_ASSIGN_OR_RETURN(auto input, store.OpenForRead(path));
  PH_ASSIGN_OR_RETURN(auto reader, parquet::arrow::OpenFile(input, arrow::default_memory_pool()));
  return reader;
}

// Position of the Parquet column with that field id, -1 without.
int ColumnWithId(const arrow::Schema& schema, int32_t field_id) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    const auto& metadata = schema.field(i)->metadata();
    if (metadata == nullptr) continue;
    if (metadata->Get("PARQUET:field_id").ValueOr("") == std::to_string(field_id)) return i;
  }
  return -1;
}

Result<int> TopicColumn(const arrow::Schema& schema, int32_t topic_id, const std::string& path) {
  const int column = ColumnWithId(schema, topic_id);
  if (column >= 0 && schema.field(column)->type()->id() == arrow::Type::STRING) return column;
  return Error(StatusCode::kDataCorrupt, "a data file has no _topic column: path={}", path);
}

// For each row whether it stays, i.e. is of another topic.
Result<std::shared_ptr<arrow::Array>> KeptRows(const arrow::Array& topic_column,
                                               const Topics& topics) {
  const auto& values = static_cast<const arrow::StringArray&>(topic_column);
  const std::unordered_set<std::string_view> dropped(topics.begin(), topics.end());
  arrow::BooleanBuilder kept;
  PH_RETURN_IF_ERROR(kept.Reserve(values.length()));
  for (int64_t i = 0; i < values.length(); ++i) {
    kept.UnsafeAppend(values.IsNull(i) || !dropped.contains(values.GetView(i)));
  }
  PH_ASSIGN_OR_RETURN(auto mask, kept.Finish());
  return mask;
}

// How many rows the file has of each topic.
Result<std::map<std::string, int64_t, std::less<>>> CountTopics(storage::ObjectStore& store,
                                                                const std::string& path,
                                                                int32_t topic_id) {
  PH_ASSIGN_OR_RETURN(auto reader, OpenReader(store, path));
  std::shared_ptr<arrow::Schema> schema;
  PH_RETURN_IF_ERROR(reader->GetSchema(&schema));
  PH_ASSIGN_OR_RETURN(const int column, TopicColumn(*schema, topic_id, path));
  std::shared_ptr<arrow::ChunkedArray> chunks;
  PH_RETURN_IF_ERROR(reader->ReadColumn(column, &chunks));
  std::map<std::string, int64_t, std::less<>> rows;
  for (const auto& chunk : chunks->chunks()) {
    const auto& values = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) {
      if (values.IsNull(i)) continue;
      auto topic = rows.find(values.GetView(i));
      if (topic == rows.end()) topic = rows.emplace(values.GetString(i), 0).first;
      ++topic->second;
    }
  }
  return rows;
}

enum class Verdict { kNone, kWhole, kUnknown };

Verdict JudgeByBounds(const iceberg::DataFile& file, int32_t topic_id, const Topics& topics) {
  const auto lower = file.lower_bounds.find(topic_id);
  const auto upper = file.upper_bounds.find(topic_id);
  const auto may_hold = [&](const std::string& topic) {
    return (lower == file.lower_bounds.end() || topic >= lower->second) &&
           (upper == file.upper_bounds.end() || topic <= upper->second);
  };
  if (std::ranges::none_of(topics, may_hold)) return Verdict::kNone;
  const auto nulls = file.null_value_counts.find(topic_id);
  const bool is_one_topic = lower != file.lower_bounds.end() && upper != file.upper_bounds.end() &&
                            lower->second == upper->second && IsAmong(lower->second, topics) &&
                            nulls != file.null_value_counts.end() && nulls->second == 0;
  return is_one_topic ? Verdict::kWhole : Verdict::kUnknown;
}

Result<const iceberg::NestedField*> TopicField(const iceberg::TableMetadata& metadata) {
  const iceberg::NestedField* field = metadata.CurrentSchema().FindByName("_topic");
  if (field != nullptr) return field;
  return Error(StatusCode::kInvalidArgument, "the table has no _topic column: location={}",
               metadata.location);
}

// The batch in today's column types, as far as a promotion is needed.
Result<std::shared_ptr<arrow::RecordBatch>> Promote(const arrow::RecordBatch& rows,
                                                    const std::shared_ptr<arrow::Schema>& schema) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (int i = 0; i < rows.num_columns(); ++i) {
    if (rows.column(i)->type()->Equals(*schema->field(i)->type())) {
      columns.push_back(rows.column(i));
      continue;
    }
    PH_ASSIGN_OR_RETURN(auto promoted,
                        arrow::compute::Cast(*rows.column(i), schema->field(i)->type()));
    columns.push_back(std::move(promoted));
  }
  return arrow::RecordBatch::Make(schema, rows.num_rows(), std::move(columns));
}

// The file's columns, in the file's order, as the table's schema knows them today.
Result<std::shared_ptr<arrow::Schema>> TodaysSchema(const arrow::Schema& in_file,
                                                    const iceberg::Schema& schema,
                                                    const std::string& path) {
  const auto today = iceberg::ArrowFromSchema(schema);
  std::vector<std::shared_ptr<arrow::Field>> fields(static_cast<size_t>(in_file.num_fields()));
  for (const auto& field : today->fields()) {
    const iceberg::NestedField* column = schema.FindByName(field->name());
    const int index = ColumnWithId(in_file, column->id);
    if (index >= 0) fields[static_cast<size_t>(index)] = field;
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] != nullptr) continue;
    return Error(StatusCode::kNotSupported,
                 "a data file with rows to replace has a column the table does not: path={} "
                 "column={}",
                 path, in_file.field(static_cast<int>(i))->name());
  }
  return arrow::schema(std::move(fields));
}

}  // namespace

Result<bool> MayHoldTopics(const iceberg::TableMetadata& metadata, const iceberg::DataFile& file,
                           const Topics& topics) {
  PH_ASSIGN_OR_RETURN(const iceberg::NestedField* field, TopicField(metadata));
  return JudgeByBounds(file, field->id, topics) != Verdict::kNone;
}

Result<TopicFiles> FindTopicFiles(storage::ObjectStore& store,
                                  const iceberg::TableMetadata& metadata, const Topics& topics) {
  TopicFiles found;
  PH_ASSIGN_OR_RETURN(const iceberg::NestedField* field, TopicField(metadata));
  PH_ASSIGN_OR_RETURN(auto live, catalog::LiveFiles(store, metadata));
  for (catalog::LiveFile& candidate : live) {
    const iceberg::DataFile& file = candidate.file;
    const Verdict verdict = JudgeByBounds(file, field->id, topics);
    if (verdict == Verdict::kNone) continue;
    int64_t rows = file.record_count;
    if (verdict == Verdict::kUnknown) {
      PH_ASSIGN_OR_RETURN(const auto counts, CountTopics(store, file.path, field->id));
      rows = 0;
      for (const auto& [topic, count] : counts) rows += IsAmong(topic, topics) ? count : 0;
    }
    if (rows == file.record_count) {
      found.whole.insert(file.path);
    } else if (rows > 0) {
      found.mixed.push_back(std::move(candidate));
    }
  }
  return found;
}

Result<std::set<std::string>> TopicsOfFile(storage::ObjectStore& store,
                                           const iceberg::TableMetadata& metadata,
                                           const iceberg::DataFile& file) {
  PH_ASSIGN_OR_RETURN(const iceberg::NestedField* field, TopicField(metadata));
  const auto lower = file.lower_bounds.find(field->id);
  const auto upper = file.upper_bounds.find(field->id);
  // An upper bound that was cut is larger than every value, so equal ones are the value.
  if (lower != file.lower_bounds.end() && upper != file.upper_bounds.end() &&
      lower->second == upper->second) {
    return std::set{lower->second};
  }
  PH_ASSIGN_OR_RETURN(const auto counts, CountTopics(store, file.path, field->id));
  std::set<std::string> topics;
  for (const auto& [topic, count] : counts) topics.insert(topic);
  return topics;
}

Result<StagedFile> RewriteWithoutTopics(storage::ObjectStore& store,
                                        const iceberg::TableMetadata& metadata,
                                        const catalog::LiveFile& live, const Topics& topics,
                                        const std::string& staged_uri, const std::string& name) {
  const iceberg::DataFile& file = live.file;
  const iceberg::Schema& schema = metadata.CurrentSchema();
  PH_ASSIGN_OR_RETURN(const iceberg::NestedField* field, TopicField(metadata));
  PH_ASSIGN_OR_RETURN(auto reader, OpenReader(store, file.path));
  std::shared_ptr<arrow::Schema> in_file;
  PH_RETURN_IF_ERROR(reader->GetSchema(&in_file));
  PH_ASSIGN_OR_RETURN(const int topic_column, TopicColumn(*in_file, field->id, file.path));
  PH_ASSIGN_OR_RETURN(const auto today, TodaysSchema(*in_file, schema, file.path));
  PH_ASSIGN_OR_RETURN(const auto compression, TableCompression(metadata));
  PH_ASSIGN_OR_RETURN(auto batches, reader->GetRecordBatchReader());

  columnar::ColumnWriters columns;
  std::unique_ptr<DataFileWriter> writer;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    PH_RETURN_IF_ERROR(batches->ReadNext(&batch));
    if (batch == nullptr) break;
    PH_ASSIGN_OR_RETURN(const auto kept, KeptRows(*batch->column(topic_column), topics));
    PH_ASSIGN_OR_RETURN(const arrow::Datum filtered, arrow::compute::Filter(batch, kept));
    if (filtered.record_batch()->num_rows() == 0) continue;
    PH_ASSIGN_OR_RETURN(const auto rows, Promote(*filtered.record_batch(), today));
    if (writer == nullptr) {
      writer = std::make_unique<DataFileWriter>(
          store, staged_uri, today, DataFileOptions{.compression = compression}, columns);
    }
    PH_RETURN_IF_ERROR(writer->Write(*rows));
  }
  PH_CHECK(writer != nullptr);  // a mixed file keeps rows
  StagedFile staged{.file = {}, .staged_uri = staged_uri};
  staged.file.path = file.path.substr(0, file.path.rfind('/') + 1) + name;
  staged.file.spec_id = file.spec_id;
  staged.file.partition = file.partition;
  PH_ASSIGN_OR_RETURN(auto output, writer->Finish(schema, staged.file));
  PH_RETURN_IF_ERROR(output->Close());
  return staged;
}

}  // namespace playhead::table
