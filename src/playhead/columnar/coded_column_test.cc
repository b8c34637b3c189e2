#include "playhead/columnar/coded_column.h"

#include "playhead/columnar/test_parquet.h"

#include <algorithm>
#include <cstdint>

namespace playhead::columnar {
namespace {

/// Returns the pages.
std::vector<TestPage> RoundTrip(const std::shared_ptr<arrow::Array>& plain,
                                const TestFileOptions& options = {}, bool is_nullable = true) {
  const auto bytes = RoundTrip(Chunked(plain), Chunked(Coded(plain)), options, is_nullable);
  const auto chunk = ReadFooter(bytes)->RowGroup(0)->ColumnChunk(0);
  EXPECT_TRUE(chunk->has_dictionary_page());
  EXPECT_EQ(chunk->dictionary_page_offset(), 4);
  EXPECT_GT(chunk->data_page_offset(), chunk->dictionary_page_offset());
  EXPECT_TRUE(std::ranges::count(chunk->encodings(), parquet::Encoding::RLE_DICTIONARY));
  return ReadPages(bytes);
}

std::shared_ptr<arrow::Array> Slice(const std::shared_ptr<arrow::Array>& array) {
  return array->Slice(3, array->length() - 5);
}

Texts SomeTexts(int64_t count, int64_t distinct, bool has_nulls) {
  Texts texts;
  for (int64_t i = 0; i < count; ++i) {
    // Runs of equal values and stretches without any.
    const int64_t value = i / 40 % 3 == 0 ? i / 40 : i * 7;
    texts.emplace_back("text " + std::to_string(value % distinct));
    if (has_nulls && i % 5 == 2) texts.back().reset();
  }
  return texts;
}

TEST(CodedColumn, WritesTextWithAndWithoutNulls) {
  for (const int64_t distinct : {1, 2, 3, 100, 1000}) {
    for (const bool has_nulls : {false, true}) {
      SCOPED_TRACE(std::to_string(distinct) + (has_nulls ? " with nulls" : ""));
      EXPECT_EQ(RoundTrip(TextArray(SomeTexts(5'003, distinct, has_nulls))).size(), 2U);
    }
  }
}

TEST(CodedColumn, WritesTextOfOneRow) {
  RoundTrip(TextArray({"a"}));
  RoundTrip(TextArray({""}));
  RoundTrip(TextArray({{}}));
}

TEST(CodedColumn, WritesNullsAlone) {
  const auto pages = RoundTrip(TextArray(Texts(1'000)));
  ASSERT_EQ(pages.size(), 2U);
  EXPECT_EQ(pages[0].values, 0);
}

TEST(CodedColumn, WritesEmptyTexts) {
  RoundTrip(TextArray(Texts(100, "")));
  RoundTrip(TextArray({"", {}, "", "a", {}}));
}

TEST(CodedColumn, WritesBinaryWithNulBytes) {
  const Texts texts{std::string("\0\0", 2), std::string("\0", 1), "", "\xff\xfe", {}, "\x7f"};
  RoundTrip(TextArray(texts, arrow::binary()));
  RoundTrip(TextArray(texts, arrow::binary()), {.pages = {.page_bytes = 1}});
}

TEST(CodedColumn, OrdersTextByUnsignedBytes) {
  RoundTrip(TextArray({"\xc3\xa4", "a", "z", "12345678b", "12345678a", "12345678"}));
  RoundTrip(TextArray({"12345678", "12345678a", "12345678\x01", "1234567"}));
}

TEST(CodedColumn, LeavesBoundsOutThatAreTooLong) {
  const std::string longest(4096, 'm');
  RoundTrip(TextArray({longest, "z", "a"}));
  RoundTrip(TextArray({longest + "m", "a"}));
  RoundTrip(TextArray({longest + "m", "z"}));
  RoundTrip(TextArray({longest + "m", {}, longest + "n"}));
}

TEST(CodedColumn, WritesRequiredColumns) {
  RoundTrip(TextArray(SomeTexts(1'000, 10, false)), {}, /*is_nullable=*/false);
  RoundTrip(TextArray(SomeTexts(1'000, 10, false)), {.pages = {.page_bytes = 8}}, false);
}

TEST(CodedColumn, WritesSlices) {
  RoundTrip(Slice(TextArray(SomeTexts(1'000, 10, true))));
  const auto plain = TextArray(SomeTexts(1'000, 10, true));
  const auto schema = arrow::schema({arrow::field("text", arrow::utf8())});
  const auto bytes = WriteParquet(*schema, {{Chunked(Slice(Coded(plain)))}});
  ASSERT_TRUE(bytes.ok());
  EXPECT_TRUE(ReadTable(*bytes)->column(0)->Equals(*Chunked(Slice(plain))));
}

TEST(CodedColumn, CutsPages) {
  for (const bool has_nulls : {false, true}) {
    // Codes of 7 bits: 73 in a page.
    const auto pages =
        RoundTrip(TextArray(SomeTexts(1'000, 100, has_nulls)), {.pages = {.page_bytes = 64}});
    ASSERT_EQ(pages.size(), 1U + 14U);
    EXPECT_EQ(pages[1].values, 73);
    EXPECT_EQ(pages[14].values, 1'000 - 13 * 73);
  }
  EXPECT_EQ(RoundTrip(TextArray(Texts(100)), {.pages = {.page_bytes = 1}}).size(), 1U + 13U);
  EXPECT_EQ(RoundTrip(TextArray(SomeTexts(100, 100, true)), {.pages = {.page_bytes = 0}}).size(),
            1U + 100U);
}

TextLists SomeLists(int64_t count, bool has_nulls, bool has_null_elements) {
  TextLists lists;
  for (int64_t i = 0; i < count; ++i) {
    auto& list = lists.emplace_back(Texts());
    for (int64_t k = 0; k < i % 6; ++k) {
      list->emplace_back("text " + std::to_string((i + k) % 20));
      if (has_null_elements && k % 3 == 1) list->back().reset();
    }
    if (has_nulls && i % 7 == 3) list.reset();
  }
  return lists;
}

TEST(CodedColumn, WritesLists) {
  for (const bool has_nulls : {false, true}) {
    for (const bool has_null_elements : {false, true}) {
      const auto lists = SomeLists(1'000, has_nulls, has_null_elements);
      RoundTrip(ListArray(lists, TextListType()));
      if (!has_nulls) RoundTrip(ListArray(lists, TextListType()), {}, /*is_nullable=*/false);
      if (has_null_elements) continue;
      RoundTrip(ListArray(lists, TextListType(false)));
      if (!has_nulls) RoundTrip(ListArray(lists, TextListType(false)), {}, /*is_nullable=*/false);
    }
  }
}

TEST(CodedColumn, WritesListsWithoutValues) {
  RoundTrip(ListArray(TextLists(10), TextListType()));
  RoundTrip(ListArray(TextLists(10, Texts()), TextListType()));
  RoundTrip(ListArray(TextLists(10, Texts(3)), TextListType()));
  RoundTrip(ListArray({Texts(), {}, Texts{{}}, Texts{""}}, TextListType()));
}

TEST(CodedColumn, EndsPagesOfListsWithTheirRow) {
  const auto lists = ListArray(SomeLists(1'000, true, true), TextListType());
  // Codes of 5 bits: 12 levels, and then the rest of the list.
  const auto pages = RoundTrip(lists, {.pages = {.page_bytes = 8}});
  ASSERT_GT(pages.size(), 100U);
  EXPECT_TRUE(std::all_of(pages.begin() + 1, pages.end() - 1,
                          [](const TestPage& page) { return page.values >= 12; }));
  // One list over what would be many pages.
  EXPECT_EQ(RoundTrip(ListArray({Texts(500, "a"), Texts{"b"}}, TextListType()),
                      {.pages = {.page_bytes = 8}})
                .size(),
            3U);
}

TEST(CodedColumn, WritesSlicesOfLists) {
  const auto plain = ListArray(SomeLists(100, true, true), TextListType());
  const auto schema = arrow::schema({arrow::field("text", plain->type())});
  const auto bytes = WriteParquet(*schema, {{Chunked(Slice(Coded(plain)))}});
  ASSERT_TRUE(bytes.ok());
  EXPECT_TRUE(ReadTable(*bytes)->column(0)->Equals(*Chunked(Slice(plain))));
}

TEST(CodedColumn, WritesAllCompressions) {
  for (const auto compression : {parquet::Compression::ZSTD, parquet::Compression::SNAPPY,
                                 parquet::Compression::UNCOMPRESSED}) {
    RoundTrip(TextArray(SomeTexts(1'000, 100, true)), {.compression = compression});
    RoundTrip(ListArray(SomeLists(1'000, true, true), TextListType()),
              {.compression = compression, .pages = {.page_bytes = 64}});
  }
}

TEST(CodedColumn, RefusesNullsWhereNoneMayBe) {
  const auto refusal = [](const std::shared_ptr<arrow::Array>& plain, bool is_nullable) {
    const auto schema = arrow::schema({arrow::field("text", plain->type(), is_nullable)});
    const Status status = WriteParquet(*schema, {{Chunked(Coded(plain))}}).status();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
    return status.message();
  };
  EXPECT_EQ(refusal(TextArray({"a", {}}), false), "null in a required column: path=text");
  const std::string in_list = "null in a required column: path=text.list.element";
  EXPECT_EQ(refusal(ListArray({Texts{"a"}, {}}, TextListType()), false), in_list);
  EXPECT_EQ(refusal(ListArray({Texts{"a"}, {}}, TextListType(false)), false), in_list);
  EXPECT_EQ(refusal(ListArray({Texts{"a", {}}}, TextListType(false)), true), in_list);
}

TEST(CodedColumn, TakesCodesOfTextAlone) {
  EXPECT_TRUE(IsCodedColumn(*arrow::dictionary(arrow::int32(), arrow::utf8())));
  EXPECT_TRUE(IsCodedColumn(*arrow::dictionary(arrow::int32(), arrow::binary())));
  EXPECT_TRUE(IsCodedColumn(*arrow::list(arrow::dictionary(arrow::int32(), arrow::utf8()))));
  EXPECT_FALSE(IsCodedColumn(*arrow::dictionary(arrow::int8(), arrow::utf8())));
  EXPECT_FALSE(IsCodedColumn(*arrow::dictionary(arrow::int32(), arrow::large_utf8())));
  EXPECT_FALSE(IsCodedColumn(*arrow::dictionary(arrow::int32(), arrow::int64())));
  EXPECT_FALSE(IsCodedColumn(*arrow::utf8()));
  EXPECT_FALSE(IsCodedColumn(*arrow::list(arrow::utf8())));
}

}  // namespace
}  // namespace playhead::columnar
