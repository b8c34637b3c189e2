#include "playhead/sim/content.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr SimOptions kOptions = {.events = 6000, .seed = 11};

std::vector<json> ContentEvents(Simulator& simulator) {
  std::vector<json> events;
  for (const auto& [stream, record] : GenerateAll(simulator, 5000)) {
    EXPECT_EQ(stream, "media_events");
    events.push_back(json::parse(record));
  }
  return events;
}

TEST(ContentSimulator, RecordsHaveTheFieldsOfTheStream) {
  const auto simulator = MustMake("content", kOptions);
  const std::set<std::string> fields = {"event_id",
                                        "event_type",
                                        "timestamp",
                                        "user_id",
                                        "device_id",
                                        "ip_address",
                                        "content_id",
                                        "content_type",
                                        "title",
                                        "genre",
                                        "language",
                                        "session_id",
                                        "duration_seconds",
                                        "current_timestamp",
                                        "schema_version",
                                        "event_source"};
  size_t bytes = 0;
  int without_session = 0;
  std::set<std::string> types, kinds, players;
  for (const json& event : ContentEvents(*simulator)) {
    bytes += event.dump().size();
    without_session += event.contains("session_id") ? 0 : 1;
    for (const auto& [key, value] : event.items()) EXPECT_TRUE(fields.contains(key)) << key;
    EXPECT_EQ(event.size(), event.contains("session_id") ? 16u : 15u);
    EXPECT_TRUE(event["duration_seconds"].is_number_integer());
    EXPECT_TRUE(event["current_timestamp"].is_number_float());
    EXPECT_EQ(event["schema_version"], "1.0");
    EXPECT_FALSE(event["genre"].empty());
    types.insert(event["event_type"]);
    kinds.insert(event["content_type"]);
    players.insert(event["event_source"]);
  }
  EXPECT_EQ(types, (std::set<std::string>{"pause", "play", "stop"}));
  EXPECT_EQ(kinds, (std::set<std::string>{"ad", "episode", "movie"}));
  EXPECT_EQ(players,
            (std::set<std::string>{"mobile_app", "smart_tv", "streaming_device", "web_app"}));
  EXPECT_GT(without_session, 0);
  EXPECT_LT(without_session, 6000 / 10);
  EXPECT_NEAR(static_cast<double>(bytes) / 6000, 520, 50);
}

TEST(ContentSimulator, EventsComeInOrderOfTimeWithDistinctIds) {
  const auto simulator = MustMake("content", kOptions);
  std::string last;
  std::set<std::string> ids;
  for (const json& event : ContentEvents(*simulator)) {
    const std::string time = event["timestamp"];
    EXPECT_LE(last, time);
    last = time;
    EXPECT_TRUE(ids.insert(event["event_id"]).second);
  }
  // Three days unless told otherwise, give or take half a day.
  EXPECT_GT(last, "2025-03-05T12");
  EXPECT_LT(last, "2025-03-06T12");
}

// Follows each session as a player would: what may follow what, and where the position must be.
TEST(ContentSimulator, SessionsPlayPauseAndStopWithPositionsThatFollowTheClock) {
  struct Playing {
    std::string action = "stop";
    std::string content;
    int64_t time_ms = 0;
    int64_t position_ms = 0;
  };
  const auto simulator = MustMake("content", kOptions);
  std::map<std::string, Playing> by_device;
  int finished = 0;
  for (const json& event : ContentEvents(*simulator)) {
    const std::string action = event["event_type"];
    const int64_t time_ms = Milliseconds(event["timestamp"]);
    const auto position_ms = std::llround(event["current_timestamp"].get<double>() * 1000);
    const int64_t duration_ms = event["duration_seconds"].get<int64_t>() * 1000;
    EXPECT_GE(position_ms, 0);
    EXPECT_LE(position_ms, duration_ms);
    Playing& playing = by_device[event["device_id"]];
    const bool is_new = playing.action == "stop";
    if (is_new) {
      EXPECT_EQ(action, "play") << "the first event of a work is its play";
      EXPECT_GE(time_ms, playing.time_ms);
    } else {
      EXPECT_EQ(event["content_id"], playing.content);
      EXPECT_NE(action, playing.action);
      const int64_t advance_ms = playing.action == "play" ? time_ms - playing.time_ms : 0;
      EXPECT_EQ(position_ms, playing.position_ms + advance_ms);
    }
    finished += action == "stop" && position_ms == duration_ms ? 1 : 0;
    playing = {action, event["content_id"], time_ms, position_ms};
  }
  EXPECT_GT(finished, 150);
}

TEST(ContentSimulator, EveningsAreBusierThanNightsAndFewTitlesMakeMostPlays) {
  const auto simulator = MustMake("content", kOptions);
  std::map<std::string, int> plays;
  int nights = 0;
  int evenings = 0;
  int plays_in_all = 0;
  for (const json& event : ContentEvents(*simulator)) {
    const int hour = std::stoi(event["timestamp"].get<std::string>().substr(11, 2));
    nights += hour >= 2 && hour < 5 ? 1 : 0;
    evenings += hour >= 18 && hour < 21 ? 1 : 0;
    if (event["event_type"] != "play" || event["content_type"] != "movie") continue;
    ++plays[event["title"]];
    ++plays_in_all;
  }
  EXPECT_GT(evenings, 4 * nights);
  std::vector<int> counts;
  for (const auto& [title, count] : plays) counts.push_back(count);
  std::sort(counts.rbegin(), counts.rend());
  ASSERT_GT(counts.size(), 20u);
  EXPECT_GT(counts[0] + counts[1] + counts[2] + counts[3] + counts[4], plays_in_all / 4);
}

TEST(ContentSimulator, TruthIsWhatARecountOfTheRecordsGives) {
  const auto simulator = MustMake("content", {.events = 6000, .seed = 5, .faults = 0.1});
  std::set<std::string> counted;
  std::map<std::pair<std::string, std::string>, int64_t> plays;
  std::map<std::string, int64_t> pauses;
  std::map<std::pair<std::string, std::string>, int64_t> partitions;
  std::set<std::string> viewers;
  double positions = 0;
  int64_t stops = 0;
  int64_t good = 0;
  for (const auto& [stream, record] : GenerateAll(*simulator, 999)) {
    const json event = json::parse(record, nullptr, false);
    // The rules of the project: five required fields, a number as duration, a time that can be.
    if (!event.is_object() || !event.contains("event_id") || event["event_id"].is_null()) continue;
    const json& duration = event["duration_seconds"];
    const bool has_duration =
        duration.is_number() || (duration.is_string() && duration != "unknown");
    const std::string time = event["timestamp"];
    if (!has_duration || time < "2000" || time > "2100") continue;
    ++good;
    const std::string type = event["event_type"];
    const std::string date = time.substr(0, 10);
    ++partitions[{type, date}];
    if (!counted.insert(event["event_id"]).second) continue;
    viewers.insert(event["user_id"]);
    if (type == "play") ++plays[{date, event["title"]}];
    if (type == "pause") ++pauses[event["title"]];
    if (type == "stop") {
      ++stops;
      positions += event["current_timestamp"].get<double>();
    }
  }

  const json truth = json::parse(simulator->TruthJson());
  const json& stream = truth["streams"]["media_events"];
  EXPECT_EQ(stream["good"], good);
  ASSERT_EQ(stream["partitions"].size(), partitions.size());
  auto partition = stream["partitions"].begin();
  for (const auto& [key, rows] : partitions) {
    EXPECT_EQ(*partition, (json{{"event_type", key.first}, {"date", key.second}, {"good", rows}}));
    ++partition;
  }

  const json answer = AnswerOf(truth, "plays_per_title_and_day");
  EXPECT_EQ(answer["columns"], (json{"date", "title", "plays"}));
  std::vector<std::tuple<std::string, int64_t, std::string>> ranked;
  for (const auto& [key, count] : plays) ranked.emplace_back(key.first, -count, key.second);
  std::sort(ranked.begin(), ranked.end());
  ASSERT_EQ(answer["rows"].size(), ranked.size());
  for (size_t i = 0; i < ranked.size(); ++i) {
    const auto& [date, minus_count, title] = ranked[i];
    EXPECT_EQ(answer["rows"][i], (json{date, title, -minus_count}));
  }

  std::map<std::string, int64_t> told;
  const json pauses_answer = AnswerOf(truth, "pauses_per_title");
  for (const json& row : pauses_answer["rows"]) told[row[0]] = row[1];
  EXPECT_EQ(told, pauses);
  EXPECT_EQ(AnswerOf(truth, "unique_viewers")["rows"], (json{{viewers.size()}}));
  EXPECT_NEAR(AnswerOf(truth, "mean_position_at_stop")["rows"][0][0].get<double>(),
              positions / static_cast<double>(stops), 1e-6);
}

TEST(ContentSimulator, NothingMadeIsATruthOfNothing) {
  const auto simulator = MustMake("content", {});
  const json truth = json::parse(simulator->TruthJson());
  EXPECT_EQ(truth["streams"]["media_events"]["records"], 0);
  EXPECT_EQ(AnswerOf(truth, "unique_viewers")["rows"], (json{{0}}));
  EXPECT_TRUE(AnswerOf(truth, "mean_position_at_stop")["rows"][0][0].is_null());
}

}  // namespace
}  // namespace playhead::sim
