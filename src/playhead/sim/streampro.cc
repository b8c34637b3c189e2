#include "playhead/sim/streampro.h"

#include "playhead/sim/calendar.h"
#include "playhead/sim/landing_file.h"
#include "playhead/sim/streampro_source.h"
#include "playhead/sim/truth.h"

#include <map>
#include <optional>
#include <utility>

namespace playhead::sim {
namespace {

class StreamproSimulator final : public Simulator {
 public:
  explicit StreamproSimulator(const SimOptions& options) : options_(options) {}

  std::vector<std::string> streams() const override { return {}; }

  Result<int64_t> Generate(std::string_view stream, int64_t /*count*/,
                           const Sink& /*sink*/) override {
    if (stream.empty()) return 0;
    return Error(StatusCode::kNotFound, "no such stream: project=streampro stream={} streams=none",
                 stream);
  }

  Status WriteLandingFiles(const std::string& folder) override {
    if (options_.events == 0 && options_.to_us == 0) {
      return Error(StatusCode::kInvalidArgument, "files need an end: events=0 to_us=0");
    }
    truths_.clear();
    source_.emplace(options_);
    FaultyEvents events(*source_, options_);
    while (const Delivery* first = events.Peek()) {
      const int64_t day = DayOf(first->due_ms);
      PH_RETURN_IF_ERROR(WriteEvents(folder, day, events));
      PH_RETURN_IF_ERROR(WriteCsv(folder, "users", day, source_->UsersCsv(day)));
      PH_RETURN_IF_ERROR(WriteCsv(folder, "videos", day, source_->VideosCsv()));
      PH_RETURN_IF_ERROR(WriteCsv(folder, "devices", day, source_->DevicesCsv()));
    }
    StreamTruth counts = events.truth(0);
    counts.partitions = std::move(truths_["events"].partitions);
    counts.files = std::move(truths_["events"].files);
    truths_["events"] = std::move(counts);
    return OkStatus();
  }

  std::string TruthJson() const override {
    return TruthText(
        {.project = "streampro", .options = options_, .streams = truths_, .answers = {}});
  }

 private:
  // Writes what arrives on `day`.
  Status WriteEvents(const std::string& folder, int64_t day, FaultyEvents& events) {
    const std::string name = "events_" + DateText(day) + ".jsonl";
    PH_ASSIGN_OR_RETURN(LandingFile file, LandingFile::Create(folder + "/" + name));
    int64_t records = 0;
    int64_t good = 0;
    std::string line;
    for (const Delivery* next = events.Peek(); next != nullptr && DayOf(next->due_ms) == day;
         next = events.Peek()) {
      line.assign(next->event.text);
      line.push_back('\n');
      file.Write(line);
      ++records;
      good += next->dead_reason.empty() ? 1 : 0;
      events.Accept();
    }
    AddFile("events", day, {name, records}, good);
    return file.Close();
  }

  Status WriteCsv(const std::string& folder, const std::string& table, int64_t day,
                  const StreamproSource::Csv& csv) {
    const std::string name = table + "_" + DateText(day) + ".csv";
    PH_ASSIGN_OR_RETURN(LandingFile file, LandingFile::Create(folder + "/" + name));
    file.Write(csv.text);
    AddFile(table, day, {name, csv.records}, csv.records);
    truths_[table].records += csv.records;
    truths_[table].good += csv.records;
    return file.Close();
  }

  void AddFile(const std::string& table, int64_t day, FileCount file, int64_t good) {
    StreamTruth& truth = truths_[table];
    truth.files.push_back(std::move(file));
    if (good == 0) return;
    truth.partitions.push_back({.key = {{"ingestion_date", DateText(day)}}, .good = good});
  }

  SimOptions options_;
  std::optional<StreamproSource> source_;
  std::map<std::string, StreamTruth> truths_;
};

}  // namespace

std::unique_ptr<Simulator> MakeStreamproSimulator(const SimOptions& options) {
  return std::make_unique<StreamproSimulator>(options);
}

}  // namespace playhead::sim
