#include "playhead/sim/catalogue.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/json_text.h"
#include "playhead/sim/names.h"

#include <algorithm>
#include <utility>

namespace playhead::sim {
namespace {

constexpr std::string_view kGenres[] = {"Drama",  "Comedy",  "Thriller",        "Documentary",
                                        "Crime",  "Romance", "Science Fiction", "Fantasy",
                                        "Horror", "Family",  "Adventure",       "Mystery"};
constexpr std::string_view kLanguages[] = {"en", "en", "en", "en", "de", "de", "fr",
                                           "es", "it", "ja", "ko", "sv", "hi"};
constexpr std::string_view kSlogans[] = {"Spring Sale", "New Season", "Try It Today",
                                         "Free Delivery"};

std::vector<std::string_view> DrawGenres(Random& random) {
  std::vector<std::string_view> genres;
  const uint64_t count = 1 + random.Below(3);
  while (genres.size() < count) {
    const std::string_view genre = random.Pick(kGenres);
    if (std::find(genres.begin(), genres.end(), genre) == genres.end()) genres.push_back(genre);
  }
  return genres;
}

// Popularity by place in the charts, in no relation to the order of making.
std::vector<uint64_t> ShuffledWeights(size_t count, Random& random) {
  std::vector<uint64_t> weights = ZipfWeights(count, 3);
  for (size_t i = count; i > 1; --i) std::swap(weights[i - 1], weights[random.Below(i)]);
  return weights;
}

}  // namespace

std::string_view WorkKindName(WorkKind kind) {
  switch (kind) {
    case WorkKind::kMovie:
      return "movie";
    case WorkKind::kEpisode:
      return "episode";
    case WorkKind::kAd:
      return "ad";
  }
  return "";
}

struct Catalogue::Maker {
  Random random;
  NameMaker names;
  std::vector<Work>& works;
  std::vector<uint64_t> weights;

  Work& Add(WorkKind kind, int64_t duration_seconds, uint64_t weight) {
    Work& work = works.emplace_back();
    AppendUuid(random, work.id);
    work.kind = kind;
    work.duration_ms = duration_seconds * kMillisPerSecond;
    work.language = random.Pick(kLanguages);
    weights.push_back(weight);
    return work;
  }

  void AddMovie(uint64_t weight) {
    Work& movie = Add(WorkKind::kMovie, random.Between(78 * 60, 164 * 60), weight);
    movie.title = names.Title();
    movie.genres = DrawGenres(random);
  }

  void AddSeries(int32_t episodes, uint64_t weight) {
    const std::string title = names.Title();
    const std::vector<std::string_view> genres = DrawGenres(random);
    const int64_t length_seconds = random.Between(22 * 60, 55 * 60);
    for (int32_t episode = 1; episode <= episodes; ++episode) {
      Work& work = Add(WorkKind::kEpisode, length_seconds + random.Between(-90, 90),
                       weight / static_cast<uint64_t>(episode));
      work.title = title + " – Episode ";
      AppendInt(episode, work.title);
      work.genres = genres;
      if (episode < episodes) work.next_episode = static_cast<int32_t>(works.size());
    }
  }

  void AddAd(uint64_t weight) {
    Work& ad = Add(WorkKind::kAd, 5 * random.Between(2, 9), weight);
    ad.title = names.Company() + ": ";
    ad.title.append(random.Pick(kSlogans));
    ad.title.push_back(' ');
    AppendInt(static_cast<int64_t>(works.size()), ad.title);
    ad.genres = {"Advertising"};
  }
};

Catalogue::Catalogue(uint64_t seed, const CatalogueSize& size) {
  Maker maker{Random(seed, "catalogue"), NameMaker(seed, "titles"), works_, {}};
  const std::vector<uint64_t> charts = ShuffledWeights(
      static_cast<size_t>(size.movies) + static_cast<size_t>(size.series), maker.random);
  for (int32_t i = 0; i < size.movies; ++i) maker.AddMovie(charts[i]);
  for (int32_t i = 0; i < size.series; ++i) {
    maker.AddSeries(size.episodes_per_series, charts[size.movies + i]);
  }
  features_ = WeightedIndex(std::exchange(maker.weights, {}));
  first_ad_ = static_cast<uint32_t>(works_.size());
  if (size.ads == 0) return;
  for (const uint64_t weight : ZipfWeights(size.ads, 3)) maker.AddAd(weight);
  ads_ = WeightedIndex(maker.weights);
}

}  // namespace playhead::sim
