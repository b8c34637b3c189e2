#include "playhead/sim/streampro.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
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

struct AppRecord {
  std::string user, session, name, video, os, version;
  int64_t time_ms = 0;
  double value = 0;
};

// Good records by user in order of time, without repeats.
std::map<std::string, std::vector<AppRecord>> GoodRecords(
    const std::vector<std::pair<std::string, std::string>>& lines) {
  std::map<std::string, std::vector<AppRecord>> by_user;
  std::set<std::string> seen;
  for (const auto& [day, line] : lines) {
    const json event = json::parse(line, nullptr, false);
    if (!event.is_object() || !event.contains("user_id") || event["user_id"].is_null()) continue;
    const json& value = event["value"];
    if (value == "unknown" || value.is_array()) continue;
    const std::string time = event["timestamp"];
    if (time < "2000" || time > "2100" || !seen.insert(line).second) continue;
    by_user[event["user_id"]].push_back(
        {event["user_id"], event["session_id"], event["event_name"], event.value("video_id", ""),
         event["device_os"], event["app_version"], Milliseconds(time),
         value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>()});
  }
  for (auto& [user, records] : by_user) {
    std::sort(records.begin(), records.end(),
              [](const auto& a, const auto& b) { return a.time_ms < b.time_ms; });
  }
  return by_user;
}

std::string FirstSession(const std::vector<AppRecord>& records) {
  for (const char* name : {"first_login", "session_start"}) {
    for (const AppRecord& record : records) {
      if (record.name == name) return record.session;
    }
  }
  return "";
}

// The definitions of projects/streampro/analyses/questions.yml, read from the files alone.
TEST_F(StreamproFiles, TruthIsWhatARecountOfTheFilesGives) {
  const auto simulator = MustMake("streampro", {.events = 15'000, .seed = 5, .faults = 0.1});
  ASSERT_TRUE(simulator->WriteLandingFiles(folder_).ok());
  const auto lines = EventLines();
  EXPECT_EQ(lines.size(), 15'000u);
  const std::string last_day = lines.back().first;
  std::map<std::string, std::string> genre_of_video;
  for (const Row& row : ReadCsv(folder_ / ("videos_" + last_day + ".csv"))) {
    genre_of_video[row[0]] = row[2];
  }

  struct Genre {
    int64_t users = 0, returned = 0;
  };
  struct Client {
    int64_t sessions = 0, dropped = 0;
  };
  std::map<std::string, Genre> genres;
  std::map<std::pair<std::string, std::string>, Client> clients;
  int64_t users = 0, enough = 0, dropped_in_all = 0;
  for (const auto& [user, records] : GoodRecords(lines)) {
    const std::string session = FirstSession(records);
    if (session.empty()) continue;
    ++users;
    double seconds = 0;
    std::map<std::string, double> by_genre;
    int64_t start_ms = -1;
    const AppRecord* first = nullptr;
    for (const AppRecord& record : records) {
      if (record.session != session) continue;
      if (first == nullptr) first = &record;
      if (record.name == "session_start" && start_ms < 0) start_ms = record.time_ms;
      if (record.name != "watch_time") continue;
      seconds += record.value;
      by_genre[genre_of_video.at(record.video)] += record.value;
    }
    const bool has_returned =
        start_ms >= 0 && std::any_of(records.begin(), records.end(), [&](const auto& record) {
          return record.name == "session_start" && record.session != session &&
                 record.time_ms > start_ms && record.time_ms <= start_ms + 3 * 86'400'000;
        });
    enough += seconds >= 30 ? 1 : 0;
    Client& client = clients[{first->os, first->version}];
    ++client.sessions;
    client.dropped += seconds < 10 ? 1 : 0;
    dropped_in_all += seconds < 10 ? 1 : 0;
    for (const auto& [genre, watched] : by_genre) {
      if (watched < 30) continue;
      ++genres[genre].users;
      genres[genre].returned += has_returned ? 1 : 0;
    }
  }

  const json truth = json::parse(simulator->TruthJson());
  EXPECT_NEAR(AnswerOf(truth, "watch_30s_first_session")["rows"][0][0].get<double>(),
              100.0 * static_cast<double>(enough) / static_cast<double>(users), 1e-9);

  const json retention = AnswerOf(truth, "second_session_retention_by_genre")["rows"];
  ASSERT_EQ(retention.size(), genres.size());
  double last_percent = 100;
  for (const json& row : retention) {
    const Genre& genre = genres.at(row[0]);
    EXPECT_EQ(row[1], genre.returned);
    EXPECT_EQ(row[2], genre.users);
    const double percent =
        100.0 * static_cast<double>(genre.returned) / static_cast<double>(genre.users);
    EXPECT_NEAR(row[3].get<double>(), percent, 1e-9);
    EXPECT_LE(percent, last_percent);
    last_percent = percent;
  }

  const json drop_off = AnswerOf(truth, "drop_off")["rows"];
  ASSERT_EQ(drop_off.size(), clients.size());
  const double overall = 100.0 * static_cast<double>(dropped_in_all) / static_cast<double>(users);
  for (const json& row : drop_off) {
    const Client& client = clients.at({row[0], row[1]});
    EXPECT_EQ(row[2], client.sessions);
    EXPECT_EQ(row[3], client.dropped);
    EXPECT_NEAR(row[5].get<double>(), overall, 1e-9);
    // Wilson's bounds are where |rate - p| = z * sqrt(p * (1 - p) / n); the lower one is below.
    const auto n = static_cast<double>(client.sessions);
    const double rate = static_cast<double>(client.dropped) / n;
    const double p = row[6].get<double>() / 100;
    EXPECT_LE(p, rate + 1e-12);
    EXPECT_NEAR((rate - p) * (rate - p), 1.959963984540054 * 1.959963984540054 * p * (1 - p) / n,
                1e-9);
    EXPECT_EQ(row[7], row[6].get<double>() > overall);
  }
  EXPECT_EQ(drop_off[0][0], "Android");
  EXPECT_EQ(drop_off[0][1], "4.2.0");
  EXPECT_EQ(drop_off[0][7], true);
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
