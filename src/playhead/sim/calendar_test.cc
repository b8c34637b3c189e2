#include "playhead/sim/calendar.h"

#include <gtest/gtest.h>

namespace playhead::sim {
namespace {

std::string Text(TimestampText text, int64_t time_ms) {
  std::string out;
  text.Append(time_ms, out);
  return out;
}

TEST(Calendar, KnowsLeapDaysAndTimesBefore1970) {
  EXPECT_EQ(DayNumber(1970, 1, 1), 0);
  EXPECT_EQ(DayNumber(2000, 3, 1), 11'017);  // date -d 2000-03-01 +%s / 86400
  EXPECT_EQ(DateText(11'016), "2000-02-29");
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(DateText(-1), "1969-12-31");
  EXPECT_EQ(YearOf(-1), 1969);
}

TEST(TimestampText, WritesMillisecondsInTheGivenOffset) {
  const int64_t time_ms = 1'640'386'799'007;  // 2021-12-24T22:59:59.007Z
  EXPECT_EQ(Text(TimestampText(), time_ms), "2021-12-24T22:59:59.007Z");
  EXPECT_EQ(Text(TimestampText(1, "+0100"), time_ms), "2021-12-24T23:59:59.007+0100");
  EXPECT_EQ(Text(TimestampText(2, "", ' '), time_ms), "2021-12-25 00:59:59.007");
  EXPECT_EQ(Text(TimestampText(), -1), "1969-12-31T23:59:59.999Z");
}

TEST(TimestampText, FollowsTheDayForwardAndBack) {
  TimestampText text;
  std::string out;
  text.Append(kMillisPerDay - 1, out);
  text.Append(kMillisPerDay, out);
  text.Append(0, out);
  EXPECT_EQ(out, "1970-01-01T23:59:59.999Z1970-01-02T00:00:00.000Z1970-01-01T00:00:00.000Z");
}

TEST(WeeklyCurve, AnAverageWeekOfActivityTakesAWeek) {
  const WeeklyCurve curve;
  const int64_t from_ms = DayNumber(2025, 3, 5) * kMillisPerDay + 7 * kMillisPerHour;
  const int64_t week_ms = 7 * kMillisPerDay;
  // The mean weight is a whole number, so a week may be short by its rest: under two percent.
  EXPECT_NEAR(static_cast<double>(curve.After(from_ms, week_ms) - from_ms),
              static_cast<double>(week_ms), 0.02 * static_cast<double>(week_ms));
  EXPECT_EQ(curve.After(from_ms, 0), from_ms);
}

TEST(WeeklyCurve, AnHourOfActivityPassesSoonInTheEveningAndSlowlyAtNight) {
  const WeeklyCurve curve;
  const int64_t monday_ms = DayNumber(2025, 3, 3) * kMillisPerDay;
  const auto wait_ms = [&](int64_t hour) {
    const int64_t from_ms = monday_ms + hour * kMillisPerHour;
    return curve.After(from_ms, kMillisPerHour / 4) - from_ms;
  };
  EXPECT_LT(wait_ms(20), kMillisPerHour / 4);
  EXPECT_GT(wait_ms(2), kMillisPerHour);
}

TEST(WeeklyCurve, DividesASpanFromItsBeginToItsEnd) {
  const WeeklyCurve curve;
  const int64_t begin_ms = DayNumber(2021, 12, 1) * kMillisPerDay;
  const int64_t end_ms = DayNumber(2022, 1, 1) * kMillisPerDay;
  constexpr int64_t kWhole = 1 << 30;
  EXPECT_EQ(curve.Divide(begin_ms, end_ms, 0, kWhole), begin_ms);
  int64_t last_ms = begin_ms;
  for (int64_t part = 1; part < 1000; ++part) {
    const int64_t time_ms = curve.Divide(begin_ms, end_ms, part * (kWhole / 1000), kWhole);
    EXPECT_GT(time_ms, last_ms);
    EXPECT_LT(time_ms, end_ms);
    last_ms = time_ms;
  }
}

}  // namespace
}  // namespace playhead::sim
