#include "playhead/http/gzip_body.h"

#include "playhead/http/gzip_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace playhead::http {
namespace {

using testing::HasSubstr;

std::string Varied(size_t size) {
  std::string bytes;
  uint32_t state = 1;
  while (bytes.size() < size) {
    state = state * 1664525 + 1013904223;
    bytes += static_cast<char>('a' + (state >> 28));
  }
  return bytes;
}

const GunzipLimits kLimits = {.bytes_max = 4 << 20, .ratio_max = 100, .may_grow_to = nullptr};

TEST(Gunzip, UnpacksOneOrSeveralMembers) {
  const std::string large = Varied(1'500'000);
  EXPECT_EQ(*Gunzip(Gzip(""), kLimits), "");
  EXPECT_EQ(*Gunzip(Gzip("abc"), kLimits), "abc");
  EXPECT_EQ(*Gunzip(Gzip(large), kLimits), large);
  EXPECT_EQ(*Gunzip(Gzip("abc") + Gzip("def"), kLimits), "abcdef");
}

TEST(Gunzip, DamageIsInvalidArgument) {
  const std::string packed = Gzip(Varied(10'000));
  std::string wrong_checksum = packed;
  wrong_checksum[wrong_checksum.size() - 8] ^= 1;
  for (const std::string& bytes :
       {std::string(), std::string("{\"a\":1}"), packed.substr(0, packed.size() - 1),
        packed.substr(0, 20), packed + "x", packed + packed.substr(0, 5), wrong_checksum}) {
    EXPECT_EQ(Gunzip(bytes, kLimits).status().code(), StatusCode::kInvalidArgument) << bytes.size();
  }
}

TEST(Gunzip, BombIsStoppedByItsRatio) {
  const auto bomb = Gunzip(Gzip(std::string(3 << 20, ' ')), kLimits);
  EXPECT_EQ(bomb.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(bomb.status().message(), HasSubstr("decompression_ratio_max=100"));
  // A small result is let through, however well it packs.
  EXPECT_TRUE(Gunzip(Gzip(std::string(900'000, ' ')), kLimits).ok());
}

TEST(Gunzip, SizeIsStoppedExactly) {
  GunzipLimits limits = kLimits;
  limits.bytes_max = 5'000;
  EXPECT_TRUE(Gunzip(Gzip(Varied(5'000)), limits).ok());
  const auto large = Gunzip(Gzip(Varied(5'001)), limits);
  EXPECT_EQ(large.status().code(), StatusCode::kResourceExhausted);
  EXPECT_THAT(large.status().message(), HasSubstr("decompressed_bytes_max=5000"));
}

TEST(Gunzip, AsksBeforeItGrows) {
  GunzipLimits limits = kLimits;
  int64_t asked = 0;
  limits.may_grow_to = [&](int64_t bytes) {
    asked = bytes;
    return bytes <= 1 << 20;
  };
  EXPECT_EQ(Gunzip(Gzip(Varied(1'500'000)), limits).status().code(), StatusCode::kUnavailable);
  EXPECT_GT(asked, 1 << 20);
}

}  // namespace
}  // namespace playhead::http
