#include "playhead/sim/music.h"

#include "playhead/sim/json_text.h"
#include "playhead/sim/names.h"

namespace playhead::sim {
namespace {

constexpr size_t kArtists = 250;
constexpr size_t kSongsPerArtist = 10;

}  // namespace

Music::Music(uint64_t seed) {
  Random random(seed, "music");
  NameMaker names(seed, "songs");
  const std::vector<uint64_t> artist_weights = ZipfWeights(kArtists, 10);
  const std::vector<uint64_t> song_weights = ZipfWeights(kSongsPerArtist, 2);
  std::vector<uint64_t> weights;
  for (size_t artist = 0; artist < kArtists; ++artist) {
    const std::string artist_name = names.Title();
    for (size_t i = 0; i < kSongsPerArtist; ++i) {
      Song& song = songs_.emplace_back();
      song.duration_ms = random.Between(95'000, 420'000);
      song.text = R"("artist":)";
      AppendQuoted(artist_name, song.text);
      song.text.append(R"(,"song":)");
      AppendQuoted(names.Title(), song.text);
      song.text.append(R"(,"duration":)");
      AppendThousandths(song.duration_ms, song.text);
      weights.push_back(artist_weights[artist] / 1000 * song_weights[i] / 100'000);
    }
  }
  popularity_ = WeightedIndex(weights);
}

}  // namespace playhead::sim
