#include "playhead/columnar/column_pages.h"

#include "playhead/columnar/hybrid_encoding.h"

#include <arrow/api.h>
#include <parquet/column_page.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace playhead::columnar {
namespace {

constexpr size_t kKeptBytesMax = 16 << 20;

std::shared_ptr<arrow::Buffer> AsBuffer(const std::vector<uint8_t>& bytes) {
  return std::make_shared<arrow::Buffer>(bytes.data(), static_cast<int64_t>(bytes.size()));
}

std::span<const int32_t> Part(std::span<const int32_t> all, int64_t begin, int64_t end) {
  return all.subspan(static_cast<size_t>(begin), static_cast<size_t>(end - begin));
}

/// The levels in the hybrid encoding, behind its length.
void AppendLevels(const std::vector<int32_t>& all, int64_t begin, int64_t end, int16_t max,
                  std::vector<uint8_t>* page) {
  if (max == 0) return;
  const size_t at = page->size();
  page->resize(at + sizeof(uint32_t));
  const int width = CodeWidth(max + 1);
  if (all.empty()) {
    AppendHybridRun(max, end - begin, width, page);
  } else {
    AppendHybrid(Part(all, begin, end), width, page);
  }
  const auto size = static_cast<uint32_t>(page->size() - at - sizeof(uint32_t));
  std::memcpy(page->data() + at, &size, sizeof(size));
}

}  // namespace

void ThrowNullInRequired(const parquet::ColumnDescriptor& descriptor) {
  throw parquet::ParquetStatusException(
      arrow::Status::Invalid("null in a required column: path=", descriptor.path()->ToDotString()));
}

void ColumnLevels::Clear(const parquet::ColumnDescriptor& descriptor) {
  repetition_max = descriptor.max_repetition_level();
  definition_max = descriptor.max_definition_level();
  count = 0;
  repetition.clear();
  definition.clear();
}

void ColumnLevels::SetFlat(const arrow::ChunkedArray& column,
                           const parquet::ColumnDescriptor& descriptor) {
  Clear(descriptor);
  count = column.length();
  if (column.null_count() == 0) return;
  if (definition_max == 0) ThrowNullInRequired(descriptor);
  definition.reserve(static_cast<size_t>(count));
  for (const auto& chunk : column.chunks()) {
    if (chunk->null_count() == 0) {
      definition.insert(definition.end(), static_cast<size_t>(chunk->length()), 1);
      continue;
    }
    for (int64_t i = 0; i < chunk->length(); ++i) definition.push_back(chunk->IsValid(i) ? 1 : 0);
  }
}

int64_t ColumnLevels::PageEnd(int64_t begin, int64_t levels_max) const {
  int64_t end = std::min(begin + std::max<int64_t>(levels_max, 1), count);
  if (repetition_max == 0) return end;
  while (end < count && repetition[static_cast<size_t>(end)] != 0) ++end;
  return end;
}

int64_t ColumnLevels::ValueCount(int64_t begin, int64_t end) const {
  if (definition.empty()) return end - begin;
  return std::ranges::count(Part(definition, begin, end), static_cast<int32_t>(definition_max));
}

void ColumnPages::DropLargeBuffers() {
  if (page_.capacity() <= kKeptBytesMax) return;
  page_ = {};
  compressed_.reset();
}

std::vector<uint8_t>& ColumnPages::BeginDictionary() {
  page_.clear();
  return page_;
}

int64_t ColumnPages::EndDictionary(int64_t size, parquet::PageWriter& writer) {
  const int64_t bytes = writer.WriteDictionaryPage(
      {AsBuffer(page_), static_cast<int32_t>(size), properties_->dictionary_page_encoding()});
  DropLargeBuffers();
  return bytes;
}

std::vector<uint8_t>& ColumnPages::BeginData(const ColumnLevels& levels, int64_t begin,
                                             int64_t end) {
  page_.clear();
  page_levels_ = end - begin;
  AppendLevels(levels.repetition, begin, end, levels.repetition_max, &page_);
  AppendLevels(levels.definition, begin, end, levels.definition_max, &page_);
  return page_;
}

int64_t ColumnPages::EndData(parquet::Encoding::type encoding, parquet::PageWriter& writer) {
  std::shared_ptr<arrow::Buffer> data = AsBuffer(page_);
  if (writer.has_compressor()) {
    if (compressed_ == nullptr) {
      PARQUET_ASSIGN_OR_THROW(compressed_, arrow::AllocateResizableBuffer(0));
    }
    writer.Compress(*data, compressed_.get());
    data = compressed_;
  }
  const int64_t bytes = writer.WriteDataPage(parquet::DataPageV1(
      data, static_cast<int32_t>(page_levels_), encoding, parquet::Encoding::RLE,
      parquet::Encoding::RLE, static_cast<int64_t>(page_.size())));
  DropLargeBuffers();
  return bytes;
}

int64_t ColumnPages::WriteCodes(const ColumnLevels& levels, std::span<const int32_t> codes,
                                int64_t size, parquet::PageWriter& writer) {
  const int width = CodeWidth(size);
  const int64_t levels_max = options_.page_bytes * 8 / std::max(width, 1);
  int64_t bytes = 0;
  int64_t first_code = 0;
  for (int64_t begin = 0; begin < levels.count;) {
    const int64_t end = levels.PageEnd(begin, levels_max);
    const int64_t next_code = first_code + levels.ValueCount(begin, end);
    std::vector<uint8_t>& page = BeginData(levels, begin, end);
    page.push_back(static_cast<uint8_t>(width));
    AppendHybrid(Part(codes, first_code, next_code), width, &page);
    bytes += EndData(properties_->dictionary_index_encoding(), writer);
    first_code = next_code;
    begin = end;
  }
  return bytes;
}

}  // namespace playhead::columnar
