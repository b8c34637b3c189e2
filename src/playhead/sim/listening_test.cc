#include "playhead/sim/listening.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr SimOptions kOptions = {.events = 8000, .seed = 8};

TEST(ListeningSimulator, EachStreamHasItsFieldsInOrderOfTime) {
  const auto simulator = MustMake("listening", kOptions);
  const std::set<std::string> common = {"ts",  "sessionId", "itemInSession", "level", "city",
                                        "zip", "state",     "userAgent",     "lon",   "lat"};
  const std::set<std::string> person = {"userId", "lastName", "firstName", "gender",
                                        "registration"};
  const std::set<std::string> song = {"artist", "song", "duration"};
  std::map<std::string, int> records;
  int64_t last_ms = 0;
  for (const auto& [stream, record] : GenerateAll(*simulator, 1000)) {
    const json event = json::parse(record);
    ++records[stream];
    std::set<std::string> expected = common;
    if (event.contains("userId")) expected.insert(person.begin(), person.end());
    if (stream == "auth_events") expected.insert("success");
    if (stream != "auth_events") expected.insert("auth");
    if (stream == "page_view_events") expected.insert({"page", "method", "status"});
    if (stream == "listen_events" || event.value("page", "") == "NextSong") {
      expected.insert(song.begin(), song.end());
    }
    std::set<std::string> fields;
    for (const auto& [key, value] : event.items()) fields.insert(key);
    EXPECT_EQ(fields, expected) << record;
    const bool is_logged_in =
        stream == "auth_events" ? event["success"].get<bool>() : event["auth"] != "Logged Out";
    EXPECT_EQ(event.contains("userId"), is_logged_in);
    EXPECT_GE(event["ts"], last_ms);
    last_ms = event["ts"];
    if (event.contains("registration")) {
      EXPECT_LE(event["registration"], last_ms);
    }
  }
  ASSERT_EQ(records.size(), 4u);
  EXPECT_GT(records["listen_events"], 8000 / 4);
  EXPECT_GT(records["page_view_events"], records["listen_events"]);
  EXPECT_GT(records["auth_events"], 100);
  EXPECT_GT(records["status_change_events"], 3);
}

// Each session from its log-in to its end, by the rules of listening.h.
TEST(ListeningSimulator, SessionsLogInBeforeTheyListenAndSongsPlayToTheirEnd) {
  struct Session {
    bool is_logged_in = false;
    bool is_cancelled = false;
    int64_t next_item = 0;
    int64_t song_end_ms = 0;
    std::string level;
    json user;
  };
  const auto simulator = MustMake("listening", kOptions);
  std::map<int64_t, Session> sessions;
  std::map<int64_t, std::string> levels;
  std::set<int64_t> gone;
  int level_changes = 0;
  for (const auto& [stream, record] : GenerateAll(*simulator, 20'000)) {
    const json event = json::parse(record);
    Session& session = sessions[event["sessionId"]];
    EXPECT_FALSE(session.is_cancelled);
    if (stream == "page_view_events") {
      EXPECT_EQ(event["itemInSession"], session.next_item);
      ++session.next_item;
    }
    if (!event.contains("userId")) continue;
    const int64_t user = event["userId"];
    EXPECT_FALSE(gone.contains(user));
    if (session.user.is_null()) session.user = user;
    EXPECT_EQ(session.user, user);
    if (stream == "auth_events") {
      session.is_logged_in = true;
    } else {
      EXPECT_TRUE(session.is_logged_in);
    }
    const std::string level = event["level"];
    if (stream == "status_change_events" && event["auth"] == "Cancelled") {
      session.is_cancelled = true;
      gone.insert(user);
    } else if (stream == "status_change_events") {
      EXPECT_NE(level, levels[user]);
      ++level_changes;
    } else if (levels.contains(user)) {
      EXPECT_EQ(level, levels[user]);
    }
    levels[user] = level;
    if (stream == "listen_events") {
      EXPECT_GE(event["ts"], session.song_end_ms);
      EXPECT_EQ(event["itemInSession"], session.next_item);
      session.song_end_ms =
          event["ts"].get<int64_t>() + std::llround(event["duration"].get<double>() * 1000);
    }
  }
  EXPECT_GT(level_changes, 0);
  EXPECT_GT(gone.size(), 0u);
}

TEST(ListeningSimulator, OneStreamAloneIsThatStreamOfAll) {
  const auto alone = MustMake("listening", {.events = 500, .seed = 8, .users = 30});
  const auto all = MustMake("listening", {.events = 3000, .seed = 8, .users = 30});
  Made expected;
  for (auto& [stream, record] : GenerateAll(*all, 1000)) {
    if (stream == "listen_events" && expected.size() < 500) expected.emplace_back(stream, record);
  }
  const Made made = GenerateAll(*alone, 7, "listen_events");
  ASSERT_EQ(made.size(), 500u);
  ASSERT_EQ(expected.size(), 500u);
  EXPECT_EQ(made, expected);
  EXPECT_EQ(
      alone->Generate("auth_events", 1, [](auto, auto) { return OkStatus(); }).status().code(),
      StatusCode::kInvalidArgument);
}

TEST(ListeningSimulator, TruthIsWhatARecountOfTheRecordsGives) {
  const auto simulator = MustMake("listening", {.events = 8000, .seed = 12, .faults = 0.1});
  std::map<std::string, std::map<std::pair<std::string, std::string>, int64_t>> rows;
  std::set<std::tuple<int64_t, int64_t, std::string, int64_t>> listens;
  for (const auto& [stream, record] : GenerateAll(*simulator, 3000)) {
    const json event = json::parse(record, nullptr, false);
    if (!event.is_object() || !event.contains("sessionId") || event["sessionId"].is_null()) {
      continue;
    }
    if (event["itemInSession"] == "unknown" || event["itemInSession"].is_array()) continue;
    const int64_t ts = event["ts"];
    if (ts < 946'684'800'000 || ts > 4'000'000'000'000) continue;
    const std::time_t seconds = ts / 1000;
    char date[11];
    char hour[14];
    std::strftime(date, sizeof(date), "%Y-%m-%d", std::gmtime(&seconds));
    std::strftime(hour, sizeof(hour), "%Y-%m-%d-%H", std::gmtime(&seconds));
    ++rows[stream][{date, hour}];
    if (stream == "listen_events") {
      // Text or number: the same item.
      const json& item = event["itemInSession"];
      listens.emplace(event["userId"], event["sessionId"],
                      item.is_string() ? item.get<std::string>() : item.dump(), ts);
    }
  }
  std::map<std::string, int64_t> by_day;
  for (const auto& [user, session, item, ts] : listens) {
    const std::time_t seconds = ts / 1000;
    char date[11];
    std::strftime(date, sizeof(date), "%Y-%m-%d", std::gmtime(&seconds));
    ++by_day[date];
  }

  const json truth = json::parse(simulator->TruthJson());
  json expected = json::array();
  for (const auto& [date, count] : by_day) expected.push_back({date, count});
  EXPECT_EQ(AnswerOf(truth, "listens_per_day")["rows"], expected);
  EXPECT_GE(by_day.size(), 5u);
  for (const auto& [stream, partitions] : rows) {
    const json& told = truth["streams"][stream]["partitions"];
    ASSERT_EQ(told.size(), partitions.size());
    for (const json& partition : told) {
      EXPECT_EQ(partition["good"], partitions.at({partition["date"], partition["hour"]}));
    }
  }
}

}  // namespace
}  // namespace playhead::sim
