#include "playhead/table/parquet_properties.h"

#include "playhead/base/arrow_status.h"
#include "playhead/columnar/number_dictionary.h"
#include "playhead/columnar/page_compression.h"
#include "playhead/decode/text_dictionary.h"

#include <arrow/api.h>
#include <arrow/util/byte_size.h>
#include <parquet/arrow/schema.h>
#include <parquet/schema.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace playhead::table {
namespace {

constexpr int64_t kSampleValues = 2048;
// A dictionary is worth its hashing while at most this share of the values is distinct: measured
// with UUIDs (8 bytes a value instead of 12, in the same time) and positions in seconds (3.1
// instead of 2.6, in twice the time).
constexpr double kTextShareMax = 0.7;
constexpr double kNumberShareMax = 0.05;
// Values are handed to a column's encoder in batches of this many, and pages end between batches.
// Each batch of a dictionary column costs a search for its distinct values (for the statistics), so
// the fewer the better; but a page of plain values should not pass kPageBytes by much.
constexpr int64_t kBatchValuesMax = 131'072;
constexpr int64_t kBatchValuesMin = 1024;
constexpr int64_t kPageBytes = 4 << 20;

using Arrays = std::vector<std::shared_ptr<arrow::Array>>;
using Chunks = std::vector<std::shared_ptr<arrow::ChunkedArray>>;

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

// The chunks of each Parquet column.
std::vector<Arrays> ChunksOfLeaves(const Chunks& columns) {
  std::vector<Arrays> all;
  for (const auto& column : columns) {
    const size_t first = all.size();
    for (const auto& chunk : column->chunks()) {
      Arrays leaves;
      CollectLeaves(chunk, leaves);
      all.resize(first + leaves.size());
      for (size_t i = 0; i < leaves.size(); ++i) all[first + i].push_back(std::move(leaves[i]));
    }
  }
  return all;
}

struct Sample {
  columnar::NumberDictionary hashes;  // of the distinct values
  int64_t values = 0;
  int64_t bytes = 0;

  void Add(std::string_view value) {
    ++values;
    bytes += static_cast<int64_t>(value.size());
    hashes.Code(std::hash<std::string_view>()(value));
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

ColumnEncoding ChooseEncoding(const Arrays& chunks) {
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
  const auto drawn = static_cast<double>(sample.values);
  const double value_bytes = drawn == 0 ? 0 : static_cast<double>(sample.bytes) / drawn;
  const auto seen = static_cast<double>(sample.hashes.numbers().size());
  return decode::IsDictionaryWorthwhile(drawn, seen, seen * (value_bytes + sizeof(int32_t)),
                                        share_max, static_cast<double>(length))
             ? ColumnEncoding::kDictionary
             : otherwise;
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

int64_t BatchValues(const Chunks& columns) {
  int64_t widest = 1;
  for (const auto& column : columns) {
    int64_t bytes = 0;
    int64_t values = 0;
    for (const auto& chunk : column->chunks()) {
      Arrays leaves;
      CollectLeaves(chunk, leaves);
      for (const auto& leaf : leaves) {
        if (leaf->type_id() == arrow::Type::DICTIONARY) continue;
        bytes += arrow::util::ReferencedBufferSize(*leaf).ValueOr(0);
        values += leaf->length();
      }
    }
    if (values > 0) widest = std::max(widest, bytes / values);
  }
  return std::clamp(kPageBytes / widest, kBatchValuesMin, kBatchValuesMax);
}

}  // namespace

std::vector<ColumnEncoding> ChooseEncodings(const Chunks& columns) {
  std::vector<ColumnEncoding> encodings;
  for (const Arrays& chunks : ChunksOfLeaves(columns)) encodings.push_back(ChooseEncoding(chunks));
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
    parquet::Compression::type compression, const Chunks& rows, arrow::MemoryPool* memory) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(memory);
  builder.compression(compression);
  if (compression == parquet::Compression::ZSTD) builder.compression_level(columnar::kZstdLevel);
  builder.write_batch_size(BatchValues(rows));
  builder.dictionary_pagesize_limit(decode::kDictionaryBytesMax);
  // Iceberg wants decimals of up to 18 digits as integers.
  builder.enable_store_decimal_as_integer();

  std::shared_ptr<parquet::SchemaDescriptor> columns;
  PH_RETURN_IF_ERROR(parquet::arrow::ToParquetSchema(&schema, *builder.build(), &columns));
  PH_CHECK(columns->num_columns() == static_cast<int>(encodings.size()));
  const std::vector<Arrays> leaves = ChunksOfLeaves(rows);
  PH_CHECK(leaves.size() == encodings.size());
  for (int i = 0; i < columns->num_columns(); ++i) {
    const auto path = columns->Column(i)->path();
    const ColumnEncoding encoding = encodings[static_cast<size_t>(i)];
    if (encoding == ColumnEncoding::kDictionary) {
      builder.enable_dictionary(path);
    } else {
      builder.disable_dictionary(path);
      builder.encoding(path, ParquetEncoding(encoding));
    }
    if (compression != parquet::Compression::ZSTD) continue;
    if (const auto options = columnar::ChooseZstdOptions(leaves[static_cast<size_t>(i)])) {
      builder.codec_options(path, options);
    }
  }
  return builder.build();
}

}  // namespace playhead::table
