#include "playhead/ingest/landing_scan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace playhead::ingest {
namespace {

TEST(DateInName, ReadsTheLastDate) {
  EXPECT_EQ(DateInName("users_1970-01-02.csv"), 1);
  EXPECT_EQ(DateInName("2020-01-01_users_2000-03-01.csv.gz"), 11'017);
}

TEST(DateInName, KnowsTheCalendar) {
  EXPECT_FALSE(DateInName("users_2021-02-29.csv"));
  EXPECT_FALSE(DateInName("users_2021-13-01.csv"));
  EXPECT_FALSE(DateInName("users.csv"));
  EXPECT_FALSE(DateInName("users_20210101.csv"));
}

TEST(ParseDateRange, ReadsADayOrTwo) {
  const auto day = ParseDateRange("1970-01-03");
  ASSERT_TRUE(day.ok()) << day.error().ToString();
  EXPECT_EQ(*day, (DateRange{.first_days = 2, .last_days = 2}));
  const auto days = ParseDateRange("1970-01-01..1970-02-01");
  ASSERT_TRUE(days.ok()) << days.error().ToString();
  EXPECT_TRUE(days->Contains(0));
  EXPECT_TRUE(days->Contains(31));
  EXPECT_FALSE(days->Contains(32));
  EXPECT_FALSE(days->Contains(-1));
}

TEST(ParseDateRange, RefusesWhatIsNoDay) {
  for (const char* text : {"", "today", "2025-02-30", "2025-09-09 ", "x2025-09-09", "2025-09-09..",
                           "..2025-09-09", "2025-09-09..2025-09-01", "2025-09"}) {
    const auto dates = ParseDateRange(text);
    ASSERT_FALSE(dates.ok()) << text;
    EXPECT_EQ(dates.error().code(), StatusCode::kInvalidArgument);
  }
}

TEST(FitsPattern, MatchesWithinOnePart) {
  EXPECT_TRUE(FitsPattern("users.csv", "users.csv"));
  EXPECT_TRUE(FitsPattern("users_a.csv", "users_?.csv"));
  EXPECT_TRUE(FitsPattern("users_b.csv", "users_[a-c].csv"));
  EXPECT_FALSE(FitsPattern("users_d.csv", "users_[a-c].csv"));
  EXPECT_FALSE(FitsPattern("a/users.csv", "*.csv"));
}

TEST(FitsPattern, DoubleStarIsAnyFoldersOrNone) {
  EXPECT_TRUE(FitsPattern("users.csv", "**/users.csv"));
  EXPECT_TRUE(FitsPattern("a/users.csv", "**/users.csv"));
  EXPECT_TRUE(FitsPattern("a/b/users.csv", "**/users.csv"));
  EXPECT_FALSE(FitsPattern("a/b/myusers.csv", "**/users.csv"));
}

TEST(FitsPattern, BracesAreAlternatives) {
  EXPECT_TRUE(FitsPattern("a.json", "*.{json,csv}"));
  EXPECT_TRUE(FitsPattern("a.csv", "*.{json,csv}"));
  EXPECT_FALSE(FitsPattern("a.txt", "*.{json,csv}"));
  EXPECT_FALSE(FitsPattern("a.json", "*.{json"));
  EXPECT_TRUE(FitsPattern("a.csv", "*.csv{,.gz,.zst}"));
  EXPECT_TRUE(FitsPattern("a.csv.zst", "*.csv{,.gz,.zst}"));
  EXPECT_FALSE(FitsPattern("a.csv.bz2", "*.csv{,.gz,.zst}"));
}

TEST(FitsPattern, ADateIsADayOfTheCalendar) {
  EXPECT_TRUE(FitsPattern("users_2021-12-05.csv", "**/users_YYYY-MM-DD.csv"));
  EXPECT_FALSE(FitsPattern("users_2021-12-35.csv", "**/users_YYYY-MM-DD.csv"));
  EXPECT_FALSE(FitsPattern("users_old.csv", "**/users_YYYY-MM-DD.csv"));
}

class ScanLandingTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/landing-" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_ + "/in");
  }
  void Write(const std::string& name) { std::ofstream(folder_ + "/" + name) << "x"; }

  std::string folder_;
};

TEST_F(ScanLandingTest, TellsTakenUnmatchedAndAmbiguousApart) {
  project::Stream users{.name = "users", .table_namespace = "bronze", .identifier = "users"};
  users.landing = {"**/users.csv", "**/users_YYYY-MM-DD.csv"};
  project::Stream all{.name = "all", .table_namespace = "bronze", .identifier = "all"};
  all.landing = {"in/*.csv"};
  const std::vector<IngestStream> streams = {MakeIngestStream(users), MakeIngestStream(all)};
  Write("users_2021-12-05.csv");
  Write("in/users.csv");
  Write("in/other.csv");
  Write("notes.txt");
  Write(".hidden.csv");
  Write("users.csv.tmp");

  const Result<LandingScan> scan = ScanLanding(folder_, streams);
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  ASSERT_EQ(scan->files.size(), 2U);
  EXPECT_EQ(scan->files[0].name, "in/other.csv");
  EXPECT_EQ(scan->files[0].stream->name, "all");
  EXPECT_EQ(scan->files[1].name, "users_2021-12-05.csv");
  EXPECT_EQ(scan->files[1].date_days, 18'966);
  EXPECT_EQ(scan->unmatched,
            (std::vector<LeftAlone>{{.name = "notes.txt", .why = "no table declares it"}}));
  EXPECT_EQ(scan->unfinished, (std::vector<LeftAlone>{
                                  {.name = ".hidden.csv", .why = "hidden: its name begins with ."},
                                  {.name = "users.csv.tmp", .why = "unfinished by its ending"}}));
  EXPECT_EQ(scan->refused,
            (std::vector<LeftAlone>{
                {.name = "in/users.csv", .why = "it fits the landing patterns of users, all"}}));
}

TEST_F(ScanLandingTest, NamesAreThoseOfLinksNotOfWhatTheyLeadTo) {
  project::Stream users{.name = "users", .table_namespace = "bronze", .identifier = "users"};
  users.landing = {"**/*.csv"};
  const std::vector<IngestStream> streams = {MakeIngestStream(users)};
  // A mount of Kubernetes: names are links through a link to the folder of the version.
  namespace fs = std::filesystem;
  fs::create_directories(folder_ + "/..2026_01");
  Write("..2026_01/a.csv");
  fs::create_directory_symlink("..2026_01", folder_ + "/..data");
  fs::create_symlink("..data/a.csv", folder_ + "/a.csv");
  fs::create_symlink("nowhere.csv", folder_ + "/b.csv");
  fs::create_directory_symlink("in", folder_ + "/linked");

  auto scan = ScanLanding(folder_, streams);
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  ASSERT_EQ(scan->files.size(), 1U);
  EXPECT_EQ(scan->files[0].name, "a.csv");
  const std::string stamp = scan->files[0].stat.stamp;
  EXPECT_EQ(scan->unmatched,
            (std::vector<LeftAlone>{{.name = "b.csv", .why = "not a regular file"},
                                    {.name = "linked", .why = "a link to a folder"}}));
  // A new version: the same name with another content.
  fs::create_directories(folder_ + "/..2026_02");
  std::ofstream(folder_ + "/..2026_02/a.csv") << "longer";
  fs::create_directory_symlink("..2026_02", folder_ + "/..tmp");
  fs::rename(folder_ + "/..tmp", folder_ + "/..data");
  scan = ScanLanding(folder_, streams);
  ASSERT_EQ(scan->files.size(), 1U);
  EXPECT_EQ(scan->files[0].stat.bytes, 6);
  EXPECT_NE(scan->files[0].stat.stamp, stamp);
}

TEST_F(ScanLandingTest, ANameThatIsNotTextIsRefusedAndControlCharactersAreTaken) {
  project::Stream users{.name = "users", .table_namespace = "bronze", .identifier = "users"};
  users.landing = {"*.csv"};
  const std::vector<IngestStream> streams = {MakeIngestStream(users)};
  Write("a\nb.csv");
  Write("caf\xe9.csv");
  const auto scan = ScanLanding(folder_, streams);
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  ASSERT_EQ(scan->files.size(), 1U);
  EXPECT_EQ(scan->files[0].name, "a\nb.csv");
  EXPECT_EQ(scan->refused,
            (std::vector<LeftAlone>{{.name = "caf\\xe9.csv", .why = "its name is not UTF-8"}}));
}

TEST_F(ScanLandingTest, LooksOnlyAtTheDatesWanted) {
  project::Stream users{.name = "users", .table_namespace = "bronze", .identifier = "users"};
  users.landing = {"**/users*.csv"};
  const std::vector<IngestStream> streams = {MakeIngestStream(users)};
  for (const char* day : {"01", "02", "03"}) Write(std::string("users_1970-01-") + day + ".csv");
  Write("users.csv");
  Write("other_1970-01-02.csv");
  Write("other_1970-01-03.csv");
  const auto scan = ScanLanding(folder_, streams, {.first_days = 1, .last_days = 1}, 2);
  ASSERT_TRUE(scan.ok()) << scan.error().ToString();
  ASSERT_EQ(scan->files.size(), 1U);
  EXPECT_EQ(scan->files[0].name, "users_1970-01-02.csv");
  ASSERT_EQ(scan->unmatched.size(), 1U);
  EXPECT_EQ(scan->unmatched[0].name, "other_1970-01-02.csv");
  // Without a date in its name a file is of the day it arrives.
  const auto arrived = ScanLanding(folder_, streams, {.first_days = 7, .last_days = 9}, 8);
  ASSERT_TRUE(arrived.ok()) << arrived.error().ToString();
  ASSERT_EQ(arrived->files.size(), 1U);
  EXPECT_EQ(arrived->files[0].name, "users.csv");
}

TEST_F(ScanLandingTest, AMissingFolderHasNoFiles) {
  const Result<LandingScan> scan = ScanLanding(folder_ + "/nowhere", {});
  ASSERT_TRUE(scan.ok());
  EXPECT_TRUE(scan->files.empty());
}

}  // namespace
}  // namespace playhead::ingest
