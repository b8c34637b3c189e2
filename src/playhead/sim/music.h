#pragma once

#include "playhead/sim/random.h"

#include <cstdint>
#include <string>
#include <vector>

namespace playhead::sim {

/// Invented artists and songs; popularity of artists, and of each artist's songs, falls by Zipf's
/// law.
class Music {
 public:
  explicit Music(uint64_t seed);

  struct Song {
    std::string text;  ///< "artist":…,"song":…,"duration":…
    int64_t duration_ms = 0;
  };
  const std::vector<Song>& songs() const { return songs_; }
  uint32_t DrawSong(Random& random) const {
    return static_cast<uint32_t>(popularity_.Draw(random));
  }

 private:
  std::vector<Song> songs_;
  WeightedIndex popularity_;
};

}  // namespace playhead::sim
