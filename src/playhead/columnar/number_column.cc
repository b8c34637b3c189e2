#include "playhead/columnar/number_column.h"

#include "playhead/columnar/delta_encoding.h"

#include <arrow/api.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <string>
#include <type_traits>

namespace playhead::columnar {
namespace {

template <typename Number>
using Bits = std::conditional_t<sizeof(Number) == sizeof(uint32_t), uint32_t, uint64_t>;

/// As Parquet stores it in plain pages and in statistics.
template <typename Number>
void AppendPlain(const std::vector<Number>& numbers, size_t begin, size_t end,
                 std::vector<uint8_t>* page) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(numbers.data());
  page->insert(page->end(), bytes + begin * sizeof(Number), bytes + end * sizeof(Number));
}

template <typename Number>
std::string Plain(Number number) {
  return {reinterpret_cast<const char*>(&number), sizeof(number)};
}

/// `is_upper`: a bound of 0 stands for both zeros, as the specification of statistics wants it.
template <typename Number>
Number Bound(Number number, bool is_upper) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (number == 0) return is_upper ? Number{0} : -Number{0};
  }
  return number;
}

template <typename Number>
void SetBounds(const std::vector<Number>& numbers, parquet::EncodedStatistics* statistics) {
  const auto is_ordered = [](Number number) {
    if constexpr (std::is_floating_point_v<Number>) return !std::isnan(number);
    return true;
  };
  const auto first = std::ranges::find_if(numbers, is_ordered);
  if (first == numbers.end()) return;
  Number min = *first;
  Number max = *first;
  // Comparisons with what is not a number are false.
  for (const Number number : numbers) {
    min = number < min ? number : min;
    max = number > max ? number : max;
  }
  statistics->set_min(Plain(Bound(min, /*is_upper=*/false)));
  statistics->set_max(Plain(Bound(max, /*is_upper=*/true)));
  statistics->is_min_value_exact = true;
  statistics->is_max_value_exact = true;
}

parquet::Type::type PhysicalType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
      return parquet::Type::INT32;
    case arrow::Type::INT64:
      return parquet::Type::INT64;
    case arrow::Type::TIMESTAMP:
      // Others may be stored in another unit.
      if (static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO) {
        return parquet::Type::INT64;
      }
      return parquet::Type::UNDEFINED;
    case arrow::Type::FLOAT:
      return parquet::Type::FLOAT;
    case arrow::Type::DOUBLE:
      return parquet::Type::DOUBLE;
    default:
      return parquet::Type::UNDEFINED;
  }
}

}  // namespace

bool IsNumberColumn(const arrow::DataType& type, const parquet::ColumnDescriptor& descriptor) {
  return descriptor.max_repetition_level() == 0 && descriptor.max_definition_level() <= 1 &&
         PhysicalType(type) == descriptor.physical_type();
}

template <typename Number>
int64_t NumberColumnWriter::WriteUncoded(const std::vector<Number>& numbers,
                                         parquet::PageWriter& writer) {
  const auto page_numbers = pages_.options().page_bytes / static_cast<int64_t>(sizeof(Number));
  int64_t bytes = 0;
  size_t first = 0;
  for (int64_t begin = 0; begin < levels_.count;) {
    const int64_t end = levels_.PageEnd(begin, page_numbers);
    const size_t next = first + static_cast<size_t>(levels_.ValueCount(begin, end));
    std::vector<uint8_t>& page = pages_.BeginData(levels_, begin, end);
    if constexpr (std::is_integral_v<Number>) {
      AppendDelta(std::span(numbers).subspan(first, next - first), &page);
      bytes += pages_.EndData(parquet::Encoding::DELTA_BINARY_PACKED, writer);
    } else {
      AppendPlain(numbers, first, next, &page);
      bytes += pages_.EndData(parquet::Encoding::PLAIN, writer);
    }
    first = next;
    begin = end;
  }
  return bytes;
}

template <typename Number>
bool NumberColumnWriter::EncodeAll(const std::vector<Number>& numbers) {
  const auto bytes_max = static_cast<size_t>(pages_.properties().dictionary_pagesize_limit());
  dictionary_.Clear();
  codes_.resize(numbers.size());
  for (size_t i = 0; i < numbers.size(); ++i) {
    const auto bits = std::bit_cast<Bits<Number>>(numbers[i]);
    // Neighbours are often equal.
    codes_[i] = i > 0 && bits == std::bit_cast<Bits<Number>>(numbers[i - 1])
                    ? codes_[i - 1]
                    : dictionary_.Code(bits);
    if (dictionary_.numbers().size() * sizeof(Number) > bytes_max) return false;
  }
  return true;
}

template <typename Number>
int64_t NumberColumnWriter::WriteNumbers(const arrow::ChunkedArray& column,
                                         parquet::ColumnChunkMetaDataBuilder& metadata,
                                         parquet::PageWriter& writer) {
  const parquet::ColumnDescriptor& descriptor = *metadata.descr();
  levels_.SetFlat(column, descriptor);
  auto& numbers = std::get<std::vector<Number>>(numbers_);
  numbers.clear();
  numbers.reserve(static_cast<size_t>(column.length()));
  for (const auto& chunk : column.chunks()) {
    const Number* values = chunk->data()->GetValues<Number>(1);
    if (chunk->null_count() == 0) {
      numbers.insert(numbers.end(), values, values + chunk->length());
      continue;
    }
    for (int64_t i = 0; i < chunk->length(); ++i) {
      if (chunk->IsValid(i)) numbers.push_back(values[i]);
    }
  }

  parquet::EncodedStatistics statistics;
  statistics.set_is_signed(true);
  statistics.set_null_count(column.null_count());
  statistics.all_null_value = numbers.empty();
  SetBounds(numbers, &statistics);
  metadata.SetStatistics(statistics);

  int64_t bytes = 0;
  const bool is_coded =
      pages_.properties().dictionary_enabled(descriptor.path()) && EncodeAll(numbers);
  if (is_coded) {
    std::vector<uint8_t>& page = pages_.BeginDictionary();
    for (const uint64_t number : dictionary_.numbers()) {
      const auto* begin = reinterpret_cast<const uint8_t*>(&number);
      page.insert(page.end(), begin, begin + sizeof(Number));
    }
    const auto entries = static_cast<int64_t>(dictionary_.numbers().size());
    bytes += pages_.EndDictionary(entries, writer);
    bytes += pages_.WriteCodes(levels_, codes_, entries, writer);
  } else {
    bytes += WriteUncoded(numbers, writer);
  }
  writer.Close(is_coded, /*fallback=*/false);
  return bytes;
}

int64_t NumberColumnWriter::Write(const arrow::ChunkedArray& column,
                                  parquet::ColumnChunkMetaDataBuilder& metadata,
                                  parquet::PageWriter& writer) {
  switch (PhysicalType(*column.type())) {
    case parquet::Type::INT32:
      return WriteNumbers<int32_t>(column, metadata, writer);
    case parquet::Type::INT64:
      return WriteNumbers<int64_t>(column, metadata, writer);
    case parquet::Type::FLOAT:
      return WriteNumbers<float>(column, metadata, writer);
    default:
      return WriteNumbers<double>(column, metadata, writer);
  }
}

}  // namespace playhead::columnar
