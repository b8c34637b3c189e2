#include "playhead/sim/streampro.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr SimOptions kOptions = {.events = 6000, .seed = 3};

class StreamproFiles : public FolderTest {
 protected:
  // The lines of all event files, with the day of the file.
  std::vector<std::pair<std::string, std::string>> EventLines() const {
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& [name, text] : Contents()) {
      if (!name.starts_with("events_")) continue;
      std::istringstream in(text);
      for (std::string line; std::getline(in, line);) lines.emplace_back(name.substr(7, 10), line);
    }
    return lines;
  }
};

TEST_F(StreamproFiles, AreTheSameBytesForTheSameOptions) {
  const auto simulator = MustMake("streampro", kOptions);
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  const auto first = Contents();
  const std::string truth = simulator->TruthJson();
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  EXPECT_TRUE(first == Contents());
  EXPECT_EQ(truth, simulator->TruthJson());
}

TEST_F(StreamproFiles, ThereIsASetForEachDayAndUsersGrow) {
  ASSERT_TRUE(MustMake("streampro", kOptions)->WriteLandingFiles(folder_).ok());
  std::map<std::string, int> days;
  std::map<std::string, size_t> users;
  for (const auto& [name, text] : Contents()) {
    const size_t underscore = name.find('_');
    ++days[name.substr(underscore + 1, 10)];
    if (name.starts_with("users_")) {
      const auto rows = ReadCsv(folder_ / name);
      EXPECT_EQ(rows[0],
                (Row{"user_id", "signup_date", "subscription_tier", "age_group", "gender"}));
      for (size_t i = 1; i < rows.size(); ++i) EXPECT_LE(rows[i][1], name.substr(6, 10));
      users[name] = rows.size();
    }
  }
  EXPECT_EQ(days.begin()->first, "2025-09-08");
  EXPECT_GE(days.size(), 4u);
  EXPECT_LE(days.size(), 8u);
  for (const auto& [day, files] : days) EXPECT_EQ(files, 4) << day;
  EXPECT_GT(users.rbegin()->second, users.begin()->second);
  EXPECT_EQ(ReadCsv(folder_ / "videos_2025-09-08.csv")[0],
            (Row{"video_id", "title", "genre", "duration_seconds", "patent_id"}));
  EXPECT_EQ(ReadCsv(folder_ / "devices_2025-09-08.csv")[0],
            (Row{"device", "os", "model", "os_version"}));
}

TEST_F(StreamproFiles, EventsAreInOrderOfTimeInTheFileOfTheirDayAboutKnownThings) {
  ASSERT_TRUE(MustMake("streampro", kOptions)->WriteLandingFiles(folder_).ok());
  std::map<std::string, int64_t> video_seconds;
  for (const Row& row : ReadCsv(folder_ / "videos_2025-09-08.csv")) {
    if (row[0] != "video_id") video_seconds[row[0]] = std::stoi(row[3]);
  }
  std::map<std::string, std::string> os_of_device;
  for (const Row& row : ReadCsv(folder_ / "devices_2025-09-08.csv")) os_of_device[row[0]] = row[1];
  std::map<std::string, std::string> last_of_user;
  std::map<std::string, double> watched, ended;
  std::set<std::string> names, started;
  std::string last;
  for (const auto& [day, line] : EventLines()) {
    const json event = json::parse(line);
    const std::string time = event["timestamp"];
    EXPECT_EQ(time.substr(0, 10), day);
    EXPECT_LE(last, time);
    last = time;
    EXPECT_LT(last_of_user[event["user_id"]], time);
    last_of_user[event["user_id"]] = time;
    EXPECT_EQ(event["device_os"], os_of_device.at(event["device"]));
    const std::string name = event["event_name"];
    const std::string session = event["session_id"];
    names.insert(name);
    const bool is_about_video = name != "first_login" && !name.starts_with("session_");
    EXPECT_EQ(event.contains("video_id"), is_about_video) << line;
    if (is_about_video) {
      EXPECT_TRUE(video_seconds.contains(event["video_id"]));
      EXPECT_TRUE(started.contains(session));
    }
    if (name == "session_start") {
      EXPECT_TRUE(started.insert(session).second);
    }
    if (name == "watch_time") {
      EXPECT_GT(event["value"], 0.0);
      EXPECT_LE(event["value"], 15.0);
      watched[session] += event["value"].get<double>();
    }
    if (name == "session_end") ended[session] = event["value"];
  }
  for (const auto& [session, seconds] : ended) EXPECT_EQ(seconds, watched[session]);
  EXPECT_GT(ended.size(), 100u);
  for (const char* name :
       {"first_login", "session_start", "session_end", "watch_time", "like", "heart"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

TEST_F(StreamproFiles, CountsAreThoseOfTheFiles) {
  const auto simulator = MustMake("streampro", {.events = 5000, .seed = 5, .faults = 0.2});
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  const json truth = json::parse(simulator->TruthJson());
  int64_t files = 0;
  for (const auto& [table, counts] : truth["streams"].items()) {
    int64_t records = 0;
    int64_t good = 0;
    for (const json& file : counts["files"]) {
      const std::string text = ReadFile(folder_ / file["path"].get<std::string>());
      const auto lines = std::count(text.begin(), text.end(), '\n');
      EXPECT_EQ(file["records"], table == "events" ? lines : lines - 1);
      records += file["records"].get<int64_t>();
      ++files;
    }
    for (const json& partition : counts["partitions"]) good += partition["good"].get<int64_t>();
    EXPECT_EQ(counts["records"], records);
    EXPECT_EQ(counts["good"], good);
    EXPECT_EQ(counts["records"], counts["good"].get<int64_t>() + counts["dead"].get<int64_t>());
  }
  EXPECT_EQ(files, std::ssize(Contents()));
  EXPECT_EQ(truth["streams"]["events"]["records"], 5000);
  EXPECT_GT(truth["streams"]["events"]["dead"], 0);
}

TEST(StreamproSimulator, NeedsAnEnd) {
  EXPECT_EQ(MustMake("streampro", {.events = 0})->WriteLandingFiles("unused").code(),
            StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::sim
