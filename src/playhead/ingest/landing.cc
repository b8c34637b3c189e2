#include "playhead/ingest/landing.h"

#include "playhead/base/arrow_status.h"
#include "playhead/base/civil_date.h"
#include "playhead/base/hash.h"
#include "playhead/base/logging.h"
#include "playhead/ingest/file_epoch.h"
#include "playhead/ingest/file_input.h"
#include "playhead/ingest/folder_watch.h"

#include <arrow/io/interfaces.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace playhead::ingest {
namespace {

constexpr size_t kHashInName = 12;
constexpr int64_t kShortestRestMicros = 20'000;
constexpr int64_t kLongestRestMicros = 1'000'000;
constexpr int64_t kRetryMicros = 1'000'000;

struct FileStat {
  int64_t bytes = 0;
  int64_t modified_us = 0;
  bool operator==(const FileStat&) const = default;
};

Result<FileStat> StatFile(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    return Error(StatusCode::kNotFound, "cannot read file: path={} why={}", path, strerror(errno));
  }
  return FileStat{.bytes = info.st_size,
                  .modified_us = info.st_mtim.tv_sec * 1'000'000LL + info.st_mtim.tv_nsec / 1000};
}

/// Hashes a file while it is copied to `staged_uri`, durably.
Result<std::string> CopyFile(const Lake& lake, const std::string& path,
                             const std::string& staged_uri) {
  ContentHasher hasher;
  PH_ASSIGN_OR_RETURN(FileInput input, FileInput::Open({.path = path}, &hasher));
  PH_ASSIGN_OR_RETURN(const auto out, lake.store.OpenForWrite(staged_uri));
  PH_RETURN_IF_ERROR(input.CopyTo(*out));
  PH_RETURN_IF_ERROR(out->Close());
  return hasher.Hex();
}

/// Publishes the staged copy of a landing file in raw/ and returns its URI. Content already there
/// under that name is kept; other content gets a name with its hash, so raw never loses what was
/// delivered.
Result<std::string> PublishRaw(const Lake& lake, const LandingCandidate& candidate,
                               const std::string& hash, int32_t date_days,
                               const std::string& staged_uri) {
  std::string uri = fmt::format("{}/raw/{}/ingestion_date={}/{}", lake.warehouse_uri,
                                candidate.stream->main.id.name, DayText(date_days), candidate.name);
  for (int attempt = 0; attempt < 2; ++attempt) {
    PH_ASSIGN_OR_RETURN(const storage::PublishOutcome published,
                        lake.store.Publish(staged_uri, uri));
    if (published == storage::PublishOutcome::kPublished) return uri;
    if (published == storage::PublishOutcome::kSourceGone) {
      return Error(StatusCode::kUnavailable, "the staged copy is gone: uri={}", staged_uri);
    }
    PH_ASSIGN_OR_RETURN(const std::string present, HashFile({.path = uri, .store = &lake.store}));
    if (present == hash) {
      PH_RETURN_IF_ERROR(lake.store.Delete(staged_uri));
      return uri;
    }
    uri += "." + hash.substr(0, kHashInName);
  }
  return Error(StatusCode::kAlreadyExists, "raw copy's name is taken: uri={}", uri);
}

/// Whether content `hash` of `name` is to be loaded, by what the ledger knows of that name. What it
/// knows and what is replaced go to `landing`. Errors: kAlreadyExists (on_change: refuse).
Result<bool> JudgeChange(const IngestStream& stream,
                         const std::vector<catalog::LandingFile>& ledger, const std::string& name,
                         const std::string& hash, table::EpochLanding* landing) {
  const project::OnChange on_change = stream.declaration->on_change;
  for (const catalog::LandingFile& file : ledger) {
    const bool is_same = file.content_hash == hash;
    if (is_same && (file.is_current || on_change == project::OnChange::kAppend)) return false;
    if (!file.is_current) continue;
    landing->known_hash = file.content_hash;
    if (on_change == project::OnChange::kRefuse) {
      return Error(
          StatusCode::kAlreadyExists,
          "landing file changed and its table refuses changes (on_change: refuse): name={} "
          "table={}; restore the old content or deliver it under a new name",
          name, stream.main.id.ToString());
    }
    if (on_change == project::OnChange::kReplace) landing->replaced_topics.push_back(file.topic);
  }
  return true;
}

}  // namespace

LandingIngest::LandingIngest(const Lake& lake, std::string folder,
                             const std::vector<IngestStream>& streams, LandingOptions options)
    : lake_(lake), folder_(std::move(folder)), streams_(streams), options_(std::move(options)) {}

Status LandingIngest::Run(std::stop_token stop) {
  std::optional<FolderWatch> watch;
  if (!options_.once) watch.emplace(folder_);
  while (!stop.stop_requested()) {
    if (watch) watch->Refresh();
    std::optional<int64_t> again_us;
    const Status status = Pass(stop, &again_us);
    if (status.code() == StatusCode::kCancelled) return {};
    PH_RETURN_IF_ERROR(status);
    if (watch) {
      watch->Wait(stop, std::min(again_us.value_or(options_.poll_us), options_.poll_us));
    } else if (again_us) {
      SleepUnlessStopped(stop, *again_us);
    } else {
      return first_refusal_;
    }
  }
  return first_refusal_;
}

int64_t LandingIngest::RestMicros(const LandingCandidate& candidate) const {
  const Result<FileStat> info = StatFile(candidate.path);
  const int64_t age_us = info.ok() ? SystemClock().NowMicros() - info->modified_us : 0;
  return std::clamp(options_.still_us - age_us, kShortestRestMicros, kLongestRestMicros);
}

Status LandingIngest::Pass(std::stop_token stop, std::optional<int64_t>* again_us) {
  const auto look_again = [&](int64_t micros) {
    *again_us = std::min(again_us->value_or(micros), micros);
  };
  PH_ASSIGN_OR_RETURN(const LandingScan scan,
                      ScanLanding(folder_, streams_, options_.dates, Today(lake_.clock)));
  if (scan.files.empty() && options_.dates != DateRange() && warned_.insert("").second) {
    logging::Warn("ingest", "no landing file has a wanted ingestion date",
                  {{"first", DayText(options_.dates.first_days)},
                   {"last", DayText(options_.dates.last_days)},
                   {"folder", folder_}});
  }
  for (const std::string& name : scan.unmatched) {
    if (warned_.insert(name).second) {
      logging::Warn("ingest", "no table declares this landing file", {{"name", name}});
    }
  }
  for (const std::string& problem : scan.ambiguous) {
    if (!warned_.insert(problem).second) continue;
    const Status refusal = Error(StatusCode::kInvalidArgument, "landing file refused: {}", problem);
    logging::Error("ingest", "landing file refused", {{"why", problem}});
    lake_.board.Hold("landing", refusal.ToString());
    if (first_refusal_.ok()) first_refusal_ = refusal;
  }
  for (const LandingCandidate& candidate : scan.files) {
    if (stop.stop_requested()) return {};
    const Result<FileStat> before = StatFile(candidate.path);
    if (!before.ok()) continue;  // taken away meanwhile
    const std::pair<int64_t, int64_t> mark{before->bytes, before->modified_us};
    if (const auto settled = settled_.find(candidate.name);
        settled != settled_.end() && settled->second == mark) {
      continue;
    }
    const Result<Outcome> outcome = TakeFile(candidate, stop);
    if (outcome.ok()) {
      if (*outcome == Outcome::kNotStill) {
        look_again(RestMicros(candidate));
      } else {
        settled_[candidate.name] = mark;
        lake_.board.Hold(candidate.stream->name, "");
      }
      continue;
    }
    const Status& status = outcome.error();
    if (status.code() == StatusCode::kCancelled) return status;
    logging::Error("ingest", "landing file not taken",
                   {{"name", candidate.name}, {"why", status.ToString()}});
    lake_.board.Hold(candidate.stream->name, status.ToString());
    if (status.code() == StatusCode::kUnavailable ||
        status.code() == StatusCode::kResourceExhausted || status.code() == StatusCode::kConflict) {
      look_again(kRetryMicros);
    } else {
      settled_[candidate.name] = mark;
      if (first_refusal_.ok()) first_refusal_ = status.WithContext(candidate.name);
    }
  }
  return {};
}

Result<LandingIngest::Outcome> LandingIngest::TakeFile(const LandingCandidate& candidate,
                                                       std::stop_token stop) {
  const IngestStream& stream = *candidate.stream;
  PH_ASSIGN_OR_RETURN(const FileStat before, StatFile(candidate.path));
  // The machine's clock, not the lake's: file times come from it.
  if (SystemClock().NowMicros() - before.modified_us < options_.still_us ||
      IsOpenForWriting(candidate.path)) {
    return Outcome::kNotStill;
  }
  if (options_.ready) PH_RETURN_IF_ERROR(options_.ready(stream));
  PH_ASSIGN_OR_RETURN(const catalog::TableState table, lake_.catalog.Load(stream.main.id));
  PH_ASSIGN_OR_RETURN(
      const std::vector<catalog::LandingFile> ledger,
      lake_.catalog.LandingFilesNamed(stream.main.id, table.metadata->table_uuid, candidate.name));
  // A file under a new name is read once for its hash and its copy; only one that may be known is
  // read for the hash alone.
  std::string known_hash;
  if (!ledger.empty()) {
    PH_ASSIGN_OR_RETURN(known_hash, HashFile({.path = candidate.path}));
    PH_ASSIGN_OR_RETURN(const FileStat after, StatFile(candidate.path));
    if (after != before) return Outcome::kNotStill;
  }
  table::EpochLanding landing;
  PH_ASSIGN_OR_RETURN(const bool is_new,
                      JudgeChange(stream, ledger, candidate.name, known_hash, &landing));
  if (!is_new) return Outcome::kUnchanged;

  const int32_t date_days = candidate.date_days.value_or(Today(lake_.clock));
  PH_ASSIGN_OR_RETURN(FileEpoch epoch, FileEpoch::Open(lake_, stream));
  const std::string staged_uri = epoch.staging_uri() + "/raw";
  PH_ASSIGN_OR_RETURN(const std::string hash, CopyFile(lake_, candidate.path, staged_uri));
  PH_ASSIGN_OR_RETURN(const FileStat after, StatFile(candidate.path));
  if (after != before || (!known_hash.empty() && hash != known_hash)) return Outcome::kNotStill;
  PH_ASSIGN_OR_RETURN(const std::string raw_uri,
                      PublishRaw(lake_, candidate, hash, date_days, staged_uri));
  InputFile file = DescribeFile(candidate.path, stream.declaration->format);
  file.path = raw_uri;
  file.store = &lake_.store;
  const std::string topic = FileTopic(candidate.name, hash);
  PH_RETURN_IF_ERROR(epoch.Stage(file, topic, date_days, options_.progress, nullptr));
  landing.file = {.table = stream.main.id,
                  .name = candidate.name,
                  .content_hash = hash,
                  .topic = topic,
                  .bytes = before.bytes,
                  .ingestion_date_days = date_days,
                  .raw_uri = raw_uri};
  PH_RETURN_IF_ERROR(epoch.Commit(std::move(landing), stop));
  return Outcome::kLoaded;
}

}  // namespace playhead::ingest
