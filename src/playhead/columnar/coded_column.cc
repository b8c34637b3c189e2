#include "playhead/columnar/coded_column.h"

#include "playhead/columnar/text_bounds.h"

#include <arrow/api.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <cstring>
#include <string_view>

namespace playhead::columnar {
namespace {

bool IsCodes(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return false;
  const auto& coded = static_cast<const arrow::DictionaryType&>(type);
  return coded.index_type()->id() == arrow::Type::INT32 &&
         arrow::is_binary_like(coded.value_type()->id());
}

std::span<const int32_t> CodesOf(const arrow::Array& array) {
  const auto& indices = *static_cast<const arrow::DictionaryArray&>(array).indices();
  return {static_cast<const arrow::Int32Array&>(indices).raw_values(),
          static_cast<size_t>(array.length())};
}

/// Each text behind its length.
void AppendPlain(const arrow::BinaryArray& texts, std::vector<uint8_t>* page) {
  const size_t at = page->size();
  page->resize(at + static_cast<size_t>(texts.total_values_length() + 4 * texts.length()));
  uint8_t* out = page->data() + at;
  for (int64_t i = 0; i < texts.length(); ++i) {
    const std::string_view text = texts.GetView(i);
    const auto size = static_cast<uint32_t>(text.size());
    std::memcpy(out, &size, sizeof(size));
    std::memcpy(out + sizeof(size), text.data(), size);
    out += sizeof(size) + size;
  }
}

}  // namespace

bool IsCodedColumn(const arrow::DataType& type) {
  if (type.id() == arrow::Type::LIST) return IsCodes(*type.field(0)->type());
  return IsCodes(type);
}

std::span<const int32_t> CodedColumnWriter::ReadValues(
    const arrow::Array& values, const parquet::ColumnDescriptor& descriptor) {
  levels_.Clear(descriptor);
  levels_.count = values.length();
  const std::span<const int32_t> codes = CodesOf(values);
  if (values.null_count() == 0) return codes;
  if (levels_.definition_max == 0) ThrowNullInRequired(descriptor);
  codes_.clear();
  codes_.reserve(codes.size());
  levels_.definition.reserve(codes.size());
  for (int64_t i = 0; i < values.length(); ++i) {
    const bool is_valid = values.IsValid(i);
    levels_.definition.push_back(is_valid ? 1 : 0);
    if (is_valid) codes_.push_back(codes[static_cast<size_t>(i)]);
  }
  return codes_;
}

std::span<const int32_t> CodedColumnWriter::ReadLists(const arrow::ListArray& lists,
                                                      const parquet::ColumnDescriptor& descriptor) {
  levels_.Clear(descriptor);
  codes_.clear();
  const arrow::Array& values = *lists.values();
  const std::span<const int32_t> codes = CodesOf(values);
  const int32_t value_level = levels_.definition_max;
  // Below the value: the null element, if elements may be null, the empty list, the null list.
  const int32_t element_null = value_level - 1;
  const int32_t empty = value_level - (descriptor.schema_node()->is_optional() ? 2 : 1);
  if (empty == 0 && lists.null_count() > 0) ThrowNullInRequired(descriptor);
  // A level for each element, and for each list without any.
  const auto levels_max = static_cast<size_t>(lists.value_offset(lists.length()) -
                                              lists.value_offset(0) + lists.length());
  levels_.repetition.resize(levels_max);
  levels_.definition.resize(levels_max);
  codes_.resize(levels_max);
  int32_t* repetition = levels_.repetition.data();
  int32_t* definition = levels_.definition.data();
  int32_t* next_code = codes_.data();
  const bool has_null_elements = values.null_count() > 0;
  for (int64_t row = 0; row < lists.length(); ++row) {
    const int64_t begin = lists.value_offset(row);
    const int64_t end = lists.value_offset(row + 1);
    const bool is_null = lists.IsNull(row);
    if (is_null || begin == end) {
      *repetition++ = 0;
      *definition++ = is_null ? empty - 1 : empty;
      continue;
    }
    for (int64_t i = begin; i < end; ++i) {
      *repetition++ = i == begin ? 0 : 1;
      if (has_null_elements && values.IsNull(i)) {
        if (element_null == empty) ThrowNullInRequired(descriptor);
        *definition++ = element_null;
        continue;
      }
      *definition++ = value_level;
      *next_code++ = codes[static_cast<size_t>(i)];
    }
  }
  levels_.count = repetition - levels_.repetition.data();
  levels_.repetition.resize(static_cast<size_t>(levels_.count));
  levels_.definition.resize(static_cast<size_t>(levels_.count));
  codes_.resize(static_cast<size_t>(next_code - codes_.data()));
  return codes_;
}

int64_t CodedColumnWriter::Write(const arrow::Array& column,
                                 parquet::ColumnChunkMetaDataBuilder& metadata,
                                 parquet::PageWriter& writer) {
  const parquet::ColumnDescriptor& descriptor = *metadata.descr();
  const bool is_list = column.type_id() == arrow::Type::LIST;
  if (descriptor.physical_type() != parquet::Type::BYTE_ARRAY ||
      descriptor.max_repetition_level() != (is_list ? 1 : 0)) {
    throw parquet::ParquetStatusException(arrow::Status::Invalid(
        "column of another type than its schema's: path=", descriptor.path()->ToDotString(),
        " type=", column.type()->ToString()));
  }
  const auto codes = is_list ? ReadLists(static_cast<const arrow::ListArray&>(column), descriptor)
                             : ReadValues(column, descriptor);
  const auto& values = is_list ? *static_cast<const arrow::ListArray&>(column).values() : column;
  const auto& texts = static_cast<const arrow::BinaryArray&>(
      *static_cast<const arrow::DictionaryArray&>(values).dictionary());

  TextBounds bounds;
  for (int64_t i = 0; i < texts.length(); ++i) bounds.Add(texts.GetView(i));
  metadata.SetStatistics(bounds.Statistics(levels_.count, static_cast<int64_t>(codes.size()),
                                           pages_.properties(), descriptor));

  AppendPlain(texts, &pages_.BeginDictionary());
  int64_t bytes = pages_.EndDictionary(texts.length(), writer);
  bytes += pages_.WriteCodes(levels_, codes, texts.length(), writer);
  writer.Close(/*has_dictionary=*/true, /*fallback=*/false);
  return bytes;
}

}  // namespace playhead::columnar
