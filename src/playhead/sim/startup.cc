#include "playhead/sim/startup.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/faults.h"
#include "playhead/sim/json_text.h"
#include "playhead/sim/landing_file.h"
#include "playhead/sim/startup_world.h"
#include "playhead/sim/truth.h"

#include <algorithm>
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
    return TruthText(
        {.project = "startup", .options = options_, .streams = truths_, .answers = {}});
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
  std::map<std::string, StreamTruth> truths_;
};

}  // namespace

std::unique_ptr<Simulator> MakeStartupSimulator(const SimOptions& options) {
  return std::make_unique<StartupSimulator>(options);
}

}  // namespace playhead::sim
