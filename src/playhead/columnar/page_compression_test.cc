#include "playhead/columnar/page_compression.h"

#include "playhead/columnar/test_parquet.h"

#include <algorithm>
#include <cstdint>
#include <random>

namespace playhead::columnar {
namespace {

constexpr int64_t kValues = 20'000;

/// 32 hexadecimal digits.
std::shared_ptr<arrow::Array> RandomIds(int64_t count) {
  std::mt19937_64 random(5);  // NOLINT(bugprone-random-generator-seed)
  Texts ids;
  for (int64_t i = 0; i < count; ++i)
    ids.emplace_back(fmt::format("{:016x}{:016x}", random(), random()));
  return TextArray(ids);
}

std::shared_ptr<arrow::Array> Sentences(int64_t count) {
  Texts texts;
  for (int64_t i = 0; i < count; ++i) {
    texts.emplace_back("a title of the season's episode number " + std::to_string(i));
  }
  return TextArray(texts);
}

/// The bytes of the file with and without the options chosen; null if there are none.
std::optional<std::pair<int64_t, int64_t>> BytesWith(const std::shared_ptr<arrow::Array>& column,
                                                     parquet::Encoding::type encoding) {
  const auto options = ChooseZstdOptions({column});
  if (options == nullptr) return {};
  const auto bytes = [&](bool is_chosen) {
    parquet::WriterProperties::Builder builder;
    builder.compression(parquet::Compression::ZSTD)->compression_level(kZstdLevel);
    builder.disable_dictionary()->encoding(encoding);
    if (is_chosen) builder.codec_options("column", options);
    const bool is_coded = column->type_id() == arrow::Type::DICTIONARY;
    const auto schema =
        arrow::schema({arrow::field("column", is_coded ? arrow::utf8() : column->type())});
    auto output = *arrow::io::BufferOutputStream::Create();
    ColumnWriters writers;
    auto file = ParquetWriter::Open(output, *schema, builder.build(), arrow::default_memory_pool(),
                                    writers);
    EXPECT_TRUE(file.ok());
    EXPECT_TRUE((*file)->BeginRowGroup(column->length()).ok());
    EXPECT_TRUE((*file)->WriteColumn(Chunked(column)).ok());
    EXPECT_TRUE((*file)->Close().ok());
    const auto buffer = *output->Finish();
    EXPECT_EQ(ReadTable(buffer)->num_rows(), column->length());
    return buffer->size();
  };
  return std::pair{bytes(true), bytes(false)};
}

TEST(PageCompression, SearchesNoRepetitionsInRandomIds) {
  const auto ids = RandomIds(kValues);
  const auto plain = BytesWith(ids, parquet::Encoding::DELTA_LENGTH_BYTE_ARRAY);
  ASSERT_TRUE(plain);
  // Half a byte for a digit: Huffman's code is kept.
  EXPECT_LT(plain->first, kValues * 17);
  EXPECT_LE(plain->first, plain->second * 1.01);
  const auto coded = BytesWith(Coded(ids), parquet::Encoding::PLAIN);
  ASSERT_TRUE(coded);
  EXPECT_LE(coded->first, coded->second * 1.1);
}

TEST(PageCompression, LeavesOtherTextToTheLevel) {
  EXPECT_EQ(ChooseZstdOptions({Sentences(kValues)}), nullptr);
  EXPECT_EQ(ChooseZstdOptions({Coded(Sentences(kValues))}), nullptr);
  EXPECT_EQ(ChooseZstdOptions({TextArray(Texts(kValues, std::string(30, 'a')))}), nullptr);
  // Too little to matter, nothing at all.
  EXPECT_EQ(ChooseZstdOptions({RandomIds(1'000)}), nullptr);
  EXPECT_EQ(ChooseZstdOptions({TextArray(Texts(10))}), nullptr);
  EXPECT_EQ(ChooseZstdOptions({TextArray({})}), nullptr);
}

TEST(PageCompression, JudgesTheLongestChunk) {
  const auto ids = RandomIds(kValues);
  EXPECT_NE(ChooseZstdOptions({TextArray({"a"}), ids->Slice(5, 10'000), ids->Slice(0, 2)}),
            nullptr);
}

TEST(PageCompression, FindsTheUpperDigitsOfDoubles) {
  arrow::DoubleBuilder builder;
  std::mt19937_64 random(5);  // NOLINT(bugprone-random-generator-seed)
  for (int64_t i = 0; i < 100'000; ++i) {
    ASSERT_TRUE(builder.Append(static_cast<double>(random() % 3'600'000) / 1'000).ok());
  }
  const auto bytes = BytesWith(*builder.Finish(), parquet::Encoding::PLAIN);
  ASSERT_TRUE(bytes);
  EXPECT_LT(bytes->first, bytes->second * 0.9);
}

TEST(PageCompression, LeavesIntegersToTheLevel) {
  arrow::Int64Builder builder;
  ASSERT_TRUE(builder.AppendValues(std::vector<int64_t>(100'000, 7)).ok());
  EXPECT_EQ(ChooseZstdOptions({*builder.Finish()}), nullptr);
}

}  // namespace
}  // namespace playhead::columnar
