#include "playhead/ingest/landing.h"

#include "playhead/base/civil_date.h"
#include "playhead/base/logging.h"
#include "playhead/ingest/folder_watch.h"
#include "playhead/ingest/landing_batch.h"

#include <algorithm>
#include <utility>

namespace playhead::ingest {
namespace {

constexpr int64_t kShortestRestMicros = 20'000;
constexpr int64_t kLongestRestMicros = 1'000'000;
constexpr int64_t kRetryMicros = 1'000'000;
// Of one commit, whichever comes first; each file of it is open until then.
constexpr size_t kBatchFilesMax = 256;
constexpr int64_t kBatchBytesMax = 64LL << 20;

bool PassesByItself(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted ||
         code == StatusCode::kConflict;
}

}  // namespace

LandingIngest::LandingIngest(const Lake& lake, std::string folder,
                             const std::vector<IngestStream>& streams, LandingOptions options)
    : lake_(lake), folder_(std::move(folder)), streams_(streams), options_(std::move(options)) {}

Status LandingIngest::Run(std::stop_token stop) {
  std::optional<FolderWatch> watch;
  if (!options_.once) watch.emplace(folder_);
  PH_RETURN_IF_ERROR(LoadSeen());
  while (!stop.stop_requested()) {
    if (watch) watch->Refresh();
    again_us_.reset();
    const Status status = Pass(stop);
    // A load or a commit that waits was broken off; the board says what the commit waits for.
    if (status.code() == StatusCode::kCancelled) break;
    PH_RETURN_IF_ERROR(status);
    if (watch) {
      watch->Wait(stop, std::min(again_us_.value_or(options_.poll_us), options_.poll_us));
    } else if (again_us_) {
      SleepUnlessStopped(stop, *again_us_);
    } else {
      return {};
    }
  }
  if (!options_.once) return {};
  return Status(StatusCode::kCancelled, "stopped before all landing files were taken");
}

Status LandingIngest::first_refusal() const {
  return refused_.empty() ? Status() : refused_.begin()->second.why;
}

void LandingIngest::Refuse(const std::string& name, const std::string& stream, Status why) {
  refused_.insert_or_assign(name, Refusal{.stream = stream, .why = std::move(why)});
  ShowRefused(stream);
}

void LandingIngest::ShowRefused(const std::string& stream) {
  const auto found = std::ranges::find_if(
      refused_, [&](const auto& entry) { return entry.second.stream == stream; });
  lake_.board.Hold(stream, found == refused_.end() ? "" : found->second.why.ToString());
}

void LandingIngest::ForgetGone(const LandingScan& scan) {
  if (refused_.empty()) return;
  std::set<std::string_view> present;
  for (const LandingCandidate& file : scan.files) present.insert(file.name);
  for (const LeftAlone& file : scan.refused) present.insert(file.name);
  for (auto entry = refused_.begin(); entry != refused_.end();) {
    if (present.contains(entry->first)) {
      ++entry;
      continue;
    }
    const std::string stream = std::move(entry->second.stream);
    entry = refused_.erase(entry);
    ShowRefused(stream);
  }
}

Status LandingIngest::LoadSeen() {
  for (const IngestStream& stream : streams_) {
    if (stream.declaration->landing.empty()) continue;
    const Result<catalog::TableState> table = lake_.catalog.Load(stream.main.id);
    if (!table.ok()) continue;  // said when a file is taken
    PH_ASSIGN_OR_RETURN(auto seen,
                        lake_.catalog.SeenFiles(stream.main.id, table->metadata->table_uuid));
    settled_.merge(seen);
  }
  return {};
}

void LandingIngest::LookAgain(int64_t micros) {
  again_us_ = std::min(again_us_.value_or(micros), micros);
}

bool LandingIngest::IsSettled(const LandingCandidate& file) const {
  const auto settled = settled_.find(file.name);
  return settled != settled_.end() && settled->second == file.stat.stamp;
}

void LandingIngest::Settle(const LandingCandidate& file) {
  settled_[file.name] = file.stat.stamp;
  refused_.erase(file.name);
}

int64_t LandingIngest::RestMicros(const LandingCandidate& file) {
  // The machine's clock, not the lake's: file times come from it.
  const Clock& clock = SystemClock();
  const int64_t age_us = clock.NowMicros() - file.stat.modified_us;
  if (age_us >= 0) return options_.still_us - age_us;
  // A time in the future says nothing: it rests from when it was first seen as it is.
  const auto [seen, is_new] = future_.try_emplace(file.name);
  if (is_new || seen->second.first != file.stat.stamp) {
    seen->second = {file.stat.stamp, clock.TicksMicros()};
  }
  return options_.still_us - (clock.TicksMicros() - seen->second.second);
}

Status LandingIngest::Pass(std::stop_token stop) {
  PH_ASSIGN_OR_RETURN(const LandingScan scan,
                      ScanLanding(folder_, streams_, options_.dates, Today(lake_.clock)));
  ForgetGone(scan);
  Tell(scan);
  std::vector<const LandingCandidate*> due;
  for (const LandingCandidate& file : scan.files) {
    if (IsSettled(file)) continue;
    if (const int64_t rest_us = RestMicros(file); rest_us > 0) {
      LookAgain(std::clamp(rest_us, kShortestRestMicros, kLongestRestMicros));
    } else {
      due.push_back(&file);
    }
  }
  for (std::span<const LandingCandidate* const> rest = due; !rest.empty();) {
    if (stop.stop_requested()) return {};
    size_t count = 0;
    for (int64_t bytes = 0; count < std::min(rest.size(), kBatchFilesMax); ++count) {
      if (rest[count]->stream != rest[0]->stream || bytes >= kBatchBytesMax) break;
      bytes += rest[count]->stat.bytes;
    }
    PH_RETURN_IF_ERROR(TakeFiles(rest.first(count), stop));
    rest = rest.subspan(count);
  }
  return {};
}

void LandingIngest::Tell(const LandingScan& scan) {
  if (scan.files.empty() && options_.dates != DateRange() && told_.insert("").second) {
    logging::Warn("ingest", "no landing file has a wanted ingestion date",
                  {{"first", DayText(options_.dates.first_days)},
                   {"last", DayText(options_.dates.last_days)},
                   {"folder", folder_}});
  }
  for (const LeftAlone& file : scan.unfinished) {
    if (!told_.insert(file.name).second) continue;
    logging::Info("ingest", "landing file left alone", {{"name", file.name}, {"why", file.why}});
  }
  for (const LeftAlone& file : scan.unmatched) {
    if (!told_.insert(file.name).second) continue;
    logging::Warn("ingest", "landing file left alone", {{"name", file.name}, {"why", file.why}});
  }
  for (const LeftAlone& file : scan.refused) {
    Refuse(
        file.name, "landing",
        Error(StatusCode::kInvalidArgument, "landing file refused: {}: {}", file.name, file.why));
    if (!told_.insert(file.name).second) continue;
    logging::Error("ingest", "landing file refused", {{"name", file.name}, {"why", file.why}});
  }
}

Status LandingIngest::TakeFiles(std::span<const LandingCandidate* const> files,
                                std::stop_token stop) {
  const IngestStream& stream = *files.front()->stream;
  if (options_.ready) {
    if (const Status ready = options_.ready(stream); !ready.ok()) return Fail(files, ready);
  }
  Result<LandingBatch> opened = LandingBatch::Open(lake_, stream);
  if (!opened.ok()) return Fail(files, opened.error());
  std::optional<LandingBatch> batch(*std::move(opened));
  std::vector<const LandingCandidate*> taken;
  bool has_failure = false;
  for (const LandingCandidate* const& file : files) {
    if (stop.stop_requested()) break;
    if (IsSettled(*file)) continue;
    const Result<LandingBatch::Outcome> outcome = batch->Take(*file, options_.progress, stop);
    if (outcome.ok() && *outcome == LandingBatch::Outcome::kNotStill) {
      LookAgain(kShortestRestMicros);
    } else if (outcome.ok() && *outcome == LandingBatch::Outcome::kUnchanged) {
      Settle(*file);
    } else if (outcome.ok()) {
      taken.push_back(file);
    } else {
      has_failure = true;
      PH_RETURN_IF_ERROR(Fail({&file, 1}, outcome.error()));
      if (!batch->is_spoilt()) continue;
      // The others are taken again without it.
      batch.reset();
      return IsSettled(*file) ? TakeFiles(files, stop) : Status();
    }
  }
  const Status status = batch->Commit(stop);
  if (!status.ok() && !PassesByItself(status.code()) && taken.size() > 1) {
    // One of them may be the reason.
    for (const LandingCandidate* const& file : taken)
      PH_RETURN_IF_ERROR(TakeFiles({&file, 1}, stop));
    return {};
  }
  if (!status.ok()) return Fail(taken, status);
  for (const LandingCandidate* file : taken) Settle(*file);
  if (!has_failure) ShowRefused(stream.name);
  return {};
}

Status LandingIngest::Fail(std::span<const LandingCandidate* const> files, const Status& status) {
  if (status.code() == StatusCode::kCancelled) return status;
  for (const LandingCandidate* file : files) {
    logging::Error("ingest", "landing file not taken",
                   {{"name", file->name}, {"why", status.ToString()}});
    lake_.board.Hold(file->stream->name, status.ToString());
    if (PassesByItself(status.code())) {
      LookAgain(kRetryMicros);
    } else {
      settled_[file->name] = file->stat.stamp;
      Refuse(file->name, file->stream->name, status.WithContext(file->name));
    }
  }
  return {};
}

}  // namespace playhead::ingest
