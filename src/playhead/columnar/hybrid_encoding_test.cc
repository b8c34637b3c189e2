#include "playhead/columnar/hybrid_encoding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <random>

namespace playhead::columnar {
namespace {

/// Reads `count` values as the Parquet specification tells; Arrow's reader is tried in
/// coded_column_test.cc. Fails if bytes are missing or left over.
std::vector<int32_t> Decode(const std::vector<uint8_t>& bytes, size_t count, int width) {
  std::vector<int32_t> values;
  size_t at = 0;
  const auto next = [&]() -> uint64_t {
    EXPECT_LT(at, bytes.size());
    return at < bytes.size() ? bytes[at++] : 0;
  };
  while (values.size() < count && at < bytes.size()) {
    uint64_t header = 0;
    for (int shift = 0;; shift += 7) {
      const uint64_t byte = next();
      header |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    if ((header & 1) == 0) {
      uint64_t value = 0;
      for (int shift = 0; shift < width; shift += 8) value |= next() << shift;
      EXPECT_GT(header >> 1, 0U);
      values.insert(values.end(), header >> 1, static_cast<int32_t>(value));
      continue;
    }
    uint64_t bits = 0;
    int bit_count = 0;
    for (uint64_t i = 0; i < (header >> 1) * 8; ++i) {
      for (; bit_count < width; bit_count += 8) bits |= next() << bit_count;
      values.push_back(static_cast<int32_t>(bits & ((uint64_t{1} << width) - 1)));
      bits >>= width;
      bit_count -= width;
    }
  }
  EXPECT_EQ(at, bytes.size());
  // The last packed group is filled up.
  EXPECT_GE(values.size(), count);
  EXPECT_LT(values.size(), count + 8);
  values.resize(count);
  return values;
}

void ExpectRoundTrip(const std::vector<int32_t>& values, int width) {
  std::vector<uint8_t> bytes;
  AppendHybrid(values, width, &bytes);
  EXPECT_EQ(Decode(bytes, values.size(), width), values) << "width " << width;
}

TEST(CodeWidth, HoldsEveryCode) {
  const std::vector<std::pair<int64_t, int>> widths{{0, 0}, {1, 1},   {2, 1},   {3, 2},      {4, 2},
                                                    {5, 3}, {256, 8}, {257, 9}, {65'536, 16}};
  for (const auto& [size, width] : widths) EXPECT_EQ(CodeWidth(size), width) << size;
  EXPECT_EQ(CodeWidth(int64_t{1} << 31), 31);
}

TEST(Hybrid, WritesTheBytesOfTheSpecification) {
  // "Encodings": 0 to 7 packed with 3 bits each.
  std::vector<uint8_t> bytes;
  AppendHybrid(std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7}, 3, &bytes);
  EXPECT_EQ(bytes, (std::vector<uint8_t>{0b11, 0b10001000, 0b11000110, 0b11111010}));
  bytes.clear();
  AppendHybridRun(0x1234, 200, 13, &bytes);
  EXPECT_EQ(bytes, (std::vector<uint8_t>{0x90, 0x03, 0x34, 0x12}));
}

TEST(Hybrid, AppendsToWhatIsThere) {
  std::vector<uint8_t> bytes{1, 2, 3};
  AppendHybrid(std::vector<int32_t>(8, 1), 1, &bytes);
  EXPECT_EQ(bytes, (std::vector<uint8_t>{1, 2, 3, 16, 1}));
}

TEST(Hybrid, WritesNothingForNothing) {
  std::vector<uint8_t> bytes;
  AppendHybrid({}, 5, &bytes);
  AppendHybrid(std::vector<int32_t>(100), 0, &bytes);
  AppendHybridRun(0, 100, 0, &bytes);
  AppendHybridRun(7, 0, 3, &bytes);
  EXPECT_TRUE(bytes.empty());
}

TEST(Hybrid, RoundTripsEveryWidthAndLength) {
  std::mt19937_64 random(7);  // NOLINT(bugprone-random-generator-seed)
  for (int width = 1; width <= 32; ++width) {
    for (const size_t count : {1, 7, 8, 9, 16, 503, 504, 505, 512, 1'100}) {
      std::vector<int32_t> values(count);
      const uint64_t limit = (uint64_t{1} << width) - 1;
      std::ranges::generate(values, [&] { return static_cast<int32_t>(random() & limit); });
      ExpectRoundTrip(values, width);
      ExpectRoundTrip(std::vector<int32_t>(count, static_cast<int32_t>(limit)), width);
    }
  }
}

TEST(Hybrid, RoundTripsRunsAmongOthers) {
  std::mt19937 random(11);  // NOLINT(bugprone-random-generator-seed)
  for (int round = 0; round < 200; ++round) {
    const int width = static_cast<int>(random() % 20) + 1;
    std::vector<int32_t> values;
    for (int run = 0; run < 40; ++run) {
      const size_t length = random() % 3 == 0 ? random() % 700 : random() % 12;
      values.insert(values.end(), length, static_cast<int32_t>(random() % (1U << width)));
    }
    ExpectRoundTrip(values, width);
  }
}

TEST(Hybrid, WritesLongRunsShort) {
  std::vector<uint8_t> bytes;
  AppendHybrid(std::vector<int32_t>(1'000'000, 3), 17, &bytes);
  EXPECT_EQ(bytes.size(), 3U + 3U);
}

}  // namespace
}  // namespace playhead::columnar
