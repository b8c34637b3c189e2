#include "playhead/table/file_metrics.h"

#include "playhead/iceberg/values.h"

#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace playhead::table {
namespace {

using iceberg::TypeKind;

constexpr int kBoundedColumnsMax = 100;
constexpr size_t kWholeTopicBytesMax = 200;

struct Bounds {
  std::string lower;
  std::string upper;
};

/// Statistics of one column over all row groups; none if a row group with values lacks them.
template <typename ParquetType, typename Encode>
std::optional<Bounds> NumberBounds(const parquet::FileMetaData& footer, int column,
                                   const Encode& encode) {
  std::optional<typename ParquetType::c_type> min;
  std::optional<typename ParquetType::c_type> max;
  for (int group = 0; group < footer.num_row_groups(); ++group) {
    const auto chunk = footer.RowGroup(group)->ColumnChunk(column);
    const auto statistics = chunk->statistics();
    if (statistics == nullptr) return {};
    if (!statistics->HasMinMax()) {
      if (statistics->HasNullCount() && statistics->null_count() == chunk->num_values()) continue;
      return {};
    }
    const auto& typed = static_cast<const parquet::TypedStatistics<ParquetType>&>(*statistics);
    min = min ? std::min(*min, typed.min()) : typed.min();
    max = max ? std::max(*max, typed.max()) : typed.max();
  }
  if (!min) return {};
  return Bounds{.lower = encode(*min), .upper = encode(*max)};
}

std::optional<Bounds> TextBounds(const parquet::FileMetaData& footer, int column) {
  std::optional<Bounds> bounds;
  for (int group = 0; group < footer.num_row_groups(); ++group) {
    const auto chunk = footer.RowGroup(group)->ColumnChunk(column);
    const auto statistics = chunk->statistics();
    if (statistics == nullptr) return {};
    if (!statistics->HasMinMax()) {
      if (statistics->HasNullCount() && statistics->null_count() == chunk->num_values()) continue;
      return {};
    }
    const auto& typed =
        static_cast<const parquet::TypedStatistics<parquet::ByteArrayType>&>(*statistics);
    const auto view = [](const parquet::ByteArray& bytes) {
      return std::string(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
    };
    std::string lower = view(typed.min());
    std::string upper = view(typed.max());
    if (!bounds) {
      bounds = Bounds{std::move(lower), std::move(upper)};
    } else {
      bounds->lower = std::min(bounds->lower, lower);
      bounds->upper = std::max(bounds->upper, upper);
    }
  }
  return bounds;
}

std::optional<Bounds> ColumnBounds(const parquet::FileMetaData& footer, int column,
                                   const iceberg::NestedField& field) {
  switch (field.type->kind) {
    case TypeKind::kBoolean:
      return NumberBounds<parquet::BooleanType>(footer, column, iceberg::EncodeBool);
    case TypeKind::kInt:
    case TypeKind::kDate:
      return NumberBounds<parquet::Int32Type>(footer, column, iceberg::EncodeInt);
    case TypeKind::kLong:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return NumberBounds<parquet::Int64Type>(footer, column, iceberg::EncodeLong);
    case TypeKind::kFloat:
      return NumberBounds<parquet::FloatType>(footer, column, iceberg::EncodeFloat);
    case TypeKind::kDouble:
      return NumberBounds<parquet::DoubleType>(footer, column, iceberg::EncodeDouble);
    case TypeKind::kString:
      return TextBounds(footer, column);
    default:
      return {};
  }
}

void FillBounds(const parquet::FileMetaData& footer, int column, const iceberg::NestedField& field,
                iceberg::DataFile& file) {
  const std::optional<Bounds> bounds = ColumnBounds(footer, column, field);
  if (!bounds) return;
  if (field.type->kind != TypeKind::kString ||
      (field.name == "_topic" && bounds->upper.size() <= kWholeTopicBytesMax &&
       bounds->lower.size() <= kWholeTopicBytesMax)) {
    file.lower_bounds[field.id] = bounds->lower;
    file.upper_bounds[field.id] = bounds->upper;
    return;
  }
  file.lower_bounds[field.id] = iceberg::TruncateLower(bounds->lower);
  if (auto upper = iceberg::TruncateUpper(bounds->upper)) {
    file.upper_bounds[field.id] = std::move(*upper);
  }
}

}  // namespace

void FillFileMetrics(const parquet::FileMetaData& footer, const iceberg::Schema& schema,
                     iceberg::DataFile& file) {
  file.record_count = footer.num_rows();
  for (int column = 0; column < footer.num_columns(); ++column) {
    const parquet::ColumnDescriptor* descriptor = footer.schema()->Column(column);
    const int32_t id = descriptor->schema_node()->field_id();
    int64_t nulls = 0;
    bool knows_nulls = true;
    for (int group = 0; group < footer.num_row_groups(); ++group) {
      const auto chunk = footer.RowGroup(group)->ColumnChunk(column);
      file.column_sizes[id] += chunk->total_compressed_size();
      file.value_counts[id] += chunk->num_values();
      const auto statistics = chunk->statistics();
      if (statistics != nullptr && statistics->HasNullCount()) {
        nulls += statistics->null_count();
      } else {
        knows_nulls = false;
      }
    }
    const bool is_repeated = descriptor->max_repetition_level() > 0;
    // Null counts of a list's elements would count missing lists too.
    if (knows_nulls && !is_repeated) file.null_value_counts[id] = nulls;
    const iceberg::NestedField* field = schema.FindById(id);
    if (!is_repeated && field != nullptr && column < kBoundedColumnsMax) {
      FillBounds(footer, column, *field, file);
    }
  }
  for (int group = 0; group < footer.num_row_groups(); ++group) {
    const auto first = footer.RowGroup(group)->ColumnChunk(0);
    file.split_offsets.push_back(first->has_dictionary_page() ? first->dictionary_page_offset()
                                                              : first->data_page_offset());
  }
}

}  // namespace playhead::table
