#include "playhead/columnar/text_column.h"

#include "playhead/columnar/test_parquet.h"

#include <algorithm>
#include <cstdint>

namespace playhead::columnar {
namespace {

/// `plain` in chunks of one to many rows. Returns the pages.
std::vector<TestPage> RoundTrip(const std::shared_ptr<arrow::Array>& plain,
                                TestFileOptions options = {}, bool is_nullable = true) {
  arrow::ArrayVector chunks;
  for (int64_t begin = 0, length = 1; begin < plain->length(); begin += length, length *= 3) {
    chunks.push_back(plain->Slice(begin, length));
  }
  const auto column = std::make_shared<arrow::ChunkedArray>(chunks, plain->type());
  options.encoding = parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
  const auto bytes = RoundTrip(column, column, options, is_nullable);
  const auto chunk = ReadFooter(bytes)->RowGroup(0)->ColumnChunk(0);
  EXPECT_FALSE(chunk->has_dictionary_page());
  EXPECT_EQ(chunk->data_page_offset(), 4);
  std::vector<TestPage> pages = ReadPages(bytes);
  EXPECT_TRUE(std::ranges::all_of(pages, [](const TestPage& page) {
    return page.encoding == parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY;
  }));
  return pages;
}

Texts SomeTexts(int64_t count, bool has_nulls) {
  Texts texts;
  for (int64_t i = 0; i < count; ++i) {
    texts.emplace_back(std::string(static_cast<size_t>(i * i % 13), 'x') + std::to_string(i * 7));
    if (has_nulls && i % 5 == 2) texts.back().reset();
  }
  return texts;
}

TEST(TextColumn, WritesTextWithAndWithoutNulls) {
  for (const bool has_nulls : {false, true}) {
    for (const int64_t count : {1, 2, 127, 128, 129, 130, 5'003}) {
      EXPECT_EQ(RoundTrip(TextArray(SomeTexts(count, has_nulls))).size(), 1U);
    }
  }
}

TEST(TextColumn, WritesNullsAndEmptyTexts) {
  RoundTrip(TextArray(Texts(1'000)));
  RoundTrip(TextArray(Texts(1'000)), {.pages = {.page_bytes = 100}});
  RoundTrip(TextArray(Texts(1'000, "")));
  RoundTrip(TextArray({"", {}, "", "a", {}}));
}

TEST(TextColumn, WritesBinaryWithNulBytes) {
  RoundTrip(TextArray({std::string("\0\0", 2), std::string("\0", 1), "", "\xff\xfe", {}, "\x7f"},
                      arrow::binary()));
}

TEST(TextColumn, WritesRequiredColumns) {
  RoundTrip(TextArray(SomeTexts(1'000, false)), {}, /*is_nullable=*/false);
  const auto texts = TextArray({"a", {}});
  const auto schema = arrow::schema({arrow::field("text", arrow::utf8(), /*nullable=*/false)});
  const Status status = WriteParquet(*schema, {{Chunked(texts)}},
                                     {.encoding = parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY})
                            .status();
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "null in a required column: path=text");
}

TEST(TextColumn, CutsPages) {
  // 9 bytes a text and 1 for its length.
  const auto pages = RoundTrip(TextArray(Texts(1'000, "123456789")), {.pages = {.page_bytes = 95}});
  ASSERT_EQ(pages.size(), 112U);
  EXPECT_EQ(pages[0].values, 9);
  EXPECT_EQ(pages[111].values, 1);
  for (const bool has_nulls : {false, true}) {
    for (const auto compression : {parquet::Compression::ZSTD, parquet::Compression::SNAPPY,
                                   parquet::Compression::UNCOMPRESSED}) {
      EXPECT_GT(RoundTrip(TextArray(SomeTexts(5'003, has_nulls)),
                          {.compression = compression, .pages = {.page_bytes = 1'000}})
                    .size(),
                10U);
    }
  }
}

TEST(TextColumn, GivesLongTextsPagesOfTheirOwn) {
  const std::string longest(1'000, 'm');
  const auto pages =
      RoundTrip(TextArray({"a", "b", longest, longest, {}, "c"}), {.pages = {.page_bytes = 100}});
  ASSERT_EQ(pages.size(), 4U);
  EXPECT_EQ(pages[0].values, 2);
  EXPECT_EQ(pages[1].values, 1);
  EXPECT_EQ(pages[2].values, 1);
  EXPECT_EQ(pages[3].values, 2);
}

TEST(TextColumn, LeavesBoundsOutThatAreTooLong) {
  const std::string longest(4'096, 'm');
  RoundTrip(TextArray({longest, "z", "a"}));
  RoundTrip(TextArray({longest + "m", "a"}));
  RoundTrip(TextArray({longest + "m", "z"}));
}

TEST(TextColumn, OrdersTextByUnsignedBytes) {
  RoundTrip(TextArray({"\xc3\xa4", "a", "z", "12345678b", "12345678a", "12345678"}));
  RoundTrip(TextArray({"12345678", "12345678a", "12345678\x01", "1234567"}));
  RoundTrip(TextArray({std::string("a\0", 2), "a", std::string("a\0\0", 3)}));
}

TEST(TextColumn, LeavesOtherColumnsToArrow) {
  // Those that are to have a dictionary, and lists.
  const auto texts = Chunked(TextArray(SomeTexts(1'000, true)));
  EXPECT_EQ(ReadPages(columnar::RoundTrip(texts, texts)).front().type,
            parquet::PageType::DICTIONARY_PAGE);
  const auto lists = Chunked(ListArray({Texts{"a", {}}, {}, Texts{}}, TextListType()));
  columnar::RoundTrip(lists, lists, {.encoding = parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY});
  columnar::RoundTrip(texts, texts, {.encoding = parquet::Encoding::PLAIN});
}

}  // namespace
}  // namespace playhead::columnar
