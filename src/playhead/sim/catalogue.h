#pragma once

#include "playhead/sim/random.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

enum class WorkKind { kMovie, kEpisode, kAd };
std::string_view WorkKindName(WorkKind kind);

/// Something to watch.
struct Work {
  std::string id;  ///< UUID
  WorkKind kind = WorkKind::kMovie;
  std::string title;  ///< no two works of a catalogue share one
  std::vector<std::string_view> genres;
  std::string_view language;  ///< ISO 639-1
  int64_t duration_ms = 0;    ///< whole seconds
  int32_t next_episode = -1;  ///< index of the series' next episode, -1: none
};

struct CatalogueSize {
  int32_t movies = 0;
  int32_t series = 0;
  int32_t episodes_per_series = 0;
  int32_t ads = 0;
};

/// Invented movies, series and advertisements with a popularity that falls by Zipf's law.
class Catalogue {
 public:
  Catalogue(uint64_t seed, const CatalogueSize& size);

  const std::vector<Work>& works() const { return works_; }
  /// A movie, or the first episodes of a series more than the last; never an ad.
  uint32_t DrawFeature(Random& random) const {
    return static_cast<uint32_t>(features_.Draw(random));
  }
  uint32_t DrawAd(Random& random) const {
    return first_ad_ + static_cast<uint32_t>(ads_.Draw(random));
  }

 private:
  struct Maker;

  std::vector<Work> works_;
  WeightedIndex features_;
  uint32_t first_ad_ = 0;
  WeightedIndex ads_;
};

}  // namespace playhead::sim
