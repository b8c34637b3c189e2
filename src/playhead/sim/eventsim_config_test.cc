#include "playhead/sim/eventsim_config.h"

#include "playhead/sim/sim_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace playhead::sim {
namespace {

TEST(EventSimConfig, TakesTheKeysThatMeanTheSameAndNamesTheOthers) {
  const auto config = ReadEventSimConfig(R"({
      "seed": 42, "n-users": 20, "first-user-id": 1000, "start-date": "2025-05-01",
      "end-date": "2025-05-03T12:00:00.5", "growth-rate": 0.25, "beta": 86400.5, "session-gap": 1800,
      "alpha": 60.0, "transitions": [{"source": {"page": "Home"}}], "tag": "test"})",
                                         {.events = 5, .faults = 0.5});
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  const SimOptions& options = config->options;
  EXPECT_EQ(options.seed, 42u);
  EXPECT_EQ(options.users, 20);
  EXPECT_EQ(options.listening.first_user_id, 1000);
  EXPECT_EQ(options.from_us, 1'746'057'600'000'000);
  EXPECT_EQ(options.to_us, 1'746'273'600'000'000);
  EXPECT_EQ(options.events, 0);
  EXPECT_EQ(options.listening.growth_permille_a_year, 250);
  EXPECT_EQ(options.listening.session_interval_ms, 86'400'500);
  EXPECT_EQ(options.listening.session_gap_ms, 1'800'000);
  EXPECT_EQ(options.faults, 0.5);
  EXPECT_THAT(config->ignored_keys, testing::ElementsAre("alpha", "tag", "transitions"));
}

TEST(EventSimConfig, AnEmptyOneChangesNothing) {
  const auto config = ReadEventSimConfig("{}", {.events = 5, .seed = 3});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->options.events, 5);
  EXPECT_EQ(config->options.seed, 3u);
}

TEST(EventSimConfig, RefusesUnusableValuesByKey) {
  for (const auto& [text, key] : std::vector<std::pair<std::string, std::string>>{
           {R"({"seed": 1.5})", "seed"},
           {R"({"n-users": 0})", "n-users"},
           {R"({"n-users": "many"})", "n-users"},
           {R"({"start-date": 20250501})", "start-date"},
           {R"({"start-date": "2025-02-30"})", "start-date"},
           {R"({"end-date": "2025-05-01T25:00:00"})", "end-date"},
           {R"({"end-date": "2025-05-01T10:00:00+0100"})", "end-date"},
           {R"({"growth-rate": -1})", "growth-rate"},
           {R"({"beta": null})", "beta"}}) {
    const auto config = ReadEventSimConfig(text, {});
    EXPECT_EQ(config.status().code(), StatusCode::kInvalidArgument) << text;
    EXPECT_THAT(config.status().message(), testing::HasSubstr("key=" + key));
  }
  for (const char* text : {"", "[]", "{\"seed\": 1"}) {
    EXPECT_EQ(ReadEventSimConfig(text, {}).status().code(), StatusCode::kInvalidArgument);
  }
}

TEST(EventSimConfig, ItsUsersSpanAndIdsShowInTheEvents) {
  const auto config = ReadEventSimConfig(
      R"({"n-users": 15, "first-user-id": 500, "start-date": "2025-05-01",
          "end-date": "2025-05-04", "growth-rate": 0, "beta": 20000, "session-gap": 7200})",
      {});
  ASSERT_TRUE(config.ok());
  const auto simulator = MustMake("listening", config->options);
  const Made made = GenerateAll(*simulator, 10'000);
  ASSERT_GT(made.size(), 200u);
  std::map<int64_t, int64_t> last_ms, session;
  for (const auto& [stream, record] : made) {
    const auto event = nlohmann::json::parse(record);
    const int64_t ts = event["ts"];
    EXPECT_GE(ts, 1'746'057'600'000);
    EXPECT_LT(ts, 1'746'316'800'000);
    if (!event.contains("userId")) continue;
    const int64_t user = event["userId"];
    EXPECT_GE(user, 500);
    EXPECT_LT(user, 515);
    if (last_ms.contains(user) && session[user] != event["sessionId"]) {
      EXPECT_GE(ts - last_ms[user], 7'200'000);
    }
    last_ms[user] = ts;
    session[user] = event["sessionId"];
  }
}

}  // namespace
}  // namespace playhead::sim
