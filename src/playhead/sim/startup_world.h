#pragma once

#include "playhead/sim/names.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

/// The company of the project `startup` and its vendor: everything but the streams. Titles, names
/// and addresses each differ from one another without regard to case.
struct StartupWorld {
  struct User {
    Person person;
    std::string email;
  };
  struct Movie {
    std::string title;
    int64_t duration_mins = 0;
    std::string_view language;
    int64_t size_mb = 0;
  };
  struct Author {
    std::string name;
    std::string_view nationality;  ///< the vendor's label, a plural
    int64_t birth_day = 0;         ///< since 1970
    int64_t death_day = 0;         ///< 0: living
  };
  struct Book {
    std::string title;
    int64_t pages = 0;
    size_t author = 0;  ///< index into `authors`
    std::string publisher;
  };
  struct Review {
    std::string text;
    int64_t rate = 0;  ///< 1 to 5
    std::string book_title;
    size_t movie = 0;
    int64_t created_ms = 0;
    int64_t updated_ms = 0;
  };

  /// Sizes follow from the number of streams; reviews are of the month [begin_ms, end_ms).
  static StartupWorld Make(uint64_t seed, int64_t streams, int64_t begin_ms, int64_t end_ms);

  std::vector<User> users;
  std::vector<Movie> movies;
  std::vector<Author> authors;
  std::vector<Book> books;
  std::vector<Review> reviews;
};

/// The vendor's dumps as they come: JSON arrays with four blanks a level.
std::string AuthorsJson(const StartupWorld& world);
std::string BooksJson(const StartupWorld& world);
std::string ReviewsJson(const StartupWorld& world);
/// The app's exports, with a header line.
std::string UsersCsv(const StartupWorld& world);
std::string MoviesCsv(const StartupWorld& world);

}  // namespace playhead::sim
