#include "playhead/table/parquet_properties.h"

#include "playhead/base/arrow_status.h"

#include <arrow/api.h>
#include <parquet/arrow/schema.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

namespace playhead::table {
namespace {

constexpr int64_t kSampleValues = 2048;
// A dictionary is worth its hashing while at most this share of the values is distinct: measured
// with UUIDs (8 bytes a value instead of 12, in the same time) and positions in seconds (3.1
// instead of 2.6, in twice the time).
constexpr double kTextShareMax = 0.7;
constexpr double kNumberShareMax = 0.05;
// The writer gives a dictionary up when it has grown to this size; so do we beforehand.
constexpr int64_t kDictionaryBytesMax = 4 << 20;
// zstd 1 writes 1.4 M content events a second in 58 bytes each, zstd 3 1.0 M in 56.
constexpr int kZstdLevel = 1;

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;

// Leaves in the order of Parquet's columns.
void CollectLeaves(const std::shared_ptr<arrow::Array>& array, Arrays& leaves) {
  switch (array->type_id()) {
    case arrow::Type::LIST:
      CollectLeaves(static_cast<const arrow::ListArray&>(*array).values(), leaves);
      return;
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(*array);
      CollectLeaves(map.keys(), leaves);
      CollectLeaves(map.items(), leaves);
      return;
    }
    case arrow::Type::STRUCT:
      for (const auto& field : static_cast<const arrow::StructArray&>(*array).fields()) {
        CollectLeaves(field, leaves);
      }
      return;
    default:
      leaves.push_back(array);
  }
}

struct Sample {
  std::unordered_set<std::string_view> distinct;
  int64_t values = 0;
  int64_t bytes = 0;

  void Add(std::string_view value) {
    ++values;
    bytes += static_cast<int64_t>(value.size());
    distinct.insert(value);
  }
};

// Every `step`-th value: neighbours are more alike than the rest (a session's events).
void AddBinary(const arrow::BinaryArray& array, int64_t step, Sample& sample) {
  for (int64_t i = 0; i < array.length(); i += step) {
    if (array.IsValid(i)) sample.Add(array.GetView(i));
  }
}

void AddFixed(const arrow::Array& array, int width, int64_t step, Sample& sample) {
  const auto* bytes =
      reinterpret_cast<const char*>(array.data()->buffers[1]->data()) + array.offset() * width;
  for (int64_t i = 0; i < array.length(); i += step) {
    if (array.IsValid(i)) sample.Add({bytes + i * width, static_cast<size_t>(width)});
  }
}

// How many distinct values a column has if `seen` of `drawn` values drawn from it at random differ:
// solves seen = d · (1 − e^(−drawn/d)) for d.
double EstimateDistinct(double seen, double drawn) {
  if (seen >= drawn) return drawn * drawn;
  double low = seen;
  double high = drawn * drawn;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (middle * (1 - std::exp(-drawn / middle)) < seen ? low : high) = middle;
  }
  return low;
}

bool DictionaryPays(const Sample& sample, double share_max, int64_t rows_expected) {
  if (sample.values == 0) return true;
  const auto drawn = static_cast<double>(sample.values);
  const auto seen = static_cast<double>(sample.distinct.size());
  const double rows = std::max(static_cast<double>(rows_expected), drawn);
  // A small file is its own sample.
  const double distinct = rows > drawn ? std::min(EstimateDistinct(seen, drawn), rows) : seen;
  const double value_bytes = static_cast<double>(sample.bytes) / drawn + sizeof(int32_t);
  return distinct <= share_max * rows &&
         distinct * value_bytes <= static_cast<double>(kDictionaryBytesMax);
}

ColumnEncoding ChooseEncoding(const Arrays& chunks, int64_t rows_expected) {
  const arrow::DataType& type = *chunks.front()->type();
  ColumnEncoding otherwise = ColumnEncoding::kPlain;
  switch (type.id()) {
    case arrow::Type::STRING:
      otherwise = ColumnEncoding::kDeltaLength;
      break;
    case arrow::Type::BINARY:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      break;
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      otherwise = ColumnEncoding::kDeltaBinary;
      break;
    default:
      return ColumnEncoding::kDictionary;
  }
  Sample sample;
  sample.distinct.reserve(kSampleValues);
  int64_t length = 0;
  for (const auto& chunk : chunks) length += chunk->length();
  const int64_t step = std::max<int64_t>(length / kSampleValues, 1);
  const bool is_text = arrow::is_base_binary_like(type.id());
  for (const auto& chunk : chunks) {
    if (is_text) {
      AddBinary(static_cast<const arrow::BinaryArray&>(*chunk), step, sample);
    } else {
      AddFixed(*chunk, type.byte_width(), step, sample);
    }
  }
  const double share_max = is_text ? kTextShareMax : kNumberShareMax;
  return DictionaryPays(sample, share_max, rows_expected) ? ColumnEncoding::kDictionary : otherwise;
}

parquet::Encoding::type ParquetEncoding(ColumnEncoding encoding) {
  switch (encoding) {
    case ColumnEncoding::kDeltaBinary:
      return parquet::Encoding::DELTA_BINARY_PACKED;
    case ColumnEncoding::kDeltaLength:
      return parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
    case ColumnEncoding::kDictionary:
    case ColumnEncoding::kPlain:
      break;
  }
  return parquet::Encoding::PLAIN;
}

}  // namespace

std::vector<ColumnEncoding> ChooseEncodings(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& sample, int64_t rows_expected) {
  std::vector<Arrays> columns;
  for (const auto& batch : sample) {
    Arrays leaves;
    for (const auto& column : batch->columns()) CollectLeaves(column, leaves);
    columns.resize(leaves.size());
    for (size_t i = 0; i < leaves.size(); ++i) columns[i].push_back(std::move(leaves[i]));
  }
  std::vector<ColumnEncoding> encodings;
  for (const Arrays& chunks : columns) encodings.push_back(ChooseEncoding(chunks, rows_expected));
  return encodings;
}

Result<parquet::Compression::type> TableCompression(const iceberg::TableMetadata& table) {
  const auto property = table.properties.find("write.parquet.compression-codec");
  const std::string name = property == table.properties.end() ? "zstd" : property->second;
  if (name == "zstd") return parquet::Compression::ZSTD;
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "none" || name == "uncompressed") return parquet::Compression::UNCOMPRESSED;
  return Error(StatusCode::kInvalidArgument,
               "write.parquet.compression-codec must be zstd, snappy or none: table={} value={}",
               table.location, name);
}

Result<std::shared_ptr<parquet::WriterProperties>> MakeWriterProperties(
    const arrow::Schema& schema, const std::vector<ColumnEncoding>& encodings,
    parquet::Compression::type compression, int64_t row_group_rows) {
  parquet::WriterProperties::Builder builder;
  builder.compression(compression);
  if (compression == parquet::Compression::ZSTD) builder.compression_level(kZstdLevel);
  builder.max_row_group_length(row_group_rows);
  builder.dictionary_pagesize_limit(kDictionaryBytesMax);
  // Iceberg wants decimals of up to 18 digits as integers.
  builder.enable_store_decimal_as_integer();

  std::shared_ptr<parquet::SchemaDescriptor> columns;
  PH_RETURN_IF_ERROR(parquet::arrow::ToParquetSchema(&schema, *builder.build(), &columns));
  PH_CHECK(columns->num_columns() == static_cast<int>(encodings.size()));
  for (int i = 0; i < columns->num_columns(); ++i) {
    const auto path = columns->Column(i)->path();
    const ColumnEncoding encoding = encodings[static_cast<size_t>(i)];
    if (encoding == ColumnEncoding::kDictionary) {
      builder.enable_dictionary(path);
    } else {
      builder.disable_dictionary(path);
      builder.encoding(path, ParquetEncoding(encoding));
    }
  }
  return builder.build();
}

}  // namespace playhead::table
