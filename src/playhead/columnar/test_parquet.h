#pragma once

#include "playhead/columnar/column_writers.h"
#include "playhead/columnar/parquet_writer.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/statistics.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::columnar {

using Text = std::optional<std::string>;
using Texts = std::vector<Text>;
using TextLists = std::vector<std::optional<Texts>>;

inline std::shared_ptr<arrow::Array> TextArray(
    const Texts& texts, const std::shared_ptr<arrow::DataType>& type = arrow::utf8()) {
  arrow::BinaryBuilder builder;
  for (const Text& text : texts) {
    EXPECT_TRUE((text ? builder.Append(*text) : builder.AppendNull()).ok());
  }
  return *(*builder.Finish())->View(type);
}

/// Parquet calls the field of a list "element".
inline std::shared_ptr<arrow::DataType> TextListType(bool has_null_elements = true) {
  return arrow::list(arrow::field("element", arrow::utf8(), has_null_elements));
}

inline std::shared_ptr<arrow::Array> ListArray(const TextLists& lists,
                                               const std::shared_ptr<arrow::DataType>& type) {
  auto texts = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), texts, type);
  for (const auto& list : lists) {
    EXPECT_TRUE((list ? builder.Append() : builder.AppendNull()).ok());
    for (const Text& text : list.value_or(Texts())) {
      EXPECT_TRUE((text ? texts->Append(*text) : texts->AppendNull()).ok());
    }
  }
  return *builder.Finish();
}

/// The texts of `plain`, or of its lists, as codes of a dictionary.
inline std::shared_ptr<arrow::Array> Coded(const std::shared_ptr<arrow::Array>& plain) {
  if (plain->type_id() == arrow::Type::LIST) {
    const auto& lists = static_cast<const arrow::ListArray&>(*plain);
    const auto values = Coded(lists.values());
    auto data = plain->data()->Copy();
    data->type = arrow::list(plain->type()->field(0)->WithType(values->type()));
    data->child_data = {values->data()};
    return arrow::MakeArray(data);
  }
  const auto& texts = static_cast<const arrow::BinaryArray&>(*plain);
  arrow::BinaryBuilder distinct;
  arrow::Int32Builder codes;
  std::map<std::string, int32_t, std::less<>> code_of;
  for (int64_t i = 0; i < texts.length(); ++i) {
    if (texts.IsNull(i)) {
      EXPECT_TRUE(codes.AppendNull().ok());
      continue;
    }
    const auto [found, is_new] =
        code_of.try_emplace(texts.GetString(i), static_cast<int32_t>(code_of.size()));
    if (is_new) {
      EXPECT_TRUE(distinct.Append(found->first).ok());
    }
    EXPECT_TRUE(codes.Append(found->second).ok());
  }
  return *arrow::DictionaryArray::FromArrays(arrow::dictionary(arrow::int32(), plain->type()),
                                             *codes.Finish(),
                                             *(*distinct.Finish())->View(plain->type()));
}

using Columns = std::vector<std::shared_ptr<arrow::ChunkedArray>>;

inline std::shared_ptr<arrow::ChunkedArray> Chunked(std::shared_ptr<arrow::Array> array) {
  return std::make_shared<arrow::ChunkedArray>(std::move(array));
}

struct TestFileOptions {
  parquet::Compression::type compression = parquet::Compression::ZSTD;
  PageOptions pages;
  /// Of columns that do not come as codes.
  std::optional<parquet::Encoding::type> encoding;
};

inline std::shared_ptr<parquet::WriterProperties> TestProperties(const TestFileOptions& options) {
  parquet::WriterProperties::Builder builder;
  builder.compression(options.compression);
  if (options.encoding) builder.disable_dictionary()->encoding(*options.encoding);
  return builder.build();
}

/// The bytes of a file with these row groups.
inline Result<std::shared_ptr<arrow::Buffer>> WriteParquet(const arrow::Schema& schema,
                                                           const std::vector<Columns>& row_groups,
                                                           const TestFileOptions& options = {}) {
  auto output = *arrow::io::BufferOutputStream::Create();
  ColumnWriters writers(options.pages);
  PH_ASSIGN_OR_RETURN(auto file, ParquetWriter::Open(output, schema, TestProperties(options),
                                                     arrow::default_memory_pool(), writers));
  for (const Columns& columns : row_groups) {
    PH_RETURN_IF_ERROR(file->BeginRowGroup(columns.front()->length()));
    for (const auto& column : columns) PH_RETURN_IF_ERROR(file->WriteColumn(column));
  }
  PH_RETURN_IF_ERROR(file->Close());
  return *output->Finish();
}

/// The same by Arrow's writer alone.
inline std::shared_ptr<arrow::Buffer> WriteByArrow(const std::shared_ptr<arrow::Schema>& schema,
                                                   const Columns& columns,
                                                   const TestFileOptions& options = {}) {
  auto output = *arrow::io::BufferOutputStream::Create();
  const auto table = arrow::Table::Make(schema, columns);
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), output, 1 << 20,
                                         TestProperties(options))
                  .ok());
  return *output->Finish();
}

inline std::shared_ptr<arrow::Table> ReadTable(const std::shared_ptr<arrow::Buffer>& bytes) {
  // Without Arrow's own threads, whose locks ThreadSanitizer does not see.
  parquet::ArrowReaderProperties properties;
  properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  EXPECT_TRUE(builder.Open(std::make_shared<arrow::io::BufferReader>(bytes)).ok());
  auto reader = *builder.properties(properties)->Build();
  auto table = reader->ReadTable();
  EXPECT_TRUE(table.ok()) << table.status().ToString();
  return *table;
}

inline std::shared_ptr<parquet::FileMetaData> ReadFooter(
    const std::shared_ptr<arrow::Buffer>& bytes) {
  return parquet::ReadMetaData(std::make_shared<arrow::io::BufferReader>(bytes));
}

struct TestPage {
  parquet::PageType::type type;
  int32_t values;
  parquet::Encoding::type encoding;
};

/// The pages of a column of the first row group.
inline std::vector<TestPage> ReadPages(const std::shared_ptr<arrow::Buffer>& bytes,
                                       int column = 0) {
  auto file = parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(bytes));
  auto reader = file->RowGroup(0)->GetColumnPageReader(column);
  std::vector<TestPage> pages;
  while (auto page = reader->NextPage()) {
    if (page->type() == parquet::PageType::DICTIONARY_PAGE) {
      const auto& dictionary = static_cast<const parquet::DictionaryPage&>(*page);
      pages.push_back({page->type(), dictionary.num_values(), dictionary.encoding()});
    } else {
      const auto& data = static_cast<const parquet::DataPage&>(*page);
      pages.push_back({page->type(), data.num_values(), data.encoding()});
    }
  }
  return pages;
}

inline void ExpectSameStatistics(const parquet::FileMetaData& ours,
                                 const parquet::FileMetaData& arrows) {
  const auto our_chunk = ours.RowGroup(0)->ColumnChunk(0);
  const auto arrow_chunk = arrows.RowGroup(0)->ColumnChunk(0);
  EXPECT_EQ(our_chunk->num_values(), arrow_chunk->num_values());
  ASSERT_TRUE(our_chunk->is_stats_set());
  ASSERT_TRUE(arrow_chunk->is_stats_set());
  const auto our = our_chunk->encoded_statistics();
  const auto arrow = arrow_chunk->encoded_statistics();
  EXPECT_EQ(our->has_min, arrow->has_min);
  EXPECT_EQ(our->has_max, arrow->has_max);
  EXPECT_EQ(our->min(), arrow->min());
  EXPECT_EQ(our->max(), arrow->max());
  EXPECT_EQ(our->has_null_count, arrow->has_null_count);
  EXPECT_EQ(our->null_count, arrow->null_count);
  EXPECT_EQ(our->is_min_value_exact, arrow->is_min_value_exact);
  EXPECT_EQ(our->is_max_value_exact, arrow->is_max_value_exact);
}

/// Writes a file of the one column `written`, which says the same as `plain`; expects Arrow to read
/// that back, with the statistics that Arrow's own writer gives it. Returns the file.
inline std::shared_ptr<arrow::Buffer> RoundTrip(const std::shared_ptr<arrow::ChunkedArray>& plain,
                                                const std::shared_ptr<arrow::ChunkedArray>& written,
                                                const TestFileOptions& options = {},
                                                bool is_nullable = true) {
  const auto schema = arrow::schema({arrow::field("column", plain->type(), is_nullable)});
  const auto bytes = WriteParquet(*schema, {{written}}, options);
  EXPECT_TRUE(bytes.ok()) << bytes.status().ToString();
  if (!bytes.ok()) return WriteByArrow(schema, {plain});
  const auto table = ReadTable(*bytes);
  EXPECT_TRUE(table->ValidateFull().ok());
  EXPECT_TRUE(table->schema()->field(0)->type()->Equals(*plain->type()));
  EXPECT_TRUE(table->column(0)->Equals(*plain, arrow::EqualOptions::Defaults().nans_equal(true)))
      << table->ToString();

  const auto footer = ReadFooter(*bytes);
  ExpectSameStatistics(*footer, *ReadFooter(WriteByArrow(schema, {plain})));
  const auto chunk = footer->RowGroup(0)->ColumnChunk(0);
  EXPECT_EQ(chunk->compression(), options.compression);
  EXPECT_EQ(footer->RowGroup(0)->total_byte_size(), chunk->total_uncompressed_size());
  int64_t values = 0;
  for (const TestPage& page : ReadPages(*bytes)) {
    if (page.type != parquet::PageType::DICTIONARY_PAGE) values += page.values;
  }
  EXPECT_EQ(values, chunk->num_values());
  return *bytes;
}

}  // namespace playhead::columnar
