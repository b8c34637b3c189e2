#include "playhead/columnar/number_column.h"

#include "playhead/columnar/test_parquet.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace playhead::columnar {
namespace {

template <typename Builder, typename Number>
std::shared_ptr<arrow::Array> Numbers(const std::vector<std::optional<Number>>& numbers) {
  Builder builder;
  for (const auto& number : numbers) {
    EXPECT_TRUE((number ? builder.Append(*number) : builder.AppendNull()).ok());
  }
  return *builder.Finish();
}

std::shared_ptr<arrow::Array> Doubles(const std::vector<std::optional<double>>& numbers) {
  return Numbers<arrow::DoubleBuilder, double>(numbers);
}

/// `plain` in chunks of one to many rows, with a dictionary and without; expects these page
/// encodings.
void RoundTrip(const std::shared_ptr<arrow::Array>& plain, parquet::Encoding::type encoding,
               TestFileOptions options = {}, bool is_nullable = true) {
  arrow::ArrayVector chunks;
  for (int64_t begin = 0, length = 1; begin < plain->length(); begin += length, length *= 3) {
    chunks.push_back(plain->Slice(begin, length));
  }
  const auto column = std::make_shared<arrow::ChunkedArray>(chunks, plain->type());
  const auto pages = ReadPages(RoundTrip(column, column, options, is_nullable));
  ASSERT_GE(pages.size(), 2U);
  EXPECT_EQ(pages[0].type, parquet::PageType::DICTIONARY_PAGE);
  EXPECT_EQ(pages[1].encoding, parquet::Encoding::RLE_DICTIONARY);
  options.encoding = encoding;
  const auto uncoded = ReadPages(RoundTrip(column, column, options, is_nullable));
  ASSERT_FALSE(uncoded.empty());
  EXPECT_EQ(uncoded[0].encoding, encoding);
}

constexpr auto kDelta = parquet::Encoding::DELTA_BINARY_PACKED;
constexpr auto kPlain = parquet::Encoding::PLAIN;

TEST(NumberColumn, WritesAllTypes) {
  for (const bool has_nulls : {false, true}) {
    std::vector<std::optional<int32_t>> small;
    std::vector<std::optional<int64_t>> large;
    std::vector<std::optional<float>> floats;
    std::vector<std::optional<double>> doubles;
    for (int i = 0; i < 2'000; ++i) {
      const bool is_null = has_nulls && i % 7 == 3;
      small.push_back(is_null ? std::nullopt : std::optional(i * 37 % 1'000 - 500));
      large.push_back(is_null ? std::nullopt : std::optional(int64_t{i} * i * 12'345'678 - 99));
      floats.push_back(is_null ? std::nullopt : std::optional(static_cast<float>(i % 50) / 3));
      doubles.push_back(is_null ? std::nullopt : std::optional(i % 300 / 7.0 - 20));
    }
    const auto int32s = Numbers<arrow::Int32Builder>(small);
    const auto int64s = Numbers<arrow::Int64Builder>(large);
    for (const int64_t page_bytes : {1 << 20, 300, 0}) {
      const TestFileOptions options{.pages = {.page_bytes = page_bytes}};
      RoundTrip(int32s, kDelta, options);
      RoundTrip(*int32s->View(arrow::date32()), kDelta, options);
      RoundTrip(int64s, kDelta, options);
      RoundTrip(*int64s->View(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")), kDelta, options);
      RoundTrip(Numbers<arrow::FloatBuilder>(floats), kPlain, options);
      RoundTrip(Doubles(doubles), kPlain, options);
    }
    if (has_nulls) continue;
    RoundTrip(int64s, kDelta, {}, /*is_nullable=*/false);
    RoundTrip(Doubles(doubles), kPlain, {.compression = parquet::Compression::SNAPPY}, false);
    RoundTrip(Doubles(doubles), kPlain, {.compression = parquet::Compression::UNCOMPRESSED});
  }
}

TEST(NumberColumn, WritesExtremes) {
  const auto min = std::numeric_limits<int64_t>::min();
  const auto max = std::numeric_limits<int64_t>::max();
  RoundTrip(Numbers<arrow::Int64Builder, int64_t>({max, min, 0, {}, min, max}), kDelta);
  const auto infinity = std::numeric_limits<double>::infinity();
  RoundTrip(Doubles({infinity, -infinity, 1.5, std::numeric_limits<double>::denorm_min()}), kPlain);
}

TEST(NumberColumn, WritesNullsAndConstants) {
  RoundTrip(Numbers<arrow::Int32Builder>(std::vector<std::optional<int32_t>>(1'000)), kDelta);
  RoundTrip(Doubles(std::vector<std::optional<double>>(1'000)), kPlain);
  const auto constant =
      Numbers<arrow::Int64Builder>(std::vector<std::optional<int64_t>>(100'000, 1'755'000'000));
  RoundTrip(constant, kDelta);
  const auto schema = arrow::schema({arrow::field("constant", arrow::int64())});
  const auto bytes = WriteParquet(*schema, {{Chunked(constant)}});
  ASSERT_TRUE(bytes.ok());
  EXPECT_LT(ReadFooter(*bytes)->RowGroup(0)->total_byte_size(), 100);
}

TEST(NumberColumn, KeepsWhatIsNotANumberOutOfTheBounds) {
  const double nan = std::nan("");
  RoundTrip(Doubles({nan, 1, 2, nan, {}}), kPlain);
  RoundTrip(Doubles({1, nan, -3}), kPlain);
  RoundTrip(Doubles({nan, nan}), kPlain);
  RoundTrip(Doubles({{}, nan}), kPlain);
}

TEST(NumberColumn, BoundsHoldBothZeros) {
  RoundTrip(Doubles({0.0, 1}), kPlain);
  RoundTrip(Doubles({-0.0, -1}), kPlain);
  RoundTrip(Doubles({-0.0, 0.0, -0.0}), kPlain);
  RoundTrip(Numbers<arrow::FloatBuilder, float>({0.0F, -0.0F}), kPlain);
}

TEST(NumberColumn, GivesDictionariesUpThatAreTooLarge) {
  parquet::WriterProperties::Builder builder;
  const auto properties = builder.dictionary_pagesize_limit(800)->build();
  const auto first_page = [&](int64_t distinct) {
    arrow::Int64Builder numbers;
    for (int64_t i = 0; i < 1'000; ++i) EXPECT_TRUE(numbers.Append(i * 37 % distinct).ok());
    const auto column = Chunked(*numbers.Finish());
    const auto schema = arrow::schema({arrow::field("number", arrow::int64())});
    auto output = *arrow::io::BufferOutputStream::Create();
    ColumnWriters writers;
    auto file =
        ParquetWriter::Open(output, *schema, properties, arrow::default_memory_pool(), writers);
    EXPECT_TRUE((*file)->BeginRowGroup(1'000).ok());
    EXPECT_TRUE((*file)->WriteColumn(column).ok());
    EXPECT_TRUE((*file)->Close().ok());
    const auto bytes = *output->Finish();
    EXPECT_TRUE(ReadTable(bytes)->column(0)->Equals(*column));
    return ReadPages(bytes).front();
  };
  EXPECT_EQ(first_page(100).type, parquet::PageType::DICTIONARY_PAGE);
  EXPECT_EQ(first_page(100).values, 100);
  EXPECT_EQ(first_page(101).encoding, kDelta);
}

TEST(NumberColumn, LeavesOtherTypesToArrow) {
  const auto seconds = Chunked(*Numbers<arrow::Int64Builder, int64_t>({1, {}, 2})
                                    ->View(arrow::timestamp(arrow::TimeUnit::MILLI)));
  columnar::RoundTrip(seconds, seconds);
  arrow::BooleanBuilder booleans;
  ASSERT_TRUE(booleans.AppendValues(std::vector<bool>{true, false}).ok());
  const auto column = Chunked(*booleans.Finish());
  columnar::RoundTrip(column, column);
}

TEST(NumberDictionary, GivesEachNumberOneCode) {
  NumberDictionary dictionary;
  // Neighbours in the lower, middle and upper bits.
  for (const int shift : {0, 20, 32, 50}) {
    dictionary.Clear();
    for (int round = 0; round < 2; ++round) {
      for (uint64_t i = 0; i < 10'000; ++i) {
        ASSERT_EQ(dictionary.Code(i << shift), static_cast<int32_t>(i));
      }
    }
    EXPECT_EQ(dictionary.numbers().size(), 10'000U);
  }
}

}  // namespace
}  // namespace playhead::columnar
