#include "playhead/sim/campaigns.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/json_text.h"

#include <algorithm>
#include <map>

namespace playhead::sim {
namespace {

constexpr uint64_t kBanners = 1000;
constexpr int64_t kMeanViewMs = 8 * kMillisPerSecond;
constexpr int64_t kViewMsMax = 10 * kMillisPerMinute;
constexpr int64_t kEndlessGapMs = 10;

// As in projects/campaigns/seeds/campaigns.csv; a test reads that file against this table.
struct Campaign {
  int64_t network;
  std::string_view name;
};
constexpr Campaign kCampaigns[] = {
    {1, "Harbour Lights"}, {1, "Second Breakfast"}, {1, "Quiet Commute"}, {2, "Northern Orchard"},
    {2, "Paper Lanterns"}, {3, "Bicycle Week"},     {3, "Slow Coffee"},   {3, "Open Windows"},
    {4, "Winter Market"},  {4, "Blue Umbrella"},    {4, "Early Bird"},    {5, "Long Weekend"},
    {5, "Field Notes"},    {5, "Last Train Home"}};
constexpr size_t kCampaignCount = std::size(kCampaigns);

enum Fact : size_t { kCampaignFact, kStartFact, kDurationFact };
constexpr int64_t kNoDuration = -1;

class CampaignsSource final : public EventSource {
 public:
  explicit CampaignsSource(const SimOptions& options)
      : streams_{{.name = "view_log_events",
                  .fault_fields = {.text = "viewId",
                                   .required = "viewId",
                                   .number = "bannerId",
                                   .time = "startTimestamp",
                                   .time_too_early = R"("1999-12-31T23:59:59.999Z")",
                                   .time_too_late = R"("2199-01-01T00:00:00.000Z")"}}},
        random_(options.seed, "campaigns"),
        campaigns_(ZipfWeights(kCampaignCount, 2)),
        banners_(ZipfWeights(kBanners, 30)) {
    time_ms_ =
        options.from_us != 0 ? options.from_us / 1000 : DayNumber(2025, 3, 3) * kMillisPerDay;
    if (options.events > 0) {
      const int64_t end_ms = options.to_us != 0 ? options.to_us / 1000 : time_ms_ + kMillisPerDay;
      mean_gap_us_ =
          std::max<int64_t>(curve_.MeanTime(time_ms_, end_ms) * 1000 / options.events, 1);
    }
    from_ms_ = time_ms_;
  }

  const std::vector<StreamShape>& streams() const override { return streams_; }
  bool Next(Event& event) override;
  void Count(const Event& event, bool is_repeat) override;
  std::vector<PartitionCount> Partitions(size_t stream) const override;
  std::vector<Answer> Answers() const override;

 private:
  struct CampaignCount {
    int64_t views = 0;
    int64_t ended = 0;
    int64_t duration_sum_ms = 0;
  };

  std::vector<StreamShape> streams_;
  Random random_;
  WeeklyCurve curve_;
  WeightedIndex campaigns_;
  WeightedIndex banners_;
  TimestampText start_text_;
  TimestampText end_text_;
  int64_t from_ms_ = 0;
  int64_t time_ms_ = 0;
  int64_t mean_gap_us_ = kEndlessGapMs * 1000;
  int64_t gap_rest_us_ = 0;

  CampaignCount counts_[kCampaignCount];
  std::map<int64_t, int64_t> rows_;  // by day of the start
};

bool CampaignsSource::Next(Event& event) {
  // Gaps may be shorter than the clock's milliseconds; what is left over is kept for the next.
  gap_rest_us_ += curve_.Stretch(time_ms_, random_.Exponential(mean_gap_us_));
  time_ms_ += gap_rest_us_ / 1000;
  gap_rest_us_ %= 1000;

  const size_t campaign = campaigns_.Draw(random_);
  const size_t banner = banners_.Draw(random_);
  // A view that would have begun before the span began with it.
  const int64_t duration_ms =
      std::min({random_.Exponential(kMeanViewMs) + 200, kViewMsMax, time_ms_ - from_ms_});
  const bool has_end = !random_.Percent(2);

  event.stream = 0;
  event.time_ms = time_ms_;
  event.facts[kCampaignFact] = static_cast<int64_t>(campaign);
  event.facts[kStartFact] = time_ms_ - duration_ms;
  event.facts[kDurationFact] = has_end ? duration_ms : kNoDuration;

  std::string& text = event.text;
  text.assign(R"({"viewId":")");
  AppendUuid(random_, text);
  text.append(R"(","startTimestamp":")");
  start_text_.Append(time_ms_ - duration_ms, text);
  if (has_end) {
    text.append(R"(","endTimestamp":")");
    end_text_.Append(time_ms_, text);
  }
  text.append(R"(","bannerId":)");
  AppendInt(static_cast<int64_t>(banner) + 1, text);
  text.append(R"(,"campaignId":)");
  AppendInt(static_cast<int64_t>(campaign + 1) * 10, text);
  text.push_back('}');
  return true;
}

void CampaignsSource::Count(const Event& event, bool is_repeat) {
  ++rows_[DayOf(event.facts[kStartFact])];
  if (is_repeat) return;
  CampaignCount& count = counts_[event.facts[kCampaignFact]];
  ++count.views;
  if (event.facts[kDurationFact] == kNoDuration) return;
  ++count.ended;
  count.duration_sum_ms += event.facts[kDurationFact];
}

std::vector<PartitionCount> CampaignsSource::Partitions(size_t /*stream*/) const {
  std::vector<PartitionCount> partitions;
  for (const auto& [day, rows] : rows_) {
    partitions.push_back({.key = {{"date", DateText(day)}}, .good = rows});
  }
  return partitions;
}

std::vector<Answer> CampaignsSource::Answers() const {
  Answer answer{"views_per_network_and_campaign",
                {"network_id", "campaign_id", "campaign_name", "views", "mean_duration_seconds"},
                {}};
  for (size_t i = 0; i < kCampaignCount; ++i) {
    const CampaignCount& count = counts_[i];
    if (count.views == 0) continue;
    Value mean;
    if (count.ended > 0) {
      mean =
          static_cast<double>(count.duration_sum_ms) / (1000.0 * static_cast<double>(count.ended));
    }
    answer.rows.push_back({kCampaigns[i].network, static_cast<int64_t>(i + 1) * 10,
                           std::string(kCampaigns[i].name), count.views, mean});
  }
  return {std::move(answer)};
}

}  // namespace

std::unique_ptr<EventSource> MakeCampaignsSource(const SimOptions& options) {
  return std::make_unique<CampaignsSource>(options);
}

}  // namespace playhead::sim
