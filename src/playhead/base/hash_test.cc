#include "playhead/base/hash.h"

#include <gtest/gtest.h>

#include <string>

namespace playhead {
namespace {

// What `xxh128sum` (Debian's xxhash) prints for the same bytes.
TEST(ContentHash, EqualsXxh128sum) {
  EXPECT_EQ(ContentHash(""), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(ContentHash("abc"), "06b05ab6733a618578af5f94892f3950");
}

TEST(ContentHash, DoesNotDependOnHowTheBytesAreCut) {
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 31);
  for (const size_t cut : {size_t{1}, size_t{63}, size_t{240}, size_t{4999}}) {
    ContentHasher hasher;
    hasher.Update(std::string_view(bytes).substr(0, cut));
    hasher.Update("");
    hasher.Update(std::string_view(bytes).substr(cut));
    EXPECT_EQ(hasher.Hex(), ContentHash(bytes)) << cut;
    EXPECT_EQ(hasher.Digest(), ContentDigest(bytes)) << cut;
  }
}

}  // namespace
}  // namespace playhead
