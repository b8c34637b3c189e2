#include "playhead/decode/time_text.h"

#include <gtest/gtest.h>

#include <ctime>
#include <string>
#include <utility>

namespace playhead::decode {
namespace {

constexpr int64_t kSecond = 1'000'000;

/// Independent of the code under test: the C library's calendar.
int64_t Utc(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  std::tm fields{};
  fields.tm_year = year - 1900;
  fields.tm_mon = month - 1;
  fields.tm_mday = day;
  fields.tm_hour = hour;
  fields.tm_min = minute;
  fields.tm_sec = second;
  return timegm(&fields) * kSecond;
}

int64_t Read(std::string_view text, const TimeZone& zone = TimeZone()) {
  int64_t micros = INT64_MIN;
  EXPECT_EQ(ParseTime(text, zone, &micros), TimeOutcome::kGood) << text;
  return micros;
}

TimeOutcome Outcome(std::string_view text) {
  int64_t micros = 0;
  return ParseTime(text, TimeZone(), &micros);
}

TEST(TimeText, ReadsEveryOffset) {
  int64_t expected = Utc(2021, 12, 6, 18, 30, 19);
  for (std::string_view text :
       {"2021-12-06T18:30:19Z", "2021-12-06T18:30:19z", "2021-12-06t18:30:19Z",
        "2021-12-06 18:30:19", "2021-12-06T19:30:19+0100", "2021-12-06T19:30:19+01:00",
        "2021-12-06T19:30:19+01", "2021-12-06 19:30:19 +0100", "2021-12-06T13:00:19-05:30",
        "2021-12-06 18:30:19 UTC", "2021-12-07T00:15:19+05:45", "2021-12-06T18:30:19-00:00"}) {
    EXPECT_EQ(Read(text), expected) << text;
  }
}

TEST(TimeText, ReadsFractionsToTheMicrosecond) {
  int64_t second = Utc(2024, 2, 29, 23, 59, 59);
  EXPECT_EQ(Read("2024-02-29T23:59:59.1Z"), second + 100'000);
  EXPECT_EQ(Read("2024-02-29T23:59:59.123456Z"), second + 123'456);
  EXPECT_EQ(Read("2024-02-29T23:59:59.123456789Z"), second + 123'456);
  EXPECT_EQ(Read("2024-02-29T23:59:59,5"), second + 500'000);
  EXPECT_EQ(Outcome("2024-02-29T23:59:59.1234567890Z"), TimeOutcome::kNotATime);
  EXPECT_EQ(Outcome("2024-02-29T23:59:59.Z"), TimeOutcome::kNotATime);
}

TEST(TimeText, ReadsShortFormsAndOldTimes) {
  EXPECT_EQ(Read("2024-01-01"), Utc(2024, 1, 1));
  EXPECT_EQ(Read("2024-01-01T07:05"), Utc(2024, 1, 1, 7, 5));
  EXPECT_EQ(Read("1969-12-31T23:59:59.5Z"), -500'000);
  EXPECT_EQ(Read("0001-01-01"), Utc(1, 1, 1));
  EXPECT_EQ(Read("9999-12-31T23:59:59Z"), Utc(9999, 12, 31, 23, 59, 59));
  EXPECT_EQ(Read("2016-12-31T23:59:60Z"), Utc(2017, 1, 1));
}

TEST(TimeText, ReadsTheCommonFormsAsTheOthers) {
  // The same with another offset takes the general way.
  auto read = [](std::string text, int64_t* micros) {
    const TimeOutcome common = ParseTime(text, TimeZone(), micros);
    if (text.back() != 'Z') return std::pair(common, common);
    int64_t general_micros = INT64_MIN;
    text.replace(text.size() - 1, 1, "+00:00");
    const TimeOutcome general = ParseTime(text, TimeZone(), &general_micros);
    if (general == TimeOutcome::kGood) {
      EXPECT_EQ(*micros, general_micros) << text;
    }
    return std::pair(common, general);
  };
  for (std::string_view good : {"2024-02-29T23:59:58.407Z", "1969-12-31T00:00:00Z"}) {
    for (size_t at = 0; at < good.size(); ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(good);
        text[at] = static_cast<char>(c);
        int64_t micros = INT64_MIN;
        auto [common, general] = read(text, &micros);
        ASSERT_EQ(common, general) << text;
      }
    }
  }
  EXPECT_EQ(Read("2024-02-29T23:59:58.407Z"), Utc(2024, 2, 29, 23, 59, 58) + 407'000);
  EXPECT_EQ(Read("0001-01-01T00:00:00Z"), Utc(1, 1, 1));
  EXPECT_EQ(Read("9999-12-31T23:59:59.999Z"), Utc(9999, 12, 31, 23, 59, 59) + 999'000);
}

TEST(TimeText, AnOffsetDoesNotLeadOutOfTheCalendar) {
  EXPECT_EQ(Outcome("0001-01-01T00:59:59+01:00"), TimeOutcome::kOutOfRange);
  EXPECT_EQ(Outcome("9999-12-31T23:00:00-01:00"), TimeOutcome::kOutOfRange);
  EXPECT_EQ(Outcome("9999-12-31T23:59:60Z"), TimeOutcome::kOutOfRange);
  EXPECT_EQ(Read("0001-01-01T01:00:00+01:00"), Utc(1, 1, 1));
  EXPECT_EQ(Read("9999-12-31T22:59:59-01:00"), Utc(9999, 12, 31, 23, 59, 59));
  auto berlin = TimeZone::Load("Europe/Berlin");
  ASSERT_TRUE(berlin.ok());
  int64_t micros = 0;
  EXPECT_EQ(ParseTime("0001-01-01 00:10:00", *berlin, &micros), TimeOutcome::kOutOfRange);
}

TEST(TimeText, TellsImpossibleTimesFromOtherText) {
  for (std::string_view text :
       {"2023-02-29", "2024-13-01", "2024-00-10", "2024-04-31T00:00:00Z", "2024-01-01T24:00:00Z",
        "2024-01-01T10:60:00Z", "2024-01-01T10:00:61Z", "0000-01-01", "2024-01-01T00:00:00+19:00",
        "2024-01-01T00:00:00+01:75"}) {
    EXPECT_EQ(Outcome(text), TimeOutcome::kOutOfRange) << text;
  }
  for (std::string_view text : {"",
                                "yesterday",
                                "2024",
                                "20240101",
                                "2024-1-1",
                                "01/02/2024",
                                "2024-01-01T",
                                "2024-01-01T1",
                                "2024-01-01T10",
                                "2024-01-01T10:",
                                "2024-01-01T10:00:",
                                "2024-01-01X10:00:00",
                                "2024-01-01T10:00:00 ",
                                "2024-01-01T10:00:00ZZ",
                                "2024-01-01T10:00:00+1",
                                "2024-01-01T10:00:00+1:00",
                                "2024-01-01T10:00:00+01:0",
                                "-024-01-01",
                                "2024-01-0a",
                                "2024-01-01T10:00:00 Europe/Berlin"}) {
    EXPECT_EQ(Outcome(text), TimeOutcome::kNotATime) << text;
  }
}

TEST(TimeText, ADateIsTheWrittenOne) {
  int32_t days = 0;
  EXPECT_EQ(ParseDate("1970-01-02", &days), TimeOutcome::kGood);
  EXPECT_EQ(days, 1);
  EXPECT_EQ(ParseDate("1956-05-07T00:00:00.000+0000", &days), TimeOutcome::kGood);
  EXPECT_EQ(days, Utc(1956, 5, 7) / kSecond / 86'400);
  EXPECT_EQ(ParseDate("2024-01-05T23:30:00-05:00", &days), TimeOutcome::kGood);
  EXPECT_EQ(days, Utc(2024, 1, 5) / kSecond / 86'400);
  EXPECT_EQ(ParseDate("2024-02-30", &days), TimeOutcome::kOutOfRange);
}

TimeZone Zone(std::string_view name) {
  auto zone = TimeZone::Load(name);
  EXPECT_TRUE(zone.ok()) << zone.status().ToString();
  return *std::move(zone);
}

TEST(TimeZone, ReadsTheWallClock) {
  TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(Read("2024-01-15 12:00:00", berlin), Utc(2024, 1, 15, 11));
  EXPECT_EQ(Read("2024-07-15 12:00:00", berlin), Utc(2024, 7, 15, 10));
  EXPECT_EQ(Read("2024-07-15", berlin), Utc(2024, 7, 14, 22));
  EXPECT_EQ(Read("2024-07-15T12:00:00Z", berlin), Utc(2024, 7, 15, 12));
  EXPECT_EQ(Read("2024-07-15 12:00:00", Zone("Asia/Kathmandu")), Utc(2024, 7, 15, 6, 15));
  EXPECT_EQ(Read("2024-07-15 12:00:00", Zone("Etc/UTC")), Utc(2024, 7, 15, 12));
}

TEST(TimeZone, GapAndRepeatedHourUseTheOffsetBefore) {
  // Berlin skipped 02:00 to 03:00 on 31 March 2024 and repeated it on 27 October.
  TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(Read("2024-03-31 01:59:59", berlin), Utc(2024, 3, 31, 0, 59, 59));
  EXPECT_EQ(Read("2024-03-31 02:30:00", berlin), Utc(2024, 3, 31, 1, 30));
  EXPECT_EQ(Read("2024-03-31 03:00:00", berlin), Utc(2024, 3, 31, 1));
  EXPECT_EQ(Read("2024-10-27 01:59:59", berlin), Utc(2024, 10, 26, 23, 59, 59));
  EXPECT_EQ(Read("2024-10-27 02:30:00", berlin), Utc(2024, 10, 27, 0, 30));
  EXPECT_EQ(Read("2024-10-27 03:00:00", berlin), Utc(2024, 10, 27, 2));
}

TEST(TimeZone, GoesOnBehindTheLastStoredChange) {
  // The files store changes to 2037 at most; behind that the rule in the footer holds.
  TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(Read("2100-01-15 12:00:00", berlin), Utc(2100, 1, 15, 11));
  EXPECT_EQ(Read("2100-07-15 12:00:00", berlin), Utc(2100, 7, 15, 10));
  TimeZone sydney = Zone("Australia/Sydney");
  EXPECT_EQ(Read("2090-01-15 12:00:00", sydney), Utc(2090, 1, 15, 1));
  EXPECT_EQ(Read("2090-07-15 12:00:00", sydney), Utc(2090, 7, 15, 2));
  TimeZone new_york = Zone("America/New_York");
  EXPECT_EQ(Read("2060-01-15 12:00:00", new_york), Utc(2060, 1, 15, 17));
  EXPECT_EQ(Read("2060-07-15 12:00:00", new_york), Utc(2060, 7, 15, 16));
}

/// mktime() for a zone, as the C library sees it: another reader of the same files.
int64_t LibcMicros(const char* zone, int64_t local_s) {
  setenv("TZ", zone, 1);
  tzset();
  std::time_t as_utc = local_s;
  std::tm fields{};
  gmtime_r(&as_utc, &fields);
  fields.tm_isdst = -1;
  int64_t result = std::mktime(&fields) * kSecond;
  // Only unambiguous times are comparable: mktime may choose either reading of the others.
  std::tm back{};
  std::time_t result_s = result / kSecond;
  localtime_r(&result_s, &back);
  bool exists = timegm(&back) == local_s;
  for (int64_t shift_s : {-7200, -3600, -1800, 1800, 3600, 7200}) {
    std::time_t other_s = result / kSecond + shift_s;
    localtime_r(&other_s, &back);
    if (timegm(&back) == local_s) exists = false;
  }
  unsetenv("TZ");
  tzset();
  return exists ? result : INT64_MIN;
}

TEST(TimeZone, AgreesWithTheCLibrary) {
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe",
        "America/Sao_Paulo", "Africa/Casablanca", "Europe/Dublin"}) {
    TimeZone zone = Zone(name);
    int compared = 0;
    for (int64_t s = Utc(1975, 1, 1) / kSecond; s < Utc(2075, 1, 1) / kSecond;
         s += 86'400 * 3 + 4217) {
      int64_t expected = LibcMicros(name, s);
      if (expected == INT64_MIN) continue;
      ++compared;
      ASSERT_EQ(zone.ToUtcSeconds(s) * kSecond, expected) << name << " local=" << s;
    }
    EXPECT_GT(compared, 10'000) << name;
  }
}

TEST(TimeZone, RefusesWhatIsNoZone) {
  for (std::string_view name : {"Mars/Olympus", "", "../../etc/passwd", "/etc/passwd", "Europe"}) {
    EXPECT_FALSE(TimeZone::Load(name).ok()) << name;
  }
}

}  // namespace
}  // namespace playhead::decode
