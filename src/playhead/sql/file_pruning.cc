#include "playhead/sql/file_pruning.h"

#include "playhead/iceberg/values.h"
#include "playhead/sql/duckdb_types.h"

#include <duckdb/storage/statistics/base_statistics.hpp>
#include <duckdb/storage/statistics/numeric_stats.hpp>
#include <duckdb/storage/statistics/string_stats.hpp>

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace playhead::sql {
namespace {

using duckdb::BaseStatistics;
using duckdb::StatsInfo;

struct Bounds {
  std::optional<std::string> lower;
  std::optional<std::string> upper;
};

template <typename T>
std::optional<T> FindIn(const std::map<int32_t, T>& values, int32_t field_id) {
  const auto value = values.find(field_id);
  return value == values.end() ? std::nullopt : std::optional<T>(value->second);
}

constexpr int64_t kMicrosPerHour = 3'600'000'000;
constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;
constexpr int32_t kDaysMax = 100'000'000;  // further ones are no microseconds of 64 bits

/// The span of times that a day or an hour covers.
Bounds SpanOf(const iceberg::PartitionField& field, const iceberg::PartitionValue& value,
              iceberg::TypeKind source) {
  const auto* number = std::get_if<int32_t>(&value);
  const bool is_time =
      source == iceberg::TypeKind::kTimestamp || source == iceberg::TypeKind::kTimestamptz;
  if (number == nullptr || !is_time) return {};
  int64_t micros = 0;
  if (field.transform == iceberg::Transform::kHour) {
    micros = kMicrosPerHour;
  } else if (field.transform == iceberg::Transform::kDay && std::abs(*number) < kDaysMax) {
    micros = kMicrosPerDay;
  } else {
    return {};
  }
  const int64_t begin = *number * micros;
  return {.lower = iceberg::EncodeLong(begin), .upper = iceberg::EncodeLong(begin + micros - 1)};
}

/// What the partition values say of a column: an identity is the bound on both sides, a day or an
/// hour spans its times. Some writers keep no bounds beside them.
Bounds PartitionBounds(const iceberg::TableMetadata& metadata, const catalog::LiveFile& file,
                       const iceberg::NestedField& column) {
  for (const iceberg::PartitionSpec& spec : metadata.specs) {
    if (spec.spec_id != file.spec_id) continue;
    for (size_t i = 0; i < spec.fields.size() && i < file.file.partition.size(); ++i) {
      const iceberg::PartitionField& field = spec.fields[i];
      const iceberg::PartitionValue& value = file.file.partition[i];
      if (field.source_id != column.id || std::holds_alternative<std::monostate>(value)) continue;
      if (field.transform == iceberg::Transform::kIdentity) {
        const std::string bound = iceberg::EncodePartitionValue(value);
        return {.lower = bound, .upper = bound};
      }
      if (Bounds span = SpanOf(field, value, column.type->kind); span.lower) return span;
    }
  }
  return {};
}

Bounds BoundsOf(const iceberg::TableMetadata& metadata, const catalog::LiveFile& file,
                const iceberg::NestedField& field) {
  Bounds bounds{.lower = FindIn(file.file.lower_bounds, field.id),
                .upper = FindIn(file.file.upper_bounds, field.id)};
  const Bounds of_partition = PartitionBounds(metadata, file, field);
  if (!bounds.lower) bounds.lower = of_partition.lower;
  if (!bounds.upper) bounds.upper = of_partition.upper;
  const bool is_floating = field.type->kind == iceberg::TypeKind::kFloat ||
                           field.type->kind == iceberg::TypeKind::kDouble;
  // Bounds leave NaN out, and DuckDB sorts it above everything.
  if (is_floating && FindIn(file.file.nan_value_counts, field.id) != 0) bounds.upper.reset();
  return bounds;
}

void SetBounds(BaseStatistics& statistics, const iceberg::Type& type, const Bounds& bounds) {
  const auto lower = bounds.lower ? BoundValue(type, *bounds.lower) : std::nullopt;
  const auto upper = bounds.upper ? BoundValue(type, *bounds.upper) : std::nullopt;
  if (type.kind == iceberg::TypeKind::kString) {
    if (lower) {
      duckdb::StringStats::SetMin(statistics, duckdb::string_t(*bounds.lower));
    }
    if (upper) {
      duckdb::StringStats::SetMax(statistics, duckdb::string_t(*bounds.upper));
    }
  } else {
    if (lower) duckdb::NumericStats::SetMin(statistics, *lower);
    if (upper) duckdb::NumericStats::SetMax(statistics, *upper);
  }
}

bool HasUsableBounds(iceberg::TypeKind kind) {
  switch (kind) {
    case iceberg::TypeKind::kBoolean:
    case iceberg::TypeKind::kInt:
    case iceberg::TypeKind::kLong:
    case iceberg::TypeKind::kFloat:
    case iceberg::TypeKind::kDouble:
    case iceberg::TypeKind::kDate:
    case iceberg::TypeKind::kTimestamp:
    case iceberg::TypeKind::kTimestamptz:
    case iceberg::TypeKind::kString:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool MayHoldRows(const iceberg::TableMetadata& metadata, const catalog::LiveFile& file,
                 const duckdb::TableFilterSet& filters) {
  const std::vector<iceberg::NestedField>& columns = metadata.CurrentSchema().fields;
  for (const auto& [position, filter] : filters.filters) {
    // Virtual columns (file name, row number) have positions beyond all others.
    if (position >= columns.size()) continue;
    const iceberg::NestedField& column = columns[position];
    if (!HasUsableBounds(column.type->kind)) continue;
    BaseStatistics statistics = BaseStatistics::CreateUnknown(DuckdbType(*column.type));
    SetBounds(statistics, *column.type, BoundsOf(metadata, file, column));
    if (const auto nulls = FindIn(file.file.null_value_counts, column.id)) {
      if (*nulls == 0) statistics.Set(StatsInfo::CANNOT_HAVE_NULL_VALUES);
      if (*nulls == file.file.record_count) statistics.Set(StatsInfo::CANNOT_HAVE_VALID_VALUES);
    }
    if (filter->CheckStatistics(statistics) == duckdb::FilterPropagateResult::FILTER_ALWAYS_FALSE) {
      return false;
    }
  }
  return true;
}

}  // namespace playhead::sql
