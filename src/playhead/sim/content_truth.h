#pragma once

#include "playhead/sim/catalogue.h"
#include "playhead/sim/truth.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace playhead::sim {

enum class MediaAction { kPlay, kPause, kStop };  // in the order of their names

std::string_view MediaActionName(MediaAction action);

/// Counts good media events into the answers of projects/content/analyses.
class ContentTruth {
 public:
  explicit ContentTruth(const std::vector<Work>& works);

  /// `is_repeat`: the same event id came before; then only rows are counted.
  void Count(MediaAction action, int64_t day, uint32_t work, uint32_t user, int64_t position_ms,
             bool is_repeat);

  std::vector<PartitionCount> Partitions() const;
  std::vector<Answer> Answers() const;

 private:
  struct Day {
    std::array<int64_t, 3> rows{};  // by MediaAction
    std::vector<int64_t> plays;     // by work
  };
  Day& DayCounts(int64_t day);

  Answer PlaysPerTitleAndDay() const;
  Answer PausesPerTitle() const;
  Answer MeanPositionAtStop() const;

  const std::vector<Work>& works_;
  std::map<int64_t, Day> days_;
  int64_t last_day_ = INT64_MIN;
  Day* last_counts_ = nullptr;
  std::vector<int64_t> pauses_;    // by work
  std::vector<bool> has_watched_;  // by user
  int64_t viewers_ = 0;
  int64_t stops_ = 0;
  int64_t stop_position_sum_ms_ = 0;
};

}  // namespace playhead::sim
