#include "playhead/decode/json_scan.h"

#include "playhead/decode/json_index.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace playhead::decode {
namespace {

/// A copy that ends with its allocation, so that the sanitizer sees what is read behind it.
std::vector<char> Exactly(std::string_view text) { return {text.begin(), text.end()}; }

bool MaybeBuild(QuoteMap& map, const std::vector<char>& text) {
  return map.Build({text.data(), text.size()});
}

class QuoteMapTest : public testing::TestWithParam<size_t> {
 protected:
  QuoteMap map_{UsableScanBlocks()[GetParam()]};
};

TEST_P(QuoteMapTest, FindsEveryQuoteOfTextsOfEveryLength) {
  std::mt19937_64 random(1);
  for (size_t size = 1; size <= 300; ++size) {
    std::string text(size, 'x');
    const unsigned gap = 1 + random() % 100;
    for (char& c : text) c = random() % gap == 0 ? '"' : static_cast<char>(0x20 + random() % 0x3C);
    std::vector<char> bytes = Exactly(text);
    ASSERT_TRUE(MaybeBuild(map_, bytes)) << text;
    for (size_t from = 0; from <= size; ++from) {
      ASSERT_EQ(map_.Next(from), std::min(text.find('"', from), size)) << text << " from " << from;
    }
  }
}

TEST_P(QuoteMapTest, RefusesBackslashesAndControlCharactersAnywhere) {
  for (size_t size : {1, 15, 63, 64, 65, 127, 128, 200}) {
    for (size_t at = 0; at < size; ++at) {
      for (char c : {'\\', '\0', '\x1F', '\n'}) {
        std::string text(size, 'x');
        text[at] = c;
        ASSERT_FALSE(MaybeBuild(map_, Exactly(text))) << size << " at " << at;
      }
      std::string text(size, '\x7F');
      text[at] = ' ';
      ASSERT_TRUE(MaybeBuild(map_, Exactly(text)));
    }
  }
}

TEST_P(QuoteMapTest, TakesUtf8Only) {
  for (size_t size : {3, 64, 66, 130}) {
    for (std::string_view c : {"é", "–", "😀", "\xC3", "\xA9", "\xED\xA0\x80", "\xF0\x9F\x98",
                               "\xC0\x80", "\xFF", "\xC3\x41"}) {
      for (size_t at = 0; at + c.size() <= size; ++at) {
        std::string text(size, 'x');
        text.replace(at, c.size(), c);
        ASSERT_EQ(MaybeBuild(map_, Exactly(text)), IsUtf8(text)) << size << " at " << at;
        // Whatever is good elsewhere.
        text.replace(0, 2, "é");
        ASSERT_EQ(MaybeBuild(map_, Exactly(text)), IsUtf8(text)) << size << " at " << at;
      }
    }
  }
}

TEST_P(QuoteMapTest, KnowsEveryPairAndTripleOfBytes) {
  for (unsigned first = 0x80; first < 0x100; ++first) {
    for (unsigned second = 0x80; second < 0x100; ++second) {
      std::string text = "  ";
      text += static_cast<char>(first);
      text += static_cast<char>(second);
      ASSERT_EQ(map_.Build(text), IsUtf8(text)) << first << " " << second;
      for (unsigned third : {0x80U, 0xBFU, 0xC0U, 0xFFU}) {
        std::string longer = text + static_cast<char>(third);
        ASSERT_EQ(map_.Build(longer), IsUtf8(longer)) << first << " " << second << " " << third;
      }
    }
  }
}

TEST_P(QuoteMapTest, ForgetsTheTextBefore) {
  ASSERT_TRUE(map_.Build(std::string(500, '"')));
  for (size_t size : {1, 63, 64, 65, 128, 300}) {
    std::string text(size, 'x');
    ASSERT_TRUE(map_.Build(text));
    for (size_t from = 0; from <= size; ++from) ASSERT_EQ(map_.Next(from), size);
  }
}

TEST_P(QuoteMapTest, HasALimit) {
  EXPECT_TRUE(map_.Build(std::string(QuoteMap::kBytesMax, 'x')));
  EXPECT_FALSE(map_.Build(std::string(QuoteMap::kBytesMax + 1, 'x')));
}

INSTANTIATE_TEST_SUITE_P(EachKernel, QuoteMapTest,
                         testing::Range(size_t{0}, UsableScanBlocks().size()));

}  // namespace
}  // namespace playhead::decode
