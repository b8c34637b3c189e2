#include "playhead/columnar/text_column.h"

#include "playhead/columnar/delta_encoding.h"
#include "playhead/columnar/text_bounds.h"

#include <arrow/api.h>
#include <parquet/column_writer.h>
#include <parquet/metadata.h>
#include <parquet/schema.h>
#include <parquet/statistics.h>

namespace playhead::columnar {

bool IsTextColumn(const arrow::DataType& type, const parquet::ColumnDescriptor& descriptor) {
  return arrow::is_binary_like(type.id()) && descriptor.max_repetition_level() == 0 &&
         descriptor.max_definition_level() <= 1 &&
         descriptor.physical_type() == parquet::Type::BYTE_ARRAY;
}

void TextColumnWriter::Add(std::string_view text) {
  lengths_.push_back(static_cast<int32_t>(text.size()));
  if (!pieces_.empty() && pieces_.back().data() + pieces_.back().size() == text.data()) {
    pieces_.back() = {pieces_.back().data(), pieces_.back().size() + text.size()};
  } else if (!text.empty()) {
    pieces_.push_back(text);
  }
}

int64_t TextColumnWriter::WritePage(int64_t begin, int64_t end, parquet::PageWriter& writer) {
  std::vector<uint8_t>& page = pages_.BeginData(levels_, begin, end);
  AppendDelta(lengths_, &page);
  for (const std::string_view piece : pieces_) {
    page.insert(page.end(), piece.begin(), piece.end());
  }
  lengths_.clear();
  pieces_.clear();
  return pages_.EndData(parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY, writer);
}

int64_t TextColumnWriter::Write(const arrow::ChunkedArray& column,
                                parquet::ColumnChunkMetaDataBuilder& metadata,
                                parquet::PageWriter& writer) {
  levels_.SetFlat(column, *metadata.descr());
  lengths_.clear();
  pieces_.clear();
  TextBounds bounds;
  int64_t bytes = 0;
  int64_t begin = 0;
  int64_t end = 0;
  int64_t page_bytes = 0;
  for (const auto& chunk : column.chunks()) {
    const auto& texts = static_cast<const arrow::BinaryArray&>(*chunk);
    const bool has_nulls = texts.null_count() > 0;
    for (int64_t i = 0; i < texts.length(); ++i, ++end) {
      const bool is_valid = !has_nulls || texts.IsValid(i);
      const std::string_view text = is_valid ? texts.GetView(i) : std::string_view();
      // A length takes at most a byte more or less, also where the text is empty.
      const auto size = static_cast<int64_t>(text.size()) + 1;
      if (end > begin && page_bytes + size > pages_.options().page_bytes) {
        bytes += WritePage(begin, end, writer);
        begin = end;
        page_bytes = 0;
      }
      page_bytes += size;
      if (!is_valid) continue;
      Add(text);
      bounds.Add(text);
    }
  }
  if (end > begin) bytes += WritePage(begin, end, writer);
  metadata.SetStatistics(bounds.Statistics(levels_.count, column.length() - column.null_count(),
                                           pages_.properties(), *metadata.descr()));
  writer.Close(/*has_dictionary=*/false, /*fallback=*/false);
  return bytes;
}

}  // namespace playhead::columnar
