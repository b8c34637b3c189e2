#include "playhead/columnar/delta_encoding.h"

#include <gtest/gtest.h>
#include <parquet/encoding.h>

#include <algorithm>
#include <limits>
#include <random>

namespace playhead::columnar {
namespace {

template <typename ParquetType>
void ExpectRoundTrip(const std::vector<typename ParquetType::c_type>& values) {
  std::vector<uint8_t> bytes;
  AppendDelta(std::span(values), &bytes);
  auto decoder = parquet::MakeTypedDecoder<ParquetType>(parquet::Encoding::DELTA_BINARY_PACKED);
  decoder->SetData(static_cast<int>(values.size()), bytes.data(), static_cast<int>(bytes.size()));
  std::vector<typename ParquetType::c_type> decoded(values.size() + 1);
  EXPECT_EQ(decoder->Decode(decoded.data(), static_cast<int>(decoded.size())),
            static_cast<int>(values.size()));
  decoded.resize(values.size());
  EXPECT_EQ(decoded, values);
}

TEST(DeltaEncoding, WritesTheBytesOfTheSpecification) {
  std::vector<uint8_t> bytes;
  AppendDelta(std::vector<int64_t>{1, 2, 3, 4, 5}, &bytes);
  // Block of 128 in 4, 5 values, the first is 1; least difference 1, nothing beyond it.
  EXPECT_EQ(bytes, (std::vector<uint8_t>{0x80, 1, 4, 5, 2, 2, 0, 0, 0, 0}));
  bytes.assign({0xAA});
  AppendDelta(std::vector<int32_t>{7, 5, 3, 1, 2, 3, 4, 5}, &bytes);
  // Least difference -2; the first three are it, then 3 more, in 2 bits each.
  EXPECT_EQ(bytes, (std::vector<uint8_t>{0xAA, 0x80, 1, 4, 8, 14, 3, 2, 0, 0, 0, 0b11000000,
                                         0b00111111, 0, 0, 0, 0, 0, 0}));
}

TEST(DeltaEncoding, RoundTripsEveryLength) {
  for (const size_t count : {0, 1, 2, 3, 31, 32, 33, 34, 127, 128, 129, 130, 161, 1'000}) {
    std::vector<int32_t> small(count);
    std::vector<int64_t> large(count);
    for (size_t i = 0; i < count; ++i) {
      small[i] = static_cast<int32_t>(i * i % 71);
      large[i] = static_cast<int64_t>(i * i * 1'000'003);
    }
    ExpectRoundTrip<parquet::Int32Type>(small);
    ExpectRoundTrip<parquet::Int64Type>(large);
  }
}

TEST(DeltaEncoding, RoundTripsEveryWidth) {
  std::mt19937_64 random(3);  // NOLINT(bugprone-random-generator-seed)
  for (int width = 0; width <= 64; ++width) {
    const uint64_t limit = width == 64 ? UINT64_MAX : (uint64_t{1} << width) - 1;
    std::vector<int64_t> large(300);
    std::ranges::generate(large, [&] { return static_cast<int64_t>(random() & limit); });
    ExpectRoundTrip<parquet::Int64Type>(large);
    if (width > 32) continue;
    std::vector<int32_t> small(300);
    std::ranges::generate(small, [&] { return static_cast<int32_t>(random() & limit); });
    ExpectRoundTrip<parquet::Int32Type>(small);
  }
}

TEST(DeltaEncoding, WrapsAround) {
  const auto extremes = []<typename Number>(Number) {
    std::vector<Number> values;
    for (int i = 0; i < 200; ++i) {
      values.push_back(i % 2 == 0 ? std::numeric_limits<Number>::min()
                                  : std::numeric_limits<Number>::max());
      if (i % 7 == 0) values.push_back(0);
    }
    return values;
  };
  ExpectRoundTrip<parquet::Int32Type>(extremes(int32_t{}));
  ExpectRoundTrip<parquet::Int64Type>(extremes(int64_t{}));
}

}  // namespace
}  // namespace playhead::columnar
