#include "playhead/ingest/file_epoch.h"

#include <utility>

namespace playhead::ingest {

std::string FileTopic(std::string_view name, std::string_view id) {
  constexpr size_t kDigits = 12;
  return fmt::format("file:{}#{}", name, id.substr(0, kDigits));
}

Result<FileEpoch> FileEpoch::Open(const Lake& lake, const IngestStream& stream) {
  FileEpoch file(lake, stream);
  PH_ASSIGN_OR_RETURN(file.decoder_, decode::RecordDecoder::Make(stream.row_schema));
  PH_ASSIGN_OR_RETURN(EpochBuilder epoch, EpochBuilder::Open(stream, lake.catalog, lake.store,
                                                             lake.warehouse_uri, *file.decoder_));
  file.epoch_ = std::make_unique<EpochBuilder>(std::move(epoch));
  return file;
}

FileEpoch::~FileEpoch() {
  if (epoch_ == nullptr) return;
  epoch_->Abandon();
  table::Committer committer(lake_->catalog, lake_->store, lake_->warehouse_uri, lake_->clock);
  // What cannot be removed now is removed by the next start's recovery.
  (void)committer.Discard(epoch_->plan_id()).ok();
}

Status FileEpoch::Stage(const InputFile& file, catalog::LandingFile* row,
                        const LoadProgress& progress, ContentHasher* hasher) {
  const int64_t good = epoch_->good();
  const int64_t dead = epoch_->dead();
  // The time of its own makes it an epoch to the decoder, whose limits are of one file.
  decoder_->SetSource({.topic = row->topic,
                       .partition = 0,
                       .ingested_at_us = lake_->clock.NowMicros(),
                       .ingestion_date_days = row->ingestion_date_days});
  const Status loaded = LoadFile(file, *epoch_, lake_->clock, progress, hasher).status();
  row->rows_good = epoch_->good() - good;
  row->rows_dead = epoch_->dead() - dead;
  is_spoilt_ = is_spoilt_ || (!loaded.ok() && row->rows_good + row->rows_dead > 0);
  return loaded;
}

Status FileEpoch::Commit(std::vector<table::EpochLanding> landing, std::stop_token stop) {
  PH_ASSIGN_OR_RETURN(table::Epoch staged,
                      epoch_->Finish(FileNamePart(landing.front().file.topic)));
  const std::unique_ptr<EpochBuilder> epoch = std::exchange(epoch_, nullptr);
  StreamSummary summary{.stream = stream_->name,
                        .files = static_cast<int64_t>(landing.size()),
                        .commits = 1,
                        .dead_by_reason = epoch->dead_by_reason()};
  for (table::EpochLanding& file : landing) {
    file.file.committed_us = lake_->clock.NowMicros();
    summary.good += file.file.rows_good;
    summary.dead += file.file.rows_dead;
    summary.bytes += file.file.bytes;
  }
  summary.read = summary.good + summary.dead;
  staged.landing = std::move(landing);
  PH_RETURN_IF_ERROR(CommitPatiently(*lake_, stream_->name, staged, stop));
  summary.seconds = static_cast<double>(lake_->clock.NowMicros() - started_us_) / 1e6;
  lake_->board.Add(summary);
  return {};
}

}  // namespace playhead::ingest
