#include "playhead/cli/simulate_command.h"

#include "playhead/base/clock.h"
#include "playhead/base/stop_signal.h"
#include "playhead/base/suggest.h"
#include "playhead/base/uuid.h"
#include "playhead/cli/output.h"
#include "playhead/cli/progress.h"
#include "playhead/cli/simulate_options.h"
#include "playhead/config/config.h"
#include "playhead/http/client.h"
#include "playhead/ingest/lake.h"
#include "playhead/log/kafka_journal.h"
#include "playhead/sim/simulator.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace playhead::cli {
namespace {

constexpr int64_t kRecordsPerRequest = 500;
constexpr size_t kWriteBytes = 1 << 20;
constexpr int kPostAttempts = 20;
constexpr std::string_view kKafkaScheme = "kafka://";
constexpr int kAppendsInFlightMax = 64;

struct SimulateArgs {
  std::string stream;
  SimulateFlags flags;
  std::string eventsim;
  std::string to;
  std::string truth;
};

/// Where generated records go. Threads: one at a time.
class Output {
 public:
  virtual ~Output() = default;
  virtual Status Take(std::string_view stream, std::string_view record) = 0;
  /// Hands on what is buffered.
  virtual Status Flush() = 0;
};

class StdoutOutput final : public Output {
 public:
  Status Take(std::string_view, std::string_view record) override {
    buffer_.append(record).push_back('\n');
    return buffer_.size() < kWriteBytes ? Status() : Flush();
  }
  Status Flush() override {
    Status status = WriteOut(buffer_);
    buffer_.clear();
    return status;
  }

 private:
  std::string buffer_;
};

/// One NDJSON file, or `<folder>/<stream>.jsonl` for each stream.
class FileOutput final : public Output {
 public:
  FileOutput(std::string path, bool is_folder) : path_(std::move(path)), is_folder_(is_folder) {}
  Status Take(std::string_view stream, std::string_view record) override {
    PH_ASSIGN_OR_RETURN(std::ofstream * file, FileOf(is_folder_ ? stream : ""));
    *file << record << '\n';
    return {};
  }
  Status Flush() override {
    // A file that was asked for is there, even when nothing happened.
    if (!is_folder_) PH_RETURN_IF_ERROR(FileOf(""));
    for (auto& [name, file] : files_) {
      file->flush();
      if (!*file) {
        return Error(StatusCode::kResourceExhausted, "cannot write: path={} {}", path_, name);
      }
    }
    return {};
  }

 private:
  Result<std::ofstream*> FileOf(std::string_view stream) {
    auto found = files_.find(stream);
    if (found == files_.end()) {
      const std::string path = is_folder_ ? fmt::format("{}/{}.jsonl", path_, stream) : path_;
      auto file = std::make_unique<std::ofstream>(path, std::ios::binary | std::ios::trunc);
      if (!*file) return Error(StatusCode::kPermissionDenied, "cannot write: path={}", path);
      found = files_.emplace(std::string(stream), std::move(file)).first;
    }
    return found->second.get();
  }

  std::string path_;
  bool is_folder_;
  std::map<std::string, std::unique_ptr<std::ofstream>, std::less<>> files_;
};

/// POSTs NDJSON bodies to a collector. An unanswered request is sent again under its
/// Idempotency-Key, so no event is doubled.
class HttpOutput final : public Output {
 public:
  HttpOutput(std::string url, std::stop_token stop) : url_(std::move(url)), stop_(stop) {
    while (url_.ends_with('/')) url_.pop_back();
  }
  Status Take(std::string_view stream, std::string_view record) override {
    Body& body = bodies_[std::string(stream)];
    body.text.append(record).push_back('\n');
    return ++body.records < kRecordsPerRequest ? Status() : Send(std::string(stream), body);
  }
  Status Flush() override {
    for (auto& [stream, body] : bodies_) {
      if (body.records > 0) PH_RETURN_IF_ERROR(Send(stream, body));
    }
    return {};
  }

 private:
  struct Body {
    std::string text;
    int64_t records = 0;
  };

  Status Send(const std::string& stream, Body& body) {
    const std::string key = NewUuid();
    const std::string url = url_ + "/v1/events/" + stream;
    Status last;
    for (int attempt = 0; attempt < kPostAttempts; ++attempt) {
      const Result<http::Answer> answer = client_.Post(
          url, body.text, {{"Content-Type", "application/x-ndjson"}, {"Idempotency-Key", key}});
      if (answer.ok() && answer->status == 200) {
        body = {};
        return {};
      }
      if (!answer.ok()) {
        last = answer.error();
        if (last.code() != StatusCode::kUnavailable) return last;
      } else {
        last = Error(StatusCode::kUnavailable, "collector answered {}: url={} body={}",
                     answer->status, url, answer->body.substr(0, 300));
        const bool is_passing =
            answer->status == 429 || answer->status == 503 || answer->status == 408;
        if (!is_passing) return {StatusCode::kInvalidArgument, last.message()};
      }
      if (!ingest::SleepUnlessStopped(stop_, 100'000LL * (attempt + 1))) break;
    }
    return last;
  }

  std::string url_;
  std::stop_token stop_;
  http::Client client_;
  std::map<std::string, Body> bodies_;
};

/// Writes to the streams' topics; a flush waits until everything is acknowledged.
class KafkaOutput final : public Output {
 public:
  /// `topics`: of every stream that is taken.
  KafkaOutput(std::unique_ptr<log::Journal> journal,
              std::map<std::string, std::string, std::less<>> topics)
      : journal_(std::move(journal)), topics_(std::move(topics)) {}
  ~KafkaOutput() override { journal_->Close(); }

  Status Take(std::string_view stream, std::string_view record) override {
    Batch& batch = batches_[std::string(stream)];
    batch.text.append(record);
    batch.ends.push_back(batch.text.size());
    return batch.ends.size() < kRecordsPerRequest ? Status() : Send(std::string(stream), batch);
  }

  Status Flush() override {
    for (auto& [stream, batch] : batches_) {
      if (!batch.ends.empty()) PH_RETURN_IF_ERROR(Send(stream, batch));
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return in_flight_ == 0; });
    return failure_;
  }

 private:
  struct Batch {
    std::string text;
    std::vector<size_t> ends;  // of each record
  };

  Status Send(const std::string& stream, Batch& batch) {
    // The records live with the answer's callback.
    auto sent = std::make_shared<const Batch>(std::exchange(batch, {}));
    log::JournalAppend append{.topic = topics_.at(stream)};
    size_t begin = 0;
    for (const size_t end : sent->ends) {
      append.records.push_back(std::string_view(sent->text).substr(begin, end - begin));
      begin = end;
    }
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return in_flight_ < kAppendsInFlightMax; });
      if (!failure_.ok()) return failure_;
      ++in_flight_;
    }
    journal_->AppendAsync(std::move(append),
                          [this, sent](const Result<log::JournalReceipt>& receipt) {
                            const std::lock_guard lock(mutex_);
                            --in_flight_;
                            if (!receipt.ok() && failure_.ok()) failure_ = receipt.error();
                            changed_.notify_all();
                          });
    return {};
  }

  const std::unique_ptr<log::Journal> journal_;
  const std::map<std::string, std::string, std::less<>> topics_;
  std::map<std::string, Batch> batches_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int in_flight_ = 0;
  Status failure_;
};

bool IsKafka(std::string_view to) { return to == "kafka" || to.starts_with(kKafkaScheme); }

/// `kafka` is the target's own cluster, `kafka://HOST:PORT` another one.
Result<std::unique_ptr<Output>> OpenKafkaOutput(const config::ResolvedConfig& config,
                                                std::string_view to,
                                                const std::vector<std::string>& streams) {
  std::map<std::string, std::string, std::less<>> topics;
  for (const std::string& stream : streams) {
    const project::Stream* declared = config.project.FindStream(stream);
    if (declared == nullptr || declared->topic.empty()) {
      return Error(StatusCode::kNotFound,
                   "--to {}: models/sources.yml declares no table {} with a topic; give a STREAM "
                   "that it declares, or another --to",
                   to, stream);
    }
    topics.emplace(stream, declared->topic);
  }
  std::map<std::string, std::string> properties = config.target.kafka_properties;
  if (to.starts_with(kKafkaScheme)) {
    properties["bootstrap.servers"] = to.substr(kKafkaScheme.size());
  } else if (config.target.log_type != "kafka") {
    return Error(StatusCode::kInvalidArgument,
                 "--to kafka: the log of target {} is not Kafka; give another --target, or "
                 "kafka://HOST:PORT",
                 config.target.name);
  }
  PH_ASSIGN_OR_RETURN(auto journal, log::OpenKafkaJournal(properties));
  return std::unique_ptr<Output>(
      std::make_unique<KafkaOutput>(std::move(journal), std::move(topics)));
}

/// Of a path that was mistyped only the last folder may come to be.
Status MakeLastFolder(std::filesystem::path folder) {
  if (!folder.has_filename()) folder = folder.parent_path();
  std::error_code error;
  std::filesystem::create_directory(folder, error);
  if (!error) return {};
  return Error(StatusCode::kNotFound, "cannot make the folder {}: {}; the one above it must exist",
               folder.string(), error.message());
}

Result<std::unique_ptr<Output>> OpenOutput(const config::ResolvedConfig& config,
                                           const std::string& to,
                                           const std::vector<std::string>& streams,
                                           std::stop_token stop) {
  if (to == "-") return std::unique_ptr<Output>(std::make_unique<StdoutOutput>());
  if (IsKafka(to)) return OpenKafkaOutput(config, to, streams);
  if (to.starts_with("http://") || to.starts_with("https://")) {
    return std::unique_ptr<Output>(std::make_unique<HttpOutput>(to, stop));
  }
  const bool is_folder = to.ends_with('/') || std::filesystem::is_directory(to);
  if (!is_folder && streams.size() > 1) {
    return Error(StatusCode::kInvalidArgument,
                 "several streams need a folder: make {} a folder or name one STREAM", to);
  }
  if (is_folder) PH_RETURN_IF_ERROR(MakeLastFolder(to));
  return std::unique_ptr<Output>(std::make_unique<FileOutput>(to, is_folder));
}

Status GenerateEvents(const config::ResolvedConfig& config, sim::Simulator& simulator,
                      const SimulateArgs& args, int64_t events, std::stop_token stop) {
  const std::vector<std::string> streams =
      args.stream.empty() ? simulator.streams() : std::vector{args.stream};
  PH_ASSIGN_OR_RETURN(const auto output, OpenOutput(config, args.to, streams, stop));
  const double rate = args.flags.rate.value_or(0);
  Progress progress("simulate", events, "events");
  const sim::Sink sink = [&](std::string_view stream, std::string_view record) {
    return output->Take(stream, record);
  };
  const auto started = std::chrono::steady_clock::now();
  const int64_t batch =
      rate > 0 ? std::clamp<int64_t>(static_cast<int64_t>(rate / 20), 1, 10'000) : 10'000;
  int64_t made = 0;
  while (!stop.stop_requested()) {
    PH_ASSIGN_OR_RETURN(const int64_t count, simulator.Generate(args.stream, batch, sink));
    if (count == 0) break;
    made += count;
    progress.Advance(made);
    if (rate > 0) {
      PH_RETURN_IF_ERROR(output->Flush());
      const auto due =
          started + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                        std::chrono::duration<double>(static_cast<double>(made) / rate));
      const auto wait = std::chrono::duration_cast<std::chrono::microseconds>(
          due - std::chrono::steady_clock::now());
      if (wait.count() > 0) ingest::SleepUnlessStopped(stop, wait.count());
    }
  }
  PH_RETURN_IF_ERROR(output->Flush());
  progress.Finish();
  return {};
}

Result<std::string> ReadEventSimFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error(StatusCode::kNotFound, "--eventsim: cannot read the file: {}", path);
  return text.str();
}

Status Simulate(const config::ResolvedConfig& config, SimulateArgs args) {
  if (!args.eventsim.empty()) {
    PH_ASSIGN_OR_RETURN(args.flags.eventsim_text, ReadEventSimFile(args.eventsim));
  }
  PH_ASSIGN_OR_RETURN(
      const SimulateOptions options,
      ReadSimulateFlags(args.flags, config.project.name, SystemClock().NowMicros()));
  if (!options.ignored_keys.empty()) {
    WriteNote(fmt::format("--eventsim: these keys mean nothing here: {}\n",
                          fmt::join(options.ignored_keys, ", ")));
  }
  PH_ASSIGN_OR_RETURN(const auto simulator, sim::MakeSimulator(config.project.name, options.sim));
  const std::vector<std::string> streams = simulator->streams();
  if (!args.stream.empty() && std::ranges::find(streams, args.stream) == streams.end()) {
    return Error(StatusCode::kNotFound, "project {} has no simulated event stream {}{}",
                 config.project.name, args.stream, DidYouMean(args.stream, streams));
  }
  const bool makes_events = !streams.empty();
  if (args.to.empty()) args.to = makes_events ? "-" : config.landing_folder;
  const StopSignal signal;
  if (makes_events) {
    PH_RETURN_IF_ERROR(
        GenerateEvents(config, *simulator, args, options.sim.events, signal.token()));
  }
  if (!makes_events) {
    if (args.to == "-" || args.to.starts_with("http") || IsKafka(args.to)) {
      return Error(StatusCode::kInvalidArgument,
                   "project {} consists of landing files: --to must be a folder",
                   config.project.name);
    }
    PH_RETURN_IF_ERROR(MakeLastFolder(args.to));
    PH_RETURN_IF_ERROR(simulator->WriteLandingFiles(args.to));
  }
  if (!args.truth.empty()) {
    std::ofstream out(args.truth, std::ios::binary | std::ios::trunc);
    out << simulator->TruthJson() << '\n';
    out.close();
    if (!out) return Error(StatusCode::kPermissionDenied, "cannot write: path={}", args.truth);
  }
  return {};
}

}  // namespace

void AddSimulateCommand(CommandLine& line) {
  auto args = std::make_shared<SimulateArgs>();
  CLI::App& app =
      line.Add("simulate", "Makes believable events or landing files, and knows the truth",
               "playhead simulate media_events --events 1000 --to -");
  app.add_option("STREAM", args->stream, "One stream (default: the whole project)");
  SimulateFlags& flags = args->flags;
  app.add_option("--events", flags.events,
                 "How many events, or streams of the startup project; 0: no limit [10000, with "
                 "--to-time no limit]")
      ->check(CLI::Range(int64_t{0}, int64_t{1} << 40));
  app.add_option("--seed", flags.seed, "The same seed gives the same bytes [1]");
  app.add_option("--rate", flags.rate, "Events per second (default: as fast as they are taken)")
      ->check(CLI::PositiveNumber);
  app.add_option("--from", flags.from,
                 "First event time, such as 2025-09-08 or 2025-09-08T20:00:00+02:00");
  app.add_option("--to-time", flags.to_time, "Event times lie before this");
  app.add_option("--users", flags.users, "How many users (default: from --events)")
      ->check(CLI::Range(1, 5'000'000));
  app.add_option("--faults", flags.faults, "Share of faulty records, 0 to 1")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--eventsim", args->eventsim,
                 "FILE: EventSim's JSON configuration, for the project listening");
  app.add_option(
      "--to", args->to,
      "- (stdout), FILE, DIR, http://HOST:PORT, kafka (the target's) or kafka://HOST:PORT "
      "(default: -, or the landing folder)");
  app.add_option("--truth", args->truth, "Write what was made, and the answers, as JSON");
  line.OnRun(app, [args](const config::ResolvedConfig& config) {
    const Status status = Simulate(config, *args);
    return status.ok() ? kExitDone : Fail(status);
  });
}

}  // namespace playhead::cli
