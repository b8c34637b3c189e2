#include "playhead/sim/startup.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/faults.h"
#include "playhead/sim/json_text.h"
#include "playhead/sim/landing_file.h"
#include "playhead/sim/startup_world.h"
#include "playhead/sim/truth.h"

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::sim {
namespace {

constexpr int kLocalOffsetHours = 1;
constexpr int64_t kLocalOffsetMs = kLocalOffsetHours * kMillisPerHour;

struct Stream {
  size_t movie = 0;
  size_t user = 0;
  int64_t size_kb = 0;
  int64_t start_ms = 0;
  int64_t end_ms = 0;
};

/// The answers of projects/startup/analyses, counted stream by stream.
class StartupAnswers {
 public:
  StartupAnswers() = default;
  StartupAnswers(const StartupWorld& world, int64_t month_end_ms)
      : is_streamed_(world.movies.size()), watched_half_(world.users.size()) {
    const int64_t end_day = DayOf(month_end_ms);
    week_begin_ms_ = (end_day - 7) * kMillisPerDay;
    week_end_ms_ = end_day * kMillisPerDay;
    const int64_t christmas_ms = (end_day - 7) * kMillisPerDay - kLocalOffsetMs;
    morning_begin_ms_ = christmas_ms + 7 * kMillisPerHour;
    morning_end_ms_ = christmas_ms + 12 * kMillisPerHour;
    int64_t size_kb_max = 0;
    for (const auto& movie : world.movies)
      size_kb_max = std::max(size_kb_max, movie.size_mb * 1600);
    streams_of_size_.resize(static_cast<size_t>(size_kb_max) + 1);
  }

  void Count(const StartupWorld& world, const Stream& stream) {
    is_streamed_[stream.movie] = true;
    const int64_t duration_ms = stream.end_ms - stream.start_ms;
    ++streams_;
    duration_sum_ms_ += duration_ms;
    ++streams_of_size_[static_cast<size_t>(stream.size_kb)];
    if (stream.movie == world.unforgiven && stream.start_ms >= morning_begin_ms_ &&
        stream.start_ms < morning_end_ms_) {
      christmas_viewers_.insert(stream.user);
    }
    const int64_t runtime_ms = world.movies[stream.movie].duration_mins * kMillisPerMinute;
    if (stream.start_ms >= week_begin_ms_ && stream.start_ms < week_end_ms_ &&
        2 * duration_ms >= runtime_ms && duration_ms <= runtime_ms) {
      watched_half_[stream.user] = true;
    }
  }

  std::vector<Answer> Answers(const StartupWorld& world) const {
    int64_t streamed = 0;
    int64_t based_on_book = 0;
    int64_t singaporean = 0;
    for (size_t i = 0; i < world.movies.size(); ++i) {
      if (!is_streamed_[i]) continue;
      ++streamed;
      based_on_book += world.movies[i].is_based_on_book ? 1 : 0;
      singaporean += world.movies[i].has_singaporean_book ? 1 : 0;
    }
    Value percent;
    Value mean_hours;
    Value median_gb;
    if (streams_ > 0) {
      percent = 100.0 * static_cast<double>(based_on_book) / static_cast<double>(streamed);
      mean_hours = static_cast<double>(duration_sum_ms_) / (3.6e6 * static_cast<double>(streams_));
      median_gb = static_cast<double>(SizeAt((streams_ - 1) / 2) + SizeAt(streams_ / 2)) / 2e6;
    }
    const int64_t half = std::count(watched_half_.begin(), watched_half_.end(), true);
    const auto morning = static_cast<int64_t>(christmas_viewers_.size());
    return {{"movies_based_on_books", {"percent"}, {{percent}}},
            {"unforgiven_christmas_morning", {"users"}, {{morning}}},
            {"singaporean_books", {"movies"}, {{singaporean}}},
            {"mean_duration", {"hours"}, {{mean_hours}}},
            {"median_size_gb", {"gigabytes"}, {{median_gb}}},
            {"half_watched_last_week", {"users"}, {{half}}}};
  }

 private:
  // Size of the stream at a place, from 0, of all streams in order of size.
  int64_t SizeAt(int64_t place) const {
    size_t size_kb = 0;
    for (int64_t before = streams_of_size_[0]; before <= place;)
      before += streams_of_size_[++size_kb];
    return static_cast<int64_t>(size_kb);
  }

  int64_t week_begin_ms_ = 0;
  int64_t week_end_ms_ = 0;
  int64_t morning_begin_ms_ = 0;
  int64_t morning_end_ms_ = 0;
  int64_t streams_ = 0;
  int64_t duration_sum_ms_ = 0;
  std::vector<uint32_t> streams_of_size_;  // by size_kb, for the exact median
  std::vector<bool> is_streamed_;          // by movie
  std::vector<bool> watched_half_;         // by user
  std::set<size_t> christmas_viewers_;
};

class StartupSimulator final : public Simulator {
 public:
  explicit StartupSimulator(const SimOptions& options) : options_(options) {
    const int year = options.from_us == 0 ? 2021 : YearOf(DayOf(options.from_us / 1000));
    month_begin_ms_ = DayNumber(year, 12, 1) * kMillisPerDay;
    month_end_ms_ = DayNumber(year + 1, 1, 1) * kMillisPerDay;
  }

  std::vector<std::string> streams() const override { return {}; }

  Result<int64_t> Generate(std::string_view stream, int64_t /*count*/,
                           const Sink& /*sink*/) override {
    if (stream.empty()) return 0;
    return Error(StatusCode::kNotFound, "no such stream: project=startup stream={} streams=none",
                 stream);
  }

  Status WriteLandingFiles(const std::string& folder) override {
    truths_.clear();
    world_ = StartupWorld::Make(options_.seed, options_.events, month_begin_ms_, month_end_ms_);
    answers_ = StartupAnswers(world_, month_end_ms_);
    PH_RETURN_IF_ERROR(
        WriteWhole(folder, "users", "internal/users.csv", UsersCsv(world_), world_.users.size()));
    PH_RETURN_IF_ERROR(WriteWhole(folder, "movies", "internal/movies.csv", MoviesCsv(world_),
                                  world_.movies.size()));
    PH_RETURN_IF_ERROR(WriteWhole(folder, "authors", "vendor/authors.json", AuthorsJson(world_),
                                  world_.authors.size() + 1));
    PH_RETURN_IF_ERROR(
        WriteWhole(folder, "books", "vendor/books.json", BooksJson(world_), world_.books.size()));
    PH_RETURN_IF_ERROR(WriteWhole(folder, "reviews", "vendor/reviews.json", ReviewsJson(world_),
                                  world_.reviews.size()));
    return WriteStreams(folder);
  }

  std::string TruthJson() const override {
    Truth truth{.project = "startup", .options = options_, .streams = truths_, .answers = {}};
    if (!truths_.empty()) truth.answers = answers_.Answers(world_);
    return TruthText(truth);
  }

 private:
  Status WriteWhole(const std::string& folder, const std::string& table, const std::string& path,
                    const std::string& text, size_t records) {
    PH_ASSIGN_OR_RETURN(LandingFile file, LandingFile::Create(folder + "/" + path));
    file.Write(text);
    PH_RETURN_IF_ERROR(file.Close());
    StreamTruth& truth = truths_[table];
    truth.records = static_cast<int64_t>(records);
    truth.good = truth.records;
    truth.files = {{path, truth.records}};
    return OkStatus();
  }

  Status WriteStreams(const std::string& folder) {
    const std::string path = "internal/streams.csv";
    PH_ASSIGN_OR_RETURN(LandingFile file, LandingFile::Create(folder + "/" + path));
    file.Write("movie_title,user_email,size_mb,start_at,end_at\n");
    Random random(options_.seed, "startup streams");
    Random faults(options_.seed, "faults");
    const auto fault_share = FaultShare(options_.faults);
    const WeightedIndex movies(ZipfWeights(world_.movies.size(), 8));
    StreamTruth& truth = truths_["streams"];
    std::string lines;
    Stream stream;
    for (int64_t i = 0; truth.records < options_.events; ++i) {
      Draw(i, movies, random, stream);
      lines.clear();
      AppendStream(stream, lines);
      if (faults.Below(kFaultShareUnits) < fault_share) {
        WriteFaulty(stream, truth.records + 1 < options_.events, faults, lines, truth);
      } else {
        ++truth.good;
        ++truth.records;
        answers_.Count(world_, stream);
      }
      file.Write(lines);
    }
    truth.files = {{path, truth.records}};
    return file.Close();
  }

  // The i-th stream starts in the i-th of equally busy parts of the month, so starts only ascend.
  void Draw(int64_t i, const WeightedIndex& movies, Random& random, Stream& stream) {
    const int64_t parts = std::clamp<int64_t>((int64_t{1} << 30) / options_.events, 1, 1 << 20);
    const int64_t start_ms =
        curve_.Divide(month_begin_ms_ + kLocalOffsetMs, month_end_ms_,
                      i * parts + random.Between(0, parts - 1), options_.events * parts) -
        kLocalOffsetMs;
    stream.start_ms = i == 0 ? start_ms : std::max(start_ms, stream.start_ms + 1);
    stream.movie = movies.Draw(random);
    stream.user = random.Below(world_.users.size());
    const StartupWorld::Movie& movie = world_.movies[stream.movie];
    stream.size_kb = movie.size_mb * random.Between(0, 1600);
    // Most leave the app open until tomorrow; some close it when they have seen enough.
    const int64_t runtime_ms = movie.duration_mins * kMillisPerMinute;
    const int64_t duration_ms = random.Percent(25) ? random.Between(10'000, runtime_ms * 115 / 100)
                                                   : random.Between(10'000, kMillisPerDay);
    stream.end_ms = stream.start_ms + duration_ms;
  }

  void AppendStream(const Stream& stream, std::string& line) {
    AppendCsvField(world_.movies[stream.movie].title, line);
    line.push_back(',');
    line.append(world_.users[stream.user].email);
    line.push_back(',');
    AppendThousandths(stream.size_kb, line);
    line.push_back(',');
    start_text_.Append(stream.start_ms, line);
    line.push_back(',');
    end_text_.Append(stream.end_ms, line);
    line.push_back('\n');
  }

  // Makes the line faulty, or doubles it.
  void WriteFaulty(const Stream& stream, bool has_room_for_two, Random& faults, std::string& lines,
                   StreamTruth& truth) {
    const std::string title_end = world_.users[stream.user].email;
    const size_t email = lines.find(title_end);
    const size_t size = email + title_end.size() + 1;
    const size_t start = lines.find(',', size) + 1;
    std::string kind;
    switch (faults.Below(5)) {
      case 0:
        lines.resize(lines.rfind(','));
        lines.push_back('\n');
        kind = "ragged_line";
        break;
      case 1:
        lines.replace(size, start - 1 - size, "unknown");
        kind = "wrong_type";
        break;
      case 2:
        lines.erase(0, email - 1);
        kind = "missing_field";
        break;
      case 3:
        lines.replace(start, 4, "1999");
        kind = "out_of_range";
        break;
      default:
        if (has_room_for_two) {
          lines += std::string(lines);
          ++truth.records;
          ++truth.good;
          ++truth.faults["duplicate"].good;
        }
        ++truth.records;
        ++truth.good;
        answers_.Count(world_, stream);
        return;
    }
    ++truth.records;
    ++truth.dead;
    ++truth.faults[kind].dead;
    ++truth.dead_reasons[kind];
  }

  SimOptions options_;
  int64_t month_begin_ms_;
  int64_t month_end_ms_;
  WeeklyCurve curve_;
  TimestampText start_text_{kLocalOffsetHours, "+0100"};
  TimestampText end_text_{kLocalOffsetHours, "+0100"};
  StartupWorld world_;
  StartupAnswers answers_;
  std::map<std::string, StreamTruth> truths_;
};

}  // namespace

std::unique_ptr<Simulator> MakeStartupSimulator(const SimOptions& options) {
  return std::make_unique<StartupSimulator>(options);
}

}  // namespace playhead::sim
