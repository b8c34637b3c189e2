#include "playhead/decode/number_text.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace playhead::decode {
namespace {

NumberParts Split(std::string_view text, NumberStyle style = NumberStyle::kText) {
  NumberParts parts;
  EXPECT_TRUE(SplitNumber(text, style, &parts)) << text;
  return parts;
}

struct Integer {
  NumberOutcome outcome;
  int64_t value = 0;
};

Integer ReadInteger(std::string_view text, int64_t min = INT64_MIN, int64_t max = INT64_MAX) {
  Integer result{};
  result.outcome = ToInteger(Split(text), min, max, &result.value);
  return result;
}

TEST(NumberText, JsonStyleIsStrict) {
  NumberParts parts;
  for (std::string_view good : {"0", "-0", "10", "1.5", "1e5", "1E+5", "-1.25e-3"}) {
    EXPECT_TRUE(SplitNumber(good, NumberStyle::kJson, &parts)) << good;
  }
  for (std::string_view bad : {"", "-", "+1", "01", ".5", "5.", "1e", "1e+", "0x10", "nan", "inf",
                               "NaN", "Infinity", "1 ", " 1", "1_000", "--1", "1.2.3"}) {
    EXPECT_FALSE(SplitNumber(bad, NumberStyle::kJson, &parts)) << bad;
  }
}

TEST(NumberText, TextStyleTakesWhatPeopleWrite) {
  NumberParts parts;
  for (std::string_view good : {"+1", "007", ".5", "5.", "-0012.50e2"}) {
    EXPECT_TRUE(SplitNumber(good, NumberStyle::kText, &parts)) << good;
  }
  for (std::string_view bad : {".", "", "+", "+-1", "e5", "nan", "1,5", "1 000", "0x1F"}) {
    EXPECT_FALSE(SplitNumber(bad, NumberStyle::kText, &parts)) << bad;
  }
}

TEST(NumberText, IntegersAreExact) {
  EXPECT_EQ(ReadInteger("9223372036854775807").value, INT64_MAX);
  EXPECT_EQ(ReadInteger("-9223372036854775808").value, INT64_MIN);
  EXPECT_EQ(ReadInteger("1.0").value, 1);
  EXPECT_EQ(ReadInteger("-12.300e1").value, -123);
  EXPECT_EQ(ReadInteger("1e18").value, 1'000'000'000'000'000'000);
  EXPECT_EQ(ReadInteger("0000000000000000000000000042").value, 42);
  EXPECT_EQ(ReadInteger("-0").value, 0);
  EXPECT_EQ(ReadInteger("0e999999999999").value, 0);
}

TEST(NumberText, RefusesIntegersItCannotHold) {
  EXPECT_EQ(ReadInteger("9223372036854775808").outcome, NumberOutcome::kOutOfRange);
  EXPECT_EQ(ReadInteger("-9223372036854775809").outcome, NumberOutcome::kOutOfRange);
  EXPECT_EQ(ReadInteger("1e19").outcome, NumberOutcome::kOutOfRange);
  EXPECT_EQ(ReadInteger("1e999999999999999999").outcome, NumberOutcome::kOutOfRange);
  EXPECT_EQ(ReadInteger("2147483648", INT32_MIN, INT32_MAX).outcome, NumberOutcome::kOutOfRange);
  EXPECT_EQ(ReadInteger("1.5").outcome, NumberOutcome::kInexact);
  EXPECT_EQ(ReadInteger("1e-1").outcome, NumberOutcome::kInexact);
  std::string long_fraction = "1." + std::string(100, '0') + "1";
  EXPECT_EQ(ReadInteger(long_fraction).outcome, NumberOutcome::kInexact);
  EXPECT_EQ(ReadInteger(std::string(60, '7')).outcome, NumberOutcome::kOutOfRange);
}

TEST(NumberText, DoublesAreRoundedOnceAndOverflowIsSeen) {
  double value = 0;
  EXPECT_EQ(ToDouble(Split("0.1"), &value), NumberOutcome::kGood);
  EXPECT_EQ(value, 0.1);
  EXPECT_EQ(ToDouble(Split("+.5e1"), &value), NumberOutcome::kGood);
  EXPECT_EQ(value, 5.0);
  EXPECT_EQ(ToDouble(Split("1.7976931348623157e308"), &value), NumberOutcome::kGood);
  EXPECT_EQ(value, 1.7976931348623157e308);
  EXPECT_EQ(ToDouble(Split("1e309"), &value), NumberOutcome::kOutOfRange);
  EXPECT_EQ(ToDouble(Split("-1e999999"), &value), NumberOutcome::kOutOfRange);
  EXPECT_EQ(ToDouble(Split("-1e-999999"), &value), NumberOutcome::kGood);
  EXPECT_EQ(value, 0.0);
  EXPECT_TRUE(std::signbit(value));
  float narrow = 0;
  EXPECT_EQ(ToFloat(Split("3.5e38"), &narrow), NumberOutcome::kOutOfRange);
  EXPECT_EQ(ToFloat(Split("0.1"), &narrow), NumberOutcome::kGood);
  EXPECT_EQ(narrow, 0.1F);
}

TEST(NumberText, DecimalsKeepEveryDigit) {
  __int128 value = 0;
  EXPECT_EQ(ToDecimal(Split("-12.5"), 10, 2, &value), NumberOutcome::kGood);
  EXPECT_TRUE(value == -1250);
  EXPECT_EQ(ToDecimal(Split("12.500"), 10, 2, &value), NumberOutcome::kGood);
  EXPECT_TRUE(value == 1250);
  EXPECT_EQ(ToDecimal(Split("12.505"), 10, 2, &value), NumberOutcome::kInexact);
  EXPECT_EQ(ToDecimal(Split("99999999.99"), 10, 2, &value), NumberOutcome::kGood);
  EXPECT_TRUE(value == 9'999'999'999);
  EXPECT_EQ(ToDecimal(Split("100000000"), 10, 2, &value), NumberOutcome::kOutOfRange);
  EXPECT_EQ(ToDecimal(Split("99999999999999999999999999999999999999"), 38, 0, &value),
            NumberOutcome::kGood);
  __int128 expected = 1;
  for (int i = 0; i < 38; ++i) expected *= 10;
  EXPECT_TRUE(value == expected - 1);
  EXPECT_EQ(ToDecimal(Split("1e38"), 38, 0, &value), NumberOutcome::kOutOfRange);
}

TEST(NumberText, TellsEpochUnitsApart) {
  int64_t micros = 0;
  auto read = [&](std::string_view text) {
    EXPECT_EQ(ToEpochMicros(Split(text), &micros), NumberOutcome::kGood) << text;
    return micros;
  };
  EXPECT_EQ(read("0"), 0);
  EXPECT_EQ(read("1700000000"), 1'700'000'000'000'000);
  EXPECT_EQ(read("1700000000.25"), 1'700'000'000'250'000);
  EXPECT_EQ(read("1700000000123"), 1'700'000'000'123'000);
  EXPECT_EQ(read("1700000000123.5"), 1'700'000'000'123'500);
  EXPECT_EQ(read("1700000000123456"), 1'700'000'000'123'456);
  EXPECT_EQ(read("1700000000123456.9"), 1'700'000'000'123'456);
  EXPECT_EQ(read("1.7e9"), 1'700'000'000'000'000);
  EXPECT_EQ(read("-1.5"), -1'500'000);
  EXPECT_EQ(read("-0.0000001"), -1);
  EXPECT_EQ(read("99999999999"), 99'999'999'999'000'000);
  EXPECT_EQ(read("100000000000"), 100'000'000'000'000);
  EXPECT_EQ(read("0.00000000000000000000000000000000000000000000000001"), 0);
  EXPECT_EQ(ToEpochMicros(Split("1700000000123456789"), &micros), NumberOutcome::kOutOfRange);
  EXPECT_EQ(ToEpochMicros(Split("1e30"), &micros), NumberOutcome::kOutOfRange);
}

}  // namespace
}  // namespace playhead::decode
