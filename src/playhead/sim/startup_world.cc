#include "playhead/sim/startup_world.h"

#include "playhead/sim/calendar.h"

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::sim {
namespace {

constexpr std::string_view kLanguages[] = {
    "English", "German",  "French",   "Spanish", "Italian", "Japanese", "Korean", "Hindi",
    "Marathi", "Turkish", "Romanian", "Russian", "Arabic",  "Thai",     "Malay",  "Swahili"};

constexpr std::string_view kNationalities[] = {"Singaporeans",
                                               "Italians",
                                               "Dutch",
                                               "Welsh",
                                               "Angolans",
                                               "Canadians",
                                               "Danes",
                                               "Kenyans",
                                               "Armenians",
                                               "Andorrans",
                                               "Norwegians",
                                               "Peruvians",
                                               "Thais",
                                               "Vietnamese",
                                               "Moroccans",
                                               "Greeks",
                                               "Finns",
                                               "Estonians",
                                               "Uruguayans",
                                               "Guianese (French)",
                                               "Dominicans (Republic)",
                                               "Nigerians",
                                               "Bosniaks",
                                               "Luxembourgers"};

class WorldMaker {
 public:
  WorldMaker(uint64_t seed, int64_t begin_ms, int64_t end_ms)
      : random_(seed, "startup world"),
        names_(seed, "startup names"),
        begin_ms_(begin_ms),
        end_ms_(end_ms) {}

  StartupWorld Make(int64_t streams) {
    AddUsers(std::clamp<int64_t>(streams / 12, 5, 2'000'000));
    const int64_t movies = std::clamp<int64_t>(streams / 105, 24, 2000);
    AddMovies(movies);
    AddAuthors(2 * movies);
    AddBooks(movies + movies / 8);
    for (size_t movie = 0; movie < world_.movies.size(); ++movie) AddReviews(movie);
    return std::move(world_);
  }

 private:
  void AddUsers(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      Person person = names_.MakePerson();
      std::string email = names_.Email(person);
      world_.users.push_back({std::move(person), std::move(email)});
    }
  }

  void AddMovies(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      StartupWorld::Movie& movie = world_.movies.emplace_back();
      movie.title = names_.Title();
      movie.duration_mins = random_.Between(50, 165);
      movie.language = random_.Pick(kLanguages);
      movie.size_mb = random_.Between(580, 2400);
    }
    // A question asks for it; the most popular, so that small months have somebody to count.
    world_.movies[0].title = "Unforgiven";
  }

  void AddAuthors(int64_t count) {
    std::set<std::string> known;
    for (int64_t i = 0; i < count; ++i) {
      const Person person = names_.MakePerson();
      std::string name = person.first_name + " " + person.last_name;
      while (!known.insert(name).second) {
        name = person.first_name + " " + static_cast<char>('A' + random_.Below(26)) + ". " +
               name.substr(person.first_name.size() + 1);
      }
      StartupWorld::Author& author = world_.authors.emplace_back();
      author.name = std::move(name);
      author.nationality = random_.Pick(kNationalities);
      author.birth_day = DayNumber(1920, 1, 1) + random_.Between(0, 75 * 365);
      const int64_t death_day = author.birth_day + random_.Between(38 * 365, 95 * 365);
      if (death_day < DayOf(begin_ms_)) author.death_day = death_day;
    }
  }

  void AddBooks(int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      StartupWorld::Book& book = world_.books.emplace_back();
      book.title = names_.Title();
      book.pages = random_.Between(90, 1400);
      book.author = random_.Below(world_.authors.size());
      book.publisher = names_.Company();
    }
  }

  // Most movies were made of one to three of the vendor's books; a few of books that it does not
  // sell; the rest have no review, for the vendor reviews movies only together with their book.
  void AddReviews(size_t movie) {
    const uint64_t kind = random_.Below(100);
    if (kind >= 96) return;
    if (kind >= 92) {
      AddReview(movie, names_.Title());
      return;
    }
    const uint64_t books = 1 + random_.Below(3);
    for (uint64_t i = 0; i < books; ++i) {
      const StartupWorld::Book& book = random_.Pick(world_.books);
      const uint64_t reviews = 1 + random_.Below(4);
      for (uint64_t review = 0; review < reviews; ++review) AddReview(movie, book.title);
    }
  }

  void AddReview(size_t movie, std::string book_title) {
    StartupWorld::Review& review = world_.reviews.emplace_back();
    review.text = names_.Sentence();
    review.text.push_back(' ');
    review.text.append(names_.Sentence());
    review.rate = random_.Between(1, 5);
    review.book_title = std::move(book_title);
    review.movie = movie;
    review.created_ms = begin_ms_ + random_.Between(0, end_ms_ - begin_ms_ - 1);
    review.updated_ms = random_.Between(review.created_ms, end_ms_ - 1);
  }

  Random random_;
  NameMaker names_;
  int64_t begin_ms_;
  int64_t end_ms_;
  StartupWorld world_;
};

}  // namespace

StartupWorld StartupWorld::Make(uint64_t seed, int64_t streams, int64_t begin_ms, int64_t end_ms) {
  return WorldMaker(seed, begin_ms, end_ms).Make(streams);
}

}  // namespace playhead::sim
