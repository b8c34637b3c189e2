#include "playhead/table/coded_column.h"

#include "playhead/table/hybrid_encoding.h"

#include <arrow/api.h>
#include <parquet/column_page.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/metadata.h>
#include <parquet/properties.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <span>
#include <string_view>

namespace playhead::table {
namespace {

bool IsCodes(const arrow::DataType& type) {
  if (type.id() != arrow::Type::DICTIONARY) return false;
  const auto& coded = static_cast<const arrow::DictionaryType&>(type);
  return coded.index_type()->id() == arrow::Type::INT32 &&
         arrow::is_binary_like(coded.value_type()->id());
}

void AppendWord(uint32_t word, std::vector<uint8_t>* out) {
  out->resize(out->size() + sizeof(word));
  std::memcpy(out->data() + out->size() - sizeof(word), &word, sizeof(word));
}

std::shared_ptr<arrow::Buffer> AsBuffer(const std::vector<uint8_t>& bytes) {
  return std::make_shared<arrow::Buffer>(bytes.data(), static_cast<int64_t>(bytes.size()));
}

/// The first eight bytes as a number that is ordered as they are.
uint64_t Prefix(std::string_view text) {
  uint64_t word = 0;
  std::memcpy(&word, text.data(), std::min(text.size(), sizeof(word)));
  return __builtin_bswap64(word);
}

parquet::EncodedStatistics Bounds(const arrow::BinaryArray& texts) {
  parquet::EncodedStatistics statistics;
  if (texts.length() == 0) return statistics;
  std::string_view min = texts.GetView(0);
  std::string_view max = min;
  uint64_t min_prefix = Prefix(min);
  uint64_t max_prefix = min_prefix;
  for (int64_t i = 1; i < texts.length(); ++i) {
    const std::string_view text = texts.GetView(i);
    const uint64_t prefix = Prefix(text);
    // Most texts lie between the two and are told by their first bytes.
    if (prefix <= min_prefix && text < min) {
      min = text;
      min_prefix = prefix;
    }
    if (prefix >= max_prefix && text > max) {
      max = text;
      max_prefix = prefix;
    }
  }
  statistics.set_min(std::string(min));
  statistics.set_max(std::string(max));
  statistics.is_min_value_exact = true;
  statistics.is_max_value_exact = true;
  return statistics;
}

}  // namespace

struct CodedColumnWriter::Leaf {
  int16_t repetition_max = 0;
  int16_t definition_max = 0;
  int64_t level_count = 0;
  std::vector<int32_t> repetition;  // one per level if repetition_max > 0
  std::vector<int32_t> definition;  // empty: all are definition_max
  std::span<const int32_t> codes;   // of the levels whose definition is definition_max
  std::vector<int32_t> own_codes;   // where `codes` lie if some values are null

  Leaf(const arrow::Array& column, const parquet::ColumnDescriptor& descriptor)
      : repetition_max(descriptor.max_repetition_level()),
        definition_max(descriptor.max_definition_level()) {
    if (column.type_id() == arrow::Type::LIST) {
      AddLists(static_cast<const arrow::ListArray&>(column), descriptor);
    } else {
      AddValues(column, descriptor);
    }
  }

  static parquet::ParquetStatusException NullInRequired(
      const parquet::ColumnDescriptor& descriptor) {
    return parquet::ParquetStatusException(arrow::Status::Invalid(
        "null in a required column: path=", descriptor.path()->ToDotString()));
  }

  static std::span<const int32_t> CodesOf(const arrow::Array& array) {
    const auto& indices = *static_cast<const arrow::DictionaryArray&>(array).indices();
    return {static_cast<const arrow::Int32Array&>(indices).raw_values(),
            static_cast<size_t>(array.length())};
  }

  void AddValues(const arrow::Array& values, const parquet::ColumnDescriptor& descriptor) {
    level_count = values.length();
    codes = CodesOf(values);
    if (values.null_count() == 0) return;
    if (definition_max == 0) throw NullInRequired(descriptor);
    definition.reserve(codes.size());
    own_codes.reserve(codes.size());
    for (int64_t i = 0; i < values.length(); ++i) {
      const bool is_valid = values.IsValid(i);
      definition.push_back(is_valid ? 1 : 0);
      if (is_valid) own_codes.push_back(codes[static_cast<size_t>(i)]);
    }
    codes = own_codes;
  }

  void AddLists(const arrow::ListArray& lists, const parquet::ColumnDescriptor& descriptor) {
    const arrow::Array& values = *lists.values();
    const std::span<const int32_t> all = CodesOf(values);
    const int32_t value_level = definition_max;
    // Below the value: the null element, if elements may be null, the empty list, the null list.
    const int32_t element_null = value_level - 1;
    const int32_t empty = value_level - (descriptor.schema_node()->is_optional() ? 2 : 1);
    if (empty == 0 && lists.null_count() > 0) throw NullInRequired(descriptor);
    for (int64_t row = 0; row < lists.length(); ++row) {
      const int64_t begin = lists.value_offset(row);
      const int64_t end = lists.value_offset(row + 1);
      if (lists.IsNull(row) || begin == end) {
        repetition.push_back(0);
        definition.push_back(lists.IsNull(row) ? empty - 1 : empty);
        continue;
      }
      for (int64_t i = begin; i < end; ++i) {
        repetition.push_back(i == begin ? 0 : 1);
        const bool is_valid = values.IsValid(i);
        if (!is_valid && element_null == empty) throw NullInRequired(descriptor);
        definition.push_back(is_valid ? value_level : element_null);
        if (is_valid) own_codes.push_back(all[static_cast<size_t>(i)]);
      }
    }
    level_count = static_cast<int64_t>(definition.size());
    codes = own_codes;
  }

  /// Where the page that begins at `begin` ends: after `count` levels and with the row.
  int64_t PageEnd(int64_t begin, int64_t count) const {
    int64_t end = std::min(begin + count, level_count);
    if (repetition_max == 0) return end;
    while (end < level_count && repetition[static_cast<size_t>(end)] != 0) ++end;
    return end;
  }
};

bool IsCodedColumn(const arrow::DataType& type) {
  if (type.id() == arrow::Type::LIST) return IsCodes(*type.field(0)->type());
  return IsCodes(type);
}

CodedColumnWriter::CodedColumnWriter(std::shared_ptr<parquet::WriterProperties> properties,
                                     PageOptions options, arrow::MemoryPool* memory)
    : properties_(std::move(properties)), options_(options) {
  PARQUET_ASSIGN_OR_THROW(compressed_, arrow::AllocateResizableBuffer(0, memory));
}

int64_t CodedColumnWriter::Write(const arrow::Array& column,
                                 parquet::ColumnChunkMetaDataBuilder& metadata,
                                 parquet::PageWriter& pages) {
  const parquet::ColumnDescriptor& descriptor = *metadata.descr();
  const bool is_list = column.type_id() == arrow::Type::LIST;
  if (descriptor.physical_type() != parquet::Type::BYTE_ARRAY ||
      descriptor.max_repetition_level() != (is_list ? 1 : 0)) {
    throw parquet::ParquetStatusException(arrow::Status::Invalid(
        "column of another type than its schema's: path=", descriptor.path()->ToDotString(),
        " type=", column.type()->ToString()));
  }
  const Leaf leaf(column, descriptor);
  const auto& values = is_list ? *static_cast<const arrow::ListArray&>(column).values() : column;
  const auto& texts = static_cast<const arrow::BinaryArray&>(
      *static_cast<const arrow::DictionaryArray&>(values).dictionary());

  parquet::EncodedStatistics statistics = Bounds(texts);
  statistics.ApplyStatSizeLimits(properties_->max_statistics_size(descriptor.path()));
  statistics.set_is_signed(false);  // text is ordered by its bytes
  statistics.set_null_count(leaf.level_count - static_cast<int64_t>(leaf.codes.size()));
  statistics.all_null_value = leaf.codes.empty();
  metadata.SetStatistics(statistics);

  int64_t bytes = WriteDictionary(texts, pages);
  bytes += WriteData(leaf, CodeWidth(texts.length()), pages);
  pages.Close(/*has_dictionary=*/true, /*fallback=*/false);
  return bytes;
}

int64_t CodedColumnWriter::WriteDictionary(const arrow::BinaryArray& texts,
                                           parquet::PageWriter& pages) {
  const auto bytes = static_cast<size_t>(texts.total_values_length() + 4 * texts.length());
  page_.resize(bytes);
  uint8_t* out = page_.data();
  for (int64_t i = 0; i < texts.length(); ++i) {
    const std::string_view text = texts.GetView(i);
    const auto size = static_cast<uint32_t>(text.size());
    std::memcpy(out, &size, sizeof(size));
    std::memcpy(out + sizeof(size), text.data(), size);
    out += sizeof(size) + size;
  }
  return pages.WriteDictionaryPage({AsBuffer(page_), static_cast<int32_t>(texts.length()),
                                    properties_->dictionary_page_encoding()});
}

int64_t CodedColumnWriter::WriteData(const Leaf& leaf, int width, parquet::PageWriter& pages) {
  const int64_t page_levels = std::max<int64_t>(options_.page_bytes * 8 / std::max(width, 1), 1);
  int64_t bytes = 0;
  size_t first_code = 0;
  for (int64_t begin = 0; begin < leaf.level_count;) {
    const int64_t end = leaf.PageEnd(begin, page_levels);
    const auto levels = [&](const std::vector<int32_t>& all) {
      return std::span(all).subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
    };
    // The bytes of the levels, whose number stands before them.
    const auto append_levels = [&](const std::vector<int32_t>& all, int16_t max) {
      if (max == 0) return;
      const size_t at = page_.size();
      AppendWord(0, &page_);
      const int level_width = CodeWidth(max + 1);
      if (all.empty()) {
        AppendHybridRun(max, end - begin, level_width, &page_);
      } else {
        AppendHybrid(levels(all), level_width, &page_);
      }
      const auto size = static_cast<uint32_t>(page_.size() - at - sizeof(uint32_t));
      std::memcpy(page_.data() + at, &size, sizeof(size));
    };
    page_.clear();
    append_levels(leaf.repetition, leaf.repetition_max);
    append_levels(leaf.definition, leaf.definition_max);
    const auto code_count =
        leaf.definition.empty()
            ? static_cast<size_t>(end - begin)
            : static_cast<size_t>(std::ranges::count(levels(leaf.definition),
                                                     static_cast<int32_t>(leaf.definition_max)));
    page_.push_back(static_cast<uint8_t>(width));
    AppendHybrid(leaf.codes.subspan(first_code, code_count), width, &page_);
    first_code += code_count;

    std::shared_ptr<arrow::Buffer> data = AsBuffer(page_);
    if (pages.has_compressor()) {
      pages.Compress(*data, compressed_.get());
      data = compressed_;
    }
    bytes += pages.WriteDataPage(parquet::DataPageV1(
        data, static_cast<int32_t>(end - begin), properties_->dictionary_index_encoding(),
        parquet::Encoding::RLE, parquet::Encoding::RLE, static_cast<int64_t>(page_.size())));
    begin = end;
  }
  return bytes;
}

}  // namespace playhead::table
