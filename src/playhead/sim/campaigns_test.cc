#include "playhead/sim/campaigns.h"

#include "playhead/sim/sim_testing.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <set>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr SimOptions kOptions = {.events = 10'000, .seed = 2};

TEST(CampaignsSimulator, ViewsEndInOrderOfTimeAndLastAsLongAsTheySay) {
  const auto simulator = MustMake("campaigns", kOptions);
  EXPECT_EQ(simulator->streams(), (std::vector<std::string>{"view_log_events"}));
  std::set<std::string> ids;
  std::map<int64_t, int> campaigns;
  int64_t last_ms = 0;
  int without_end = 0;
  for (const auto& [stream, record] : GenerateAll(*simulator, 1000)) {
    const json view = json::parse(record);
    EXPECT_TRUE(ids.insert(view["viewId"]).second);
    EXPECT_GE(view["bannerId"], 1);
    EXPECT_LE(view["bannerId"], 1000);
    ++campaigns[view["campaignId"]];
    const int64_t start_ms = Milliseconds(view["startTimestamp"]);
    EXPECT_GE(start_ms, 1'740'960'000'000);  // 2025-03-03
    if (!view.contains("endTimestamp")) {
      ++without_end;
      continue;
    }
    const int64_t end_ms = Milliseconds(view["endTimestamp"]);
    EXPECT_LE(start_ms, end_ms);
    EXPECT_LE(last_ms, end_ms);
    last_ms = end_ms;
  }
  EXPECT_NEAR(without_end, 200, 75);
  EXPECT_EQ(campaigns.size(), 14u);
  EXPECT_GT(campaigns[10], 2 * campaigns[140]);
  EXPECT_NEAR(static_cast<double>(last_ms - 1'740'960'000'000), 86.4e6, 20e6);
}

TEST(CampaignsSimulator, ManyViewsInAMillisecondStillTakeTheirSpan) {
  const auto simulator = MustMake(
      "campaigns",
      {.events = 200'000, .from_us = 1'740'960'000'000'000, .to_us = 1'740'960'060'000'000});
  const Made made = GenerateAll(*simulator, 100'000);
  // Chance makes it a little more or fewer; the limit of `events` cuts off what is more.
  EXPECT_GT(made.size(), 198'000u);
  EXPECT_GT(json::parse(made.back().second).value("endTimestamp", "2025-03-03T00:00:59.9"),
            "2025-03-03T00:00:59");
}

TEST(CampaignsSimulator, TruthIsWhatARecountOfTheRecordsAndTheSeedGives) {
  const auto simulator = MustMake("campaigns", {.events = 10'000, .seed = 6, .faults = 0.1});
  struct Count {
    int64_t views = 0, ended = 0;
    double seconds = 0;
  };
  std::map<int64_t, Count> counts;
  std::map<std::string, int64_t> rows;
  std::set<std::string> seen;
  for (const auto& [stream, record] : GenerateAll(*simulator, 777)) {
    const json view = json::parse(record, nullptr, false);
    if (!view.is_object() || !view.contains("viewId") || view["viewId"].is_null()) continue;
    if (view["bannerId"] == "unknown" || view["bannerId"].is_array()) continue;
    const std::string start = view["startTimestamp"];
    if (start < "2000" || start > "2100") continue;
    ++rows[start.substr(0, 10)];
    if (!seen.insert(view["viewId"]).second) continue;
    Count& count = counts[view["campaignId"]];
    ++count.views;
    if (!view.contains("endTimestamp")) continue;
    ++count.ended;
    count.seconds +=
        static_cast<double>(Milliseconds(view["endTimestamp"]) - Milliseconds(start)) / 1000;
  }

  const json truth = json::parse(simulator->TruthJson());
  const json answer = AnswerOf(truth, "views_per_network_and_campaign");
  const auto seed =
      ReadCsv(std::string(PLAYHEAD_SOURCE_DIR) + "/projects/campaigns/seeds/campaigns.csv");
  ASSERT_EQ(answer["rows"].size(), seed.size() - 1);
  ASSERT_EQ(counts.size(), seed.size() - 1);
  for (size_t i = 1; i < seed.size(); ++i) {
    const json& row = answer["rows"][i - 1];
    const Count& count = counts.at(std::stoi(seed[i][1]));
    EXPECT_EQ(row[0], std::stoi(seed[i][0]));
    EXPECT_EQ(row[1], std::stoi(seed[i][1]));
    EXPECT_EQ(row[2], seed[i][2]);
    EXPECT_EQ(row[3], count.views);
    EXPECT_NEAR(row[4].get<double>(), count.seconds / static_cast<double>(count.ended), 1e-9);
  }
  const json& stream = truth["streams"]["view_log_events"];
  ASSERT_EQ(stream["partitions"].size(), rows.size());
  for (const json& partition : stream["partitions"]) {
    EXPECT_EQ(partition["good"], rows[partition["date"]]);
  }
}

}  // namespace
}  // namespace playhead::sim
