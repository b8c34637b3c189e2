#include "playhead/ingest/landing_batch.h"

#include "playhead/base/civil_date.h"
#include "playhead/base/hash.h"
#include "playhead/base/logging.h"
#include "playhead/ingest/file_input.h"
#include "playhead/ingest/folder_watch.h"

#include <utility>

namespace playhead::ingest {
namespace {

constexpr size_t kHashInName = 12;

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

bool IsAsScanned(const LandingCandidate& file) {
  const Result<FileStat> now = StatFile(file.path);
  return now.ok() && now->stamp == file.stat.stamp;
}

}  // namespace

Result<LandingBatch> LandingBatch::Open(const Lake& lake, const IngestStream& stream) {
  PH_ASSIGN_OR_RETURN(const catalog::TableState table, lake.catalog.Load(stream.main.id));
  return LandingBatch(lake, stream, table.metadata->table_uuid);
}

Result<LandingBatch::Outcome> LandingBatch::Take(const LandingCandidate& file,
                                                 const LoadProgress& progress,
                                                 const std::stop_token& stop) {
  if (IsOpenForWriting(file.path)) return Outcome::kNotStill;
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::LandingFile> ledger,
                      lake_->catalog.LandingFilesNamed(stream_->main.id, table_uuid_, file.name));
  // A file under a new name is read once for its hash and its copy; only one that may be known is
  // read for the hash alone.
  std::string known_hash;
  if (!ledger.empty()) {
    PH_ASSIGN_OR_RETURN(known_hash, HashFile({.path = file.path, .stop = stop}));
    if (!IsAsScanned(file)) return Outcome::kNotStill;
  }
  table::EpochLanding landing;
  PH_ASSIGN_OR_RETURN(const bool is_new,
                      JudgeChange(*stream_, ledger, file.name, known_hash, &landing));
  if (!is_new) {
    unchanged_.push_back({.name = file.name, .content_hash = known_hash, .stamp = file.stat.stamp});
    return Outcome::kUnchanged;
  }
  if (!epoch_) {
    PH_ASSIGN_OR_RETURN(FileEpoch epoch, FileEpoch::Open(*lake_, *stream_));
    epoch_.emplace(std::move(epoch));
  }
  const size_t copies = staged_.size();
  const auto take = [&]() -> Result<Outcome> {
    PH_ASSIGN_OR_RETURN(const std::string hash, CopyRaw(file, stop));
    if (!IsAsScanned(file) || (!known_hash.empty() && hash != known_hash)) {
      return Outcome::kNotStill;
    }
    landing.file = {.table = stream_->main.id,
                    .name = file.name,
                    .content_hash = hash,
                    .topic = FileTopic(file.name, hash),
                    .bytes = file.stat.bytes,
                    .ingestion_date_days = file.date_days.value_or(Today(lake_->clock)),
                    .stamp = file.stat.stamp};
    InputFile copy = DescribeFile(file.name, stream_->declaration->format);
    copy.path = staged_.back().raw->uri();
    copy.store = &lake_->store;
    copy.stop = stop;
    PH_RETURN_IF_ERROR(epoch_->Stage(copy, &landing.file, progress, nullptr));
    return Outcome::kStaged;
  };
  Result<Outcome> outcome = take();
  if (outcome.ok() && *outcome == Outcome::kStaged) {
    staged_.back().raw_uri =
        fmt::format("{}/raw/{}/ingestion_date={}/{}", lake_->warehouse_uri, stream_->main.id.name,
                    DayText(landing.file.ingestion_date_days), file.name);
    landing_.push_back(std::move(landing));
  } else {
    staged_.resize(copies);
  }
  return outcome;
}

/// Hashes a file while it is copied into the staging folder.
Result<std::string> LandingBatch::CopyRaw(const LandingCandidate& file,
                                          const std::stop_token& stop) {
  ContentHasher hasher;
  PH_ASSIGN_OR_RETURN(FileInput input, FileInput::Open({.path = file.path, .stop = stop}, &hasher));
  PH_ASSIGN_OR_RETURN(auto raw, lake_->store.OpenForWrite(fmt::format(
                                    "{}/raw-{}", epoch_->staging_uri(), staged_.size())));
  PH_RETURN_IF_ERROR(input.CopyTo(*raw));
  PH_RETURN_IF_ERROR(raw->Seal());
  staged_.push_back({.raw = std::move(raw), .raw_uri = {}});
  return hasher.Hex();
}

/// Gives the staged copies their names in raw/. Content already there under that name is kept;
/// other content gets a name with its hash, so raw never loses what was delivered.
Status LandingBatch::PublishRaw() {
  std::vector<std::shared_ptr<storage::OutputObject>> copies;
  std::vector<size_t> waiting;
  for (size_t i = 0; i < staged_.size(); ++i) {
    copies.push_back(staged_[i].raw);
    waiting.push_back(i);
  }
  PH_RETURN_IF_ERROR(lake_->store.CloseMany(copies));
  for (int attempt = 0; attempt < 2 && !waiting.empty(); ++attempt) {
    std::vector<storage::ObjectMove> moves;
    for (const size_t i : waiting) {
      moves.push_back({.staged_uri = staged_[i].raw->uri(), .final_uri = staged_[i].raw_uri});
    }
    PH_ASSIGN_OR_RETURN(const auto outcomes, lake_->store.PublishMany(moves));
    std::vector<size_t> taken;  // names of other content
    for (size_t at = 0; at < waiting.size(); ++at) {
      Staged& staged = staged_[waiting[at]];
      const std::string& hash = landing_[waiting[at]].file.content_hash;
      if (outcomes[at] == storage::PublishOutcome::kSourceGone) {
        return Error(StatusCode::kUnavailable, "the staged copy is gone: uri={}",
                     staged.raw->uri());
      }
      if (outcomes[at] == storage::PublishOutcome::kPublished) continue;
      PH_ASSIGN_OR_RETURN(const std::string present,
                          HashFile({.path = staged.raw_uri, .store = &lake_->store}));
      if (present == hash) continue;
      staged.raw_uri += "." + hash.substr(0, kHashInName);
      taken.push_back(waiting[at]);
    }
    waiting = std::move(taken);
  }
  if (waiting.empty()) return {};
  return Error(StatusCode::kAlreadyExists, "raw copy's name is taken: uri={}",
               staged_[waiting.front()].raw_uri);
}

Status LandingBatch::Commit(std::stop_token stop) {
  if (!unchanged_.empty()) {
    if (const Status noted = lake_->catalog.NoteSeen(stream_->main.id, unchanged_); !noted.ok()) {
      logging::Warn("ingest", "known files will be read again", {{"why", noted.ToString()}});
    }
  }
  if (landing_.empty()) return {};
  PH_RETURN_IF_ERROR(PublishRaw());
  for (size_t i = 0; i < landing_.size(); ++i) landing_[i].file.raw_uri = staged_[i].raw_uri;
  staged_.clear();
  return epoch_->Commit(std::move(landing_), stop);
}

}  // namespace playhead::ingest
