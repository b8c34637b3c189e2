// What every simulator of event streams promises, tested on `content`.

#include "playhead/sim/event_stream.h"

#include "playhead/sim/sim_testing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr SimOptions kFaulty = {.events = 3000, .seed = 3, .faults = 0.2};

TEST(EventSimulator, TheSameOptionsGiveTheSameBytesHoweverTheCallsAreCut) {
  const auto whole = MustMake("content", kFaulty);
  const auto pieces = MustMake("content", kFaulty);
  const Made made = GenerateAll(*whole, 1'000'000);
  EXPECT_EQ(made.size(), 3000u);
  EXPECT_TRUE(made == GenerateAll(*pieces, 7));
  EXPECT_EQ(whole->TruthJson(), pieces->TruthJson());
}

TEST(EventSimulator, AnotherSeedGivesOtherRecords) {
  const auto a = MustMake("content", {.events = 100, .seed = 1});
  const auto b = MustMake("content", {.events = 100, .seed = 2});
  EXPECT_NE(GenerateAll(*a, 100), GenerateAll(*b, 100));
}

TEST(EventSimulator, EveryRecordIsInTheTruthOnceAndGoodOrDead) {
  const auto simulator = MustMake("content", kFaulty);
  GenerateAll(*simulator, 1000);
  const json truth = json::parse(simulator->TruthJson());
  const json& stream = truth["streams"]["media_events"];
  EXPECT_EQ(stream["records"], 3000);
  EXPECT_EQ(stream["good"].get<int>() + stream["dead"].get<int>(), 3000);
  int faulty = 0;
  int dead = 0;
  int reasons = 0;
  int rows = 0;
  for (const json& fault : stream["faults"]) {
    faulty += fault["records"].get<int>();
    dead += fault["dead"].get<int>();
  }
  for (const json& count : stream["dead_reasons"]) reasons += count.get<int>();
  for (const json& partition : stream["partitions"]) rows += partition["good"].get<int>();
  EXPECT_EQ(dead, stream["dead"]);
  EXPECT_EQ(reasons, stream["dead"]);
  EXPECT_EQ(rows, stream["good"]);
  EXPECT_EQ(stream["faults"].size(), 8u);
  // 20 % of 3000, five standard deviations.
  EXPECT_NEAR(faulty, 600, 110);
}

TEST(EventSimulator, FaultsShowInTheRecordsAsCounted) {
  const auto simulator = MustMake("content", kFaulty);
  const Made made = GenerateAll(*simulator, 1000);
  const json truth = json::parse(simulator->TruthJson());
  const json& faults = truth["streams"]["media_events"]["faults"];
  std::set<std::string> ids;
  int repeats = 0;
  int unreadable = 0;
  int unknown_fields = 0;
  int out_of_order = 0;
  std::string newest;
  for (const auto& [name, record] : made) {
    const json event = json::parse(record, nullptr, false);
    if (!event.is_object()) {
      ++unreadable;
      continue;
    }
    unknown_fields += event.contains("experiment") ? 1 : 0;
    const std::string time = event["timestamp"];
    if (!event.contains("event_id") || event["event_id"].is_null()) continue;
    const bool is_repeat = !ids.insert(event["event_id"]).second;
    repeats += is_repeat ? 1 : 0;
    if (time < "2000" || time > "2100" || is_repeat) continue;
    out_of_order += time < newest ? 1 : 0;
    newest = std::max(newest, time);
  }
  EXPECT_EQ(repeats, faults["duplicate"]["good"]);
  EXPECT_EQ(unreadable, faults["malformed"]["dead"]);
  EXPECT_EQ(unknown_fields, faults["unknown_field"]["good"]);
  // Those that are late at the very end have nobody to be later than.
  EXPECT_LE(out_of_order, faults["late"]["good"].get<int>());
  EXPECT_GT(out_of_order, faults["late"]["good"].get<int>() / 2);
}

TEST(EventSimulator, AllMayBeFaulty) {
  const auto simulator = MustMake("content", {.events = 500, .faults = 1});
  EXPECT_EQ(GenerateAll(*simulator, 100).size(), 500u);
}

TEST(EventSimulator, EndsBeforeTheGivenTime) {
  const int64_t from_us = 1'740'960'000'000'000;  // 2025-03-03
  const int64_t to_us = from_us + 6LL * 3600 * 1'000'000;
  const auto simulator =
      MustMake("content", {.events = 0, .from_us = from_us, .to_us = to_us, .users = 300});
  const Made made = GenerateAll(*simulator, 1000);
  ASSERT_GT(made.size(), 50u);
  for (const auto& [name, record] : made) {
    const std::string time = json::parse(record)["timestamp"];
    EXPECT_GE(time, "2025-03-03T00:00:00.000Z");
    EXPECT_LT(time, "2025-03-03T06:00:00.000Z");
  }
}

TEST(EventSimulator, ARecordThatTheSinkRefusesComesAgain) {
  const auto simulator = MustMake("content", {.events = 20});
  const auto untroubled = MustMake("content", {.events = 20});
  Made made;
  bool is_down = false;
  const Sink sink = [&](std::string_view name, std::string_view record) {
    is_down = !is_down;
    if (is_down) return Error(StatusCode::kUnavailable, "down");
    made.emplace_back(name, record);
    return OkStatus();
  };
  for (int call = 0; call < 20; ++call) {
    EXPECT_EQ(simulator->Generate("", 1, sink).status().code(), StatusCode::kUnavailable);
    EXPECT_EQ(simulator->Generate("", 1, sink).value(), 1);
  }
  EXPECT_EQ(made, GenerateAll(*untroubled, 20));
  EXPECT_EQ(simulator->TruthJson(), untroubled->TruthJson());
}

TEST(MakeSimulator, RefusesWhatItCannotMake) {
  EXPECT_EQ(MakeSimulator("opera", {}).status().code(), StatusCode::kNotFound);
  EXPECT_THAT(MakeSimulator("opera", {}).status().message(), testing::HasSubstr("content"));
  for (const SimOptions& options :
       {SimOptions{.events = -1}, SimOptions{.users = -1}, SimOptions{.faults = 1.01},
        SimOptions{.faults = -0.1}, SimOptions{.from_us = 5, .to_us = 5}}) {
    EXPECT_EQ(MakeSimulator("content", options).status().code(), StatusCode::kInvalidArgument);
  }
  const auto simulator = MustMake("content", {.events = 1});
  const auto refused =
      simulator->Generate("media", 1, [](auto, auto) { return OkStatus(); }).status();
  EXPECT_EQ(refused.code(), StatusCode::kNotFound);
  EXPECT_THAT(refused.message(), testing::HasSubstr("media_events"));
}

}  // namespace
}  // namespace playhead::sim
