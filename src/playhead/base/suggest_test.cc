#include "playhead/base/suggest.h"

#include <gtest/gtest.h>

namespace playhead {
namespace {

TEST(DidYouMean, FindsOneTypingMistake) {
  EXPECT_EQ(DidYouMean("warehosue", {"catalog", "warehouse"}), " (did you mean warehouse?)");
  EXPECT_EQ(DidYouMean("Catalog", {"catalog", "warehouse"}), " (did you mean catalog?)");
}

TEST(DidYouMean, KnowsTheNameBehindTheDot) {
  EXPECT_EQ(DidYouMean("media_event", {"bronze.media_events"}),
            " (did you mean bronze.media_events?)");
}

TEST(DidYouMean, IsSilentWhenNothingIsNear) {
  EXPECT_EQ(DidYouMean("landing", {"catalog", "warehouse"}), "");
  EXPECT_EQ(DidYouMean("x", {}), "");
  EXPECT_EQ(DidYouMean("", {"a"}), "");
}

}  // namespace
}  // namespace playhead
