// How the world of `startup` looks in its files.

#include "playhead/sim/calendar.h"
#include "playhead/sim/json_text.h"
#include "playhead/sim/startup_world.h"

#include <initializer_list>

namespace playhead::sim {
namespace {

constexpr std::string_view kRateWords[] = {"ONE", "TWO", "THREE", "FOUR", "FIVE"};

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendQuoted(text, quoted);
  return quoted;
}

std::string Number(int64_t value) {
  std::string text;
  AppendInt(value, text);
  return text;
}

/// Writes nested JSON over several lines, members and elements in the order of the calls.
class IndentedJson {
 public:
  void Open(std::string_view key, char bracket) {
    Start(key);
    text_.push_back(bracket);
    ++depth_;
    is_first_ = true;
  }
  void Close(char bracket) {
    --depth_;
    text_.push_back('\n');
    text_.append(4 * depth_, ' ');
    text_.push_back(bracket);
    is_first_ = false;
  }
  /// `json` is written as it is.
  void Add(std::string_view key, std::string_view json) {
    Start(key);
    text_.append(json);
  }
  std::string Take() { return std::move(text_); }

 private:
  void Start(std::string_view key) {
    if (!is_first_) text_.push_back(',');
    is_first_ = false;
    if (depth_ > 0) text_.push_back('\n');
    text_.append(4 * depth_, ' ');
    if (!key.empty()) text_ += Quoted(key) + ":";
  }

  std::string text_;
  size_t depth_ = 0;
  bool is_first_ = true;
};

std::string DayText(int64_t day) {
  std::string text = "\"";
  TimestampText(0, "+0000").Append(day * kMillisPerDay, text);
  return text + "\"";
}

std::string LocalText(int64_t time_ms) {
  std::string text = "\"";
  TimestampText(1, "+0100").Append(time_ms, text);
  return text + "\"";
}

// "Guianese (French)" → "guianese-french"
std::string Slug(std::string_view label) {
  std::string slug;
  for (const char c : LowerCase(label)) {
    if (c == ' ') slug.push_back('-');
    if (c >= 'a' && c <= 'z') slug.push_back(c);
  }
  return slug;
}

void AddNationality(std::string_view label, bool has_slug, IndentedJson& json) {
  json.Open("", '{');
  json.Add("id", "null");
  json.Add("label", Quoted(label));
  json.Add("slug", has_slug ? Quoted(Slug(label)) : "null");
  json.Close('}');
}

void AddAuthor(const StartupWorld::Author& author, bool filler_first, IndentedJson& json) {
  json.Open("", '{');
  json.Open("metadata", '{');
  json.Add("name", Quoted(author.name));
  json.Add("birth_date", DayText(author.birth_day));
  json.Add("died_at", author.death_day == 0 ? "null" : DayText(author.death_day));
  json.Close('}');
  json.Open("nationalities", '[');
  if (filler_first) AddNationality("", false, json);
  AddNationality(author.nationality, true, json);
  if (!filler_first) AddNationality("", false, json);
  json.Close(']');
  json.Close('}');
}

// The vendor ends its dump with an author of whom it knows nothing.
void AddUnknownAuthor(IndentedJson& json) {
  json.Open("", '{');
  json.Open("metadata", '{');
  for (const std::string_view key : {"name", "birth_date", "died_at"}) json.Add(key, "null");
  json.Close('}');
  json.Open("nationalities", '[');
  AddNationality("", false, json);
  AddNationality("unknown", false, json);
  json.Close(']');
  json.Close('}');
}

void AddMovieOfReview(std::string_view title, IndentedJson& json) {
  json.Open("", '{');
  json.Add("id", "0");
  json.Add("title", Quoted(title));
  json.Close('}');
}

void AddReview(const StartupWorld::Review& review, std::string_view movie_title, bool filler_first,
               IndentedJson& json) {
  json.Open("", '{');
  json.Open("content", '{');
  json.Add("text", Quoted(review.text));
  json.Close('}');
  json.Open("rating", '{');
  json.Add("rate", Number(review.rate));
  json.Add("label", Quoted(kRateWords[review.rate - 1]));
  json.Close('}');
  json.Open("books", '[');
  json.Open("", '{');
  json.Add("id", "null");
  json.Open("metadata", '{');
  json.Add("title", Quoted(UpperCase(review.book_title)));
  json.Add("pages", "\"unknown\"");
  json.Close('}');
  json.Close('}');
  json.Close(']');
  json.Open("movies", '[');
  if (filler_first) AddMovieOfReview("end", json);
  AddMovieOfReview(UpperCase(movie_title), json);
  if (!filler_first) AddMovieOfReview("end", json);
  json.Close(']');
  json.Add("updated", LocalText(review.updated_ms));
  json.Add("created", LocalText(review.created_ms));
  json.Close('}');
}

void AppendLine(std::initializer_list<std::string_view> fields, std::string& csv) {
  bool is_first = true;
  for (const std::string_view field : fields) {
    if (!is_first) csv.push_back(',');
    is_first = false;
    AppendCsvField(field, csv);
  }
  csv.push_back('\n');
}

}  // namespace

std::string AuthorsJson(const StartupWorld& world) {
  IndentedJson json;
  json.Open("", '[');
  for (size_t i = 0; i < world.authors.size(); ++i) AddAuthor(world.authors[i], i % 3 > 0, json);
  AddUnknownAuthor(json);
  json.Close(']');
  return json.Take();
}

std::string BooksJson(const StartupWorld& world) {
  IndentedJson json;
  json.Open("", '[');
  for (const StartupWorld::Book& book : world.books) {
    json.Open("", '{');
    json.Add("name", Quoted(book.title));
    json.Add("pages", Number(book.pages));
    json.Add("author", Quoted(world.authors[book.author].name));
    json.Add("publisher", Quoted(book.publisher));
    json.Close('}');
  }
  json.Close(']');
  return json.Take();
}

std::string ReviewsJson(const StartupWorld& world) {
  IndentedJson json;
  json.Open("", '[');
  for (size_t i = 0; i < world.reviews.size(); ++i) {
    const StartupWorld::Review& review = world.reviews[i];
    AddReview(review, world.movies[review.movie].title, i % 2 > 0, json);
  }
  json.Close(']');
  return json.Take();
}

std::string UsersCsv(const StartupWorld& world) {
  std::string csv = "first_name,last_name,email\n";
  for (const StartupWorld::User& user : world.users) {
    AppendLine({user.person.first_name, user.person.last_name, user.email}, csv);
  }
  return csv;
}

std::string MoviesCsv(const StartupWorld& world) {
  std::string csv = "title,duration_mins,original_language,size_mb\n";
  for (const StartupWorld::Movie& movie : world.movies) {
    AppendLine({movie.title, Number(movie.duration_mins), movie.language, Number(movie.size_mb)},
               csv);
  }
  return csv;
}

}  // namespace playhead::sim
