#include "playhead/iceberg/values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace playhead::iceberg {
namespace {

using std::string_literals::operator""s;

TEST(Values, AreLittleEndian) {
  EXPECT_EQ(EncodeBool(true), "\x01"s);
  EXPECT_EQ(EncodeBool(false), "\x00"s);
  EXPECT_EQ(EncodeInt(1), "\x01\x00\x00\x00"s);
  EXPECT_EQ(EncodeInt(-2), "\xFE\xFF\xFF\xFF"s);
  EXPECT_EQ(EncodeLong(0x0102030405060708), "\x08\x07\x06\x05\x04\x03\x02\x01"s);
  EXPECT_EQ(EncodeFloat(-4.5F), "\x00\x00\x90\xC0"s);                 // IEEE 754: 0xC0900000
  EXPECT_EQ(EncodeDouble(6.0), "\x00\x00\x00\x00\x00\x00\x18\x40"s);  // 0x4018000000000000
}

TEST(Values, PartitionValuesAreEncodedByKind) {
  EXPECT_EQ(EncodePartitionValue({}), "");
  EXPECT_EQ(EncodePartitionValue(true), "\x01"s);
  EXPECT_EQ(EncodePartitionValue(int32_t{20'686}), "\xCE\x50\x00\x00"s);
  EXPECT_EQ(EncodePartitionValue(int64_t{-1}), std::string(8, '\xFF'));
  EXPECT_EQ(EncodePartitionValue("play"s), "play");
}

TEST(Truncate, ShortStringsStay) {
  EXPECT_EQ(TruncateLower("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(TruncateUpper("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(TruncateUpper(""), "");
}

TEST(Truncate, LongUpperBoundEndsOneHigher) {
  EXPECT_EQ(TruncateLower("0123456789abcdefXYZ"), "0123456789abcdef");
  EXPECT_EQ(TruncateUpper("0123456789abcdefXYZ"), "0123456789abcdeg");
}

TEST(Truncate, CountsCodePointsNotBytes) {
  EXPECT_EQ(TruncateLower("äöü", 2), "äö");
  EXPECT_EQ(TruncateUpper("äöü", 2), "ä÷");                               // U+00F6 + 1
  EXPECT_EQ(TruncateUpper("\xF0\x9F\x98\x80xx", 1), "\xF0\x9F\x98\x81");  // U+1F600 + 1
}

TEST(Truncate, IncrementGrowsTheEncodingAndSkipsSurrogates) {
  EXPECT_EQ(TruncateUpper("\x7Fz", 1), "\xC2\x80");                  // U+007F -> U+0080
  EXPECT_EQ(TruncateUpper("\xDF\xBFz", 1), "\xE0\xA0\x80");          // U+07FF -> U+0800
  EXPECT_EQ(TruncateUpper("\xEF\xBF\xBFz", 1), "\xF0\x90\x80\x80");  // U+FFFF -> U+10000
  EXPECT_EQ(TruncateUpper("\xED\x9F\xBFz", 1), "\xEE\x80\x80");      // U+D7FF -> U+E000
}

TEST(Truncate, LastCodePointOfAllGivesWayToTheOneBefore) {
  const std::string last = "\xF4\x8F\xBF\xBF";  // U+10FFFF
  EXPECT_EQ(TruncateUpper("a" + last + "z", 2), "b");
  EXPECT_EQ(TruncateUpper(last + last + "z", 2), std::nullopt);
}

TEST(Truncate, NoUpperBoundForBytesThatAreNotUtf8) {
  EXPECT_EQ(TruncateUpper("a\xFF"
                          "bc",
                          2),
            std::nullopt);
  EXPECT_EQ(TruncateUpper("\x80\x80\x80", 0), "\x80\x80\x80");
}

TEST(Transforms, FloorBefore1970) {
  constexpr int64_t kHour = 3'600'000'000;
  constexpr int64_t kDay = 24 * kHour;
  EXPECT_EQ(DayOf(0), 0);
  EXPECT_EQ(DayOf(kDay - 1), 0);
  EXPECT_EQ(DayOf(kDay), 1);
  EXPECT_EQ(DayOf(-1), -1);
  EXPECT_EQ(DayOf(-kDay), -1);
  EXPECT_EQ(DayOf(-kDay - 1), -2);
  EXPECT_EQ(HourOf(kHour), 1);
  EXPECT_EQ(HourOf(-1), -1);
  // Spec, Appendix B: 2017-11-16T22:31:08 is day 17486.
  EXPECT_EQ(DayOf(1'510'871'468'000'000), 17'486);
  EXPECT_EQ(HourOf(1'510'871'468'000'000), 419'686);
}

TEST(Transforms, ExtremesAreClamped) {
  EXPECT_EQ(DayOf(std::numeric_limits<int64_t>::min()), -106'751'992);
  EXPECT_EQ(HourOf(std::numeric_limits<int64_t>::min()), std::numeric_limits<int32_t>::min());
  EXPECT_EQ(HourOf(std::numeric_limits<int64_t>::max()), std::numeric_limits<int32_t>::max());
}

PartitionField Field(std::string name, Transform transform) {
  return PartitionField{
      .source_id = 1, .field_id = 1000, .name = std::move(name), .transform = transform};
}

TEST(HiveFolder, TimesAreDates) {
  EXPECT_EQ(HiveFolder(Field("date", Transform::kDay), int32_t{0}), "date=1970-01-01");
  EXPECT_EQ(HiveFolder(Field("date", Transform::kDay), int32_t{-1}), "date=1969-12-31");
  EXPECT_EQ(HiveFolder(Field("date", Transform::kDay), int32_t{11'016}), "date=2000-02-29");
  EXPECT_EQ(HiveFolder(Field("hour", Transform::kHour), int32_t{29}), "hour=1970-01-02-05");
  EXPECT_EQ(HiveFolder(Field("hour", Transform::kHour), int32_t{-1}), "hour=1969-12-31-23");
  EXPECT_EQ(HiveFolder(Field("m", Transform::kMonth), int32_t{-1}), "m=1969-12");
  EXPECT_EQ(HiveFolder(Field("y", Transform::kYear), int32_t{68}), "y=2038");
}

TEST(HiveFolder, IdentityFollowsTheSourceType) {
  const PartitionField field = Field("d", Transform::kIdentity);
  EXPECT_EQ(HiveFolder(field, int32_t{31}), "d=31");
  EXPECT_EQ(HiveFolder(field, int32_t{31}, TypeKind::kDate), "d=1970-02-01");
  EXPECT_EQ(HiveFolder(field, int64_t{-1}, TypeKind::kTimestamptz),
            "d=1969-12-31T23%3A59%3A59.999999");
  EXPECT_EQ(HiveFolder(field, true), "d=true");
}

TEST(HiveFolder, EscapesAsHiveDoes) {
  const PartitionField field = Field("a/b", Transform::kIdentity);
  EXPECT_EQ(HiveFolder(field, "x y"s), "a%2Fb=x y");
  EXPECT_EQ(HiveFolder(field, "50%=1:2?\n"s), "a%2Fb=50%25%3D1%3A2%3F%0A");
  EXPECT_EQ(HiveFolder(field, "ü+"s), "a%2Fb=ü+");
  EXPECT_EQ(HiveFolder(field, "..\\{}"s), "a%2Fb=..%5C%7B}");
}

TEST(HiveFolder, NullAndEmptyAreTheDefaultPartition) {
  const PartitionField field = Field("d", Transform::kIdentity);
  EXPECT_EQ(HiveFolder(field, {}), "d=__HIVE_DEFAULT_PARTITION__");
  EXPECT_EQ(HiveFolder(field, ""s), "d=__HIVE_DEFAULT_PARTITION__");
}

TEST(HiveFolder, DaysBeyondTheCalendarLibraryStillPrint) {
  // 400 Gregorian years are 146,097 days; 100 times that is 40,000 years.
  EXPECT_EQ(HiveFolder(Field("d", Transform::kDay), int32_t{14'609'700}), "d=41970-01-01");
}

}  // namespace
}  // namespace playhead::iceberg
