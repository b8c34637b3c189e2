#include "playhead/sim/content_truth.h"

#include "playhead/sim/calendar.h"

#include <algorithm>
#include <utility>

namespace playhead::sim {
namespace {

// (count, title) of all titles with a count, most first, then by title.
std::vector<std::pair<int64_t, std::string>> Ranked(const std::vector<int64_t>& counts,
                                                    const std::vector<Work>& works) {
  std::vector<std::pair<int64_t, std::string>> ranked;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) ranked.emplace_back(counts[i], works[i].title);
  }
  std::sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  return ranked;
}

}  // namespace

std::string_view MediaActionName(MediaAction action) {
  switch (action) {
    case MediaAction::kPause:
      return "pause";
    case MediaAction::kPlay:
      return "play";
    case MediaAction::kStop:
      return "stop";
  }
  return "";
}

ContentTruth::ContentTruth(const std::vector<Work>& works) : works_(works), pauses_(works.size()) {}

ContentTruth::Day& ContentTruth::DayCounts(int64_t day) {
  if (day != last_day_) {
    last_counts_ = &days_[day];
    last_counts_->plays.resize(works_.size());
    last_day_ = day;
  }
  return *last_counts_;
}

void ContentTruth::Count(MediaAction action, int64_t day, uint32_t work, uint32_t user,
                         int64_t position_ms, bool is_repeat) {
  Day& counts = DayCounts(day);
  ++counts.rows[static_cast<size_t>(action)];
  if (is_repeat) return;
  if (user >= has_watched_.size()) has_watched_.resize(user + 1);
  if (!has_watched_[user]) {
    has_watched_[user] = true;
    ++viewers_;
  }
  switch (action) {
    case MediaAction::kPlay:
      ++counts.plays[work];
      break;
    case MediaAction::kPause:
      ++pauses_[work];
      break;
    case MediaAction::kStop:
      ++stops_;
      stop_position_sum_ms_ += position_ms;
      break;
  }
}

std::vector<PartitionCount> ContentTruth::Partitions() const {
  std::vector<PartitionCount> partitions;
  for (const auto action : {MediaAction::kPause, MediaAction::kPlay, MediaAction::kStop}) {
    for (const auto& [day, counts] : days_) {
      const int64_t rows = counts.rows[static_cast<size_t>(action)];
      if (rows == 0) continue;
      partitions.push_back(
          {.key = {{"event_type", std::string(MediaActionName(action))}, {"date", DateText(day)}},
           .good = rows});
    }
  }
  return partitions;
}

Answer ContentTruth::PlaysPerTitleAndDay() const {
  Answer answer{"plays_per_title_and_day", {"date", "title", "plays"}, {}};
  for (const auto& [day, counts] : days_) {
    for (auto& [plays, title] : Ranked(counts.plays, works_)) {
      answer.rows.push_back({DateText(day), std::move(title), plays});
    }
  }
  return answer;
}

Answer ContentTruth::PausesPerTitle() const {
  Answer answer{"pauses_per_title", {"title", "pauses"}, {}};
  for (auto& [pauses, title] : Ranked(pauses_, works_)) {
    answer.rows.push_back({std::move(title), pauses});
  }
  return answer;
}

Answer ContentTruth::MeanPositionAtStop() const {
  Value mean;
  if (stops_ > 0) {
    mean = static_cast<double>(stop_position_sum_ms_) / (1000.0 * static_cast<double>(stops_));
  }
  return {"mean_position_at_stop", {"mean_position_seconds"}, {{mean}}};
}

std::vector<Answer> ContentTruth::Answers() const {
  return {PlaysPerTitleAndDay(),
          PausesPerTitle(),
          {"unique_viewers", {"unique_viewers"}, {{viewers_}}},
          MeanPositionAtStop()};
}

}  // namespace playhead::sim
