#include "playhead/base/civil_date.h"

#include <gtest/gtest.h>

namespace playhead {
namespace {

TEST(CivilDate, ParsesWhatItWrites) {
  EXPECT_EQ(ParseDay("1970-01-01"), 0);
  EXPECT_EQ(ParseDay("1969-12-31"), -1);
  EXPECT_EQ(ParseDay("2024-02-29"), 19'782);
  for (const int32_t days : {-719'162, -1, 0, 19'782, 2'932'896}) {
    EXPECT_EQ(ParseDay(DayText(days)), days);
  }
  EXPECT_EQ(DayText(-719'162), "0001-01-01");
  EXPECT_EQ(DayText(2'932'896), "9999-12-31");
}

TEST(CivilDate, RefusesOtherTextsAndImpossibleDays) {
  for (const char* text : {"", "2024-1-01", "2024-02-30", "2023-02-29", "0000-01-01", "2024-13-01",
                           "2024-01-01T", "2024/01/01", " 2024-01-01", "20240101"}) {
    EXPECT_FALSE(ParseDay(text)) << text;
  }
}

}  // namespace
}  // namespace playhead
