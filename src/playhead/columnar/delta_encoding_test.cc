#include "playhead/columnar/delta_encoding.h"

#include <gtest/gtest.h>
#include <parquet/encoding.h>

#include <vector>

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

}  // namespace
}  // namespace playhead::columnar
