#include "playhead/sim/startup.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr SimOptions kOptions = {.events = 5000, .seed = 4};

// The vendor's capitals include é, ö, ü; undone here by table, not by rule.
std::string Lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const auto& [upper, lower] :
       std::map<std::string, std::string>{{"É", "é"}, {"Ü", "ü"}, {"Ö", "ö"}, {"Í", "í"}}) {
    for (size_t at; (at = text.find(upper)) != std::string::npos;) text.replace(at, 2, lower);
  }
  return text;
}

class StartupFiles : public FolderTest {};

struct Stream {
  std::string title, email;
  double size_mb = 0;
  int64_t start_ms = 0, end_ms = 0;
};

// Lines that the lake must have as rows; a line seen before is a repeat and left out.
std::vector<Stream> GoodStreams(const std::filesystem::path& path) {
  std::vector<Stream> streams;
  std::vector<Row> rows = ReadCsv(path);
  EXPECT_EQ(rows.at(0), (Row{"movie_title", "user_email", "size_mb", "start_at", "end_at"}));
  Row last;
  for (size_t i = 1; i < rows.size(); ++i) {
    const Row& row = rows[i];
    if (row.size() != 5 || row[0].empty() || row[2] == "unknown" || row[3] < "2000") continue;
    if (row == last) continue;
    last = row;
    streams.push_back(
        {Lower(row[0]), row[1], std::stod(row[2]), Milliseconds(row[3]), Milliseconds(row[4])});
  }
  return streams;
}

TEST_F(StartupFiles, AreTheSameBytesForTheSameOptions) {
  const auto simulator = MustMake("startup", kOptions);
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  const auto first = Contents();
  const std::string truth = simulator->TruthJson();
  EXPECT_EQ(first.size(), 6u);
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  EXPECT_TRUE(first == Contents());
  EXPECT_EQ(truth, simulator->TruthJson());
  ASSERT_TRUE(MustMake("startup", kOptions)->WriteLandingFiles(folder_).ok());
  EXPECT_TRUE(first == Contents());
}

TEST_F(StartupFiles, HaveTheShapeOfTheRealOnes) {
  ASSERT_TRUE(MustMake("startup", kOptions)->WriteLandingFiles(folder_).ok());
  EXPECT_EQ(ReadCsv(folder_ / "internal/users.csv")[0], (Row{"first_name", "last_name", "email"}));
  EXPECT_EQ(ReadCsv(folder_ / "internal/movies.csv")[0],
            (Row{"title", "duration_mins", "original_language", "size_mb"}));
  const json authors = json::parse(ReadFile(folder_ / "vendor/authors.json"));
  EXPECT_TRUE(authors.back()["metadata"]["name"].is_null());
  EXPECT_EQ(authors.back()["nationalities"][1]["label"], "unknown");
  EXPECT_EQ(authors[0]["nationalities"].size(), 2u);
  std::set<std::string> names;
  for (const json& author : authors) {
    if (author["metadata"]["name"].is_null()) continue;
    EXPECT_TRUE(names.insert(Lower(author["metadata"]["name"])).second);
  }
  const json books = json::parse(ReadFile(folder_ / "vendor/books.json"));
  for (const json& book : books) EXPECT_TRUE(names.contains(Lower(book["author"])));
  const json reviews = json::parse(ReadFile(folder_ / "vendor/reviews.json"));
  for (const json& review : reviews) {
    ASSERT_EQ(review["movies"].size(), 2u);
    EXPECT_EQ((review["movies"][0]["title"] == "end") + (review["movies"][1]["title"] == "end"), 1);
    EXPECT_EQ(review["books"][0]["metadata"]["pages"], "unknown");
    EXPECT_LE(Milliseconds(review["created"]), Milliseconds(review["updated"]));
    const std::string title = review["books"][0]["metadata"]["title"];
    EXPECT_TRUE(std::none_of(title.begin(), title.end(), [](char c) { return std::islower(c); }));
  }
}

TEST_F(StartupFiles, StreamsAreOfKnownUsersAndMoviesInOrderWithinTheMonth) {
  ASSERT_TRUE(MustMake("startup", kOptions)->WriteLandingFiles(folder_).ok());
  std::set<std::string> emails, titles;
  for (const Row& row : ReadCsv(folder_ / "internal/users.csv")) emails.insert(row[2]);
  for (const Row& row : ReadCsv(folder_ / "internal/movies.csv")) titles.insert(Lower(row[0]));
  EXPECT_TRUE(titles.contains("unforgiven"));
  const std::vector<Stream> streams = GoodStreams(folder_ / "internal/streams.csv");
  EXPECT_EQ(streams.size(), 5000u);
  int64_t last_ms = 1'638'316'800'000 - 1;  // 2021-12-01 UTC
  for (const Stream& stream : streams) {
    EXPECT_TRUE(emails.contains(stream.email));
    EXPECT_TRUE(titles.contains(stream.title));
    EXPECT_GT(stream.start_ms, last_ms);
    EXPECT_GT(stream.end_ms, stream.start_ms);
    last_ms = stream.start_ms;
  }
  EXPECT_LT(last_ms, 1'640'995'200'000);  // 2022-01-01 UTC
}

TEST_F(StartupFiles, CountsAreThoseOfTheFiles) {
  const auto simulator = MustMake("startup", {.events = 6000, .seed = 9, .faults = 0.05});
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  const json truth = json::parse(simulator->TruthJson());
  const std::vector<Stream> streams = GoodStreams(folder_ / "internal/streams.csv");
  const json& counts = truth["streams"]["streams"];
  EXPECT_EQ(counts["records"], 6000);
  EXPECT_EQ(counts["files"][0]["records"], ReadCsv(folder_ / "internal/streams.csv").size() - 1);
  EXPECT_EQ(counts["good"].get<int>() - counts["faults"]["duplicate"]["good"].get<int>(),
            streams.size());
  EXPECT_EQ(counts["faults"].size(), 5u);
}

TEST_F(StartupFiles, TheMonthIsTheDecemberOfTheYearAskedFor) {
  const int64_t june_2020_us = 1'591'000'000'000'000;
  ASSERT_TRUE(MustMake("startup", {.events = 50, .from_us = june_2020_us})
                  ->WriteLandingFiles(folder_)
                  .ok());
  const auto rows = ReadCsv(folder_ / "internal/streams.csv");
  EXPECT_EQ(rows.at(1)[3].substr(0, 7), "2020-12");
  EXPECT_EQ(rows.at(50)[3].substr(0, 10), "2020-12-31");
}

TEST_F(StartupFiles, AFolderThatCannotBeMadeIsAnErrorWithItsPath) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "internal") << "a file where a folder should be";
  const Status status = MustMake("startup", kOptions)->WriteLandingFiles(folder_);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("internal/users.csv"), std::string::npos);
}

TEST(StartupSimulator, HasNoEventStreams) {
  const auto simulator = MustMake("startup", kOptions);
  EXPECT_TRUE(simulator->streams().empty());
  const Sink sink = [](auto, auto) { return OkStatus(); };
  EXPECT_EQ(simulator->Generate("", 10, sink).value(), 0);
  EXPECT_EQ(simulator->Generate("streams", 10, sink).status().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace playhead::sim
