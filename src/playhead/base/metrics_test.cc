#include "playhead/base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>

namespace playhead {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, NamesFollowTheRule) {
  std::set<std::string_view> names;
  for (const MetricDecl& decl : AllMetrics()) {
    const std::string name(decl.name);
    EXPECT_THAT(name, testing::MatchesRegex("playhead_[a-z]+(_[a-z]+)+"));
    EXPECT_EQ(name.ends_with("_total"), decl.kind == MetricKind::kCounter) << name;
    EXPECT_EQ(decl.buckets.empty(), decl.kind != MetricKind::kHistogram) << name;
    EXPECT_TRUE(decl.help.ends_with('.')) << name;
    EXPECT_TRUE(names.insert(decl.name).second) << name << " is declared twice";
  }
}

TEST(Metrics, TextHoldsWhatWasCounted) {
  Metrics metrics;
  metrics.Add(Metric::kCollectorRecords, 3, {"plays"});
  metrics.Add(Metric::kCollectorRecords, 2, {"plays"});
  metrics.Add(Metric::kCollectorDeadRecords, 1, {"plays", "not_json"});
  metrics.Set(Metric::kLogSegments, 4);
  metrics.Set(Metric::kLogSegments, 2);
  metrics.Observe(Metric::kLogCommitSeconds, 0.003);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("# TYPE playhead_collector_records_total counter\n"));
  EXPECT_THAT(text, HasSubstr("playhead_collector_records_total{stream=\"plays\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("playhead_collector_dead_records_total{reason=\"not_json\","
                              "stream=\"plays\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("playhead_log_segments 2\n"));
  EXPECT_THAT(text, HasSubstr("playhead_log_commit_seconds_bucket{le=\"0.002\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("playhead_log_commit_seconds_bucket{le=\"0.005\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("playhead_log_commit_seconds_count 1\n"));
}

TEST(Metrics, OnlyMetricsWithoutLabelsAppearBeforeTheyCount) {
  const std::string text = Metrics().Text();
  EXPECT_THAT(text, HasSubstr("playhead_log_commits_total 0\n"));
  EXPECT_THAT(text, Not(HasSubstr("playhead_collector_records_total{")));
}

TEST(Metrics, ThreadsLoseNothing) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 500; ++n) metrics.Add(Metric::kCollectorRequests, 1, {"200"});
      });
    }
  }
  EXPECT_THAT(metrics.Text(),
              HasSubstr("playhead_collector_requests_total{status=\"200\"} 2000\n"));
}

TEST(MetricsDeathTest, WrongKindOrLabelsAreABug) {
  Metrics metrics;
  EXPECT_DEATH(metrics.Set(Metric::kLogCommits, 1), "broken invariant");
  EXPECT_DEATH(metrics.Add(Metric::kCollectorRequests, 1), "broken invariant");
}

}  // namespace
}  // namespace playhead
