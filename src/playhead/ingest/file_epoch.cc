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

Status FileEpoch::Stage(const InputFile& file, const std::string& topic,
                        int32_t ingestion_date_days, const LoadProgress& progress,
                        ContentHasher* hasher) {
  started_us_ = lake_->clock.NowMicros();
  decoder_->SetSource({.topic = topic,
                       .partition = 0,
                       .ingested_at_us = started_us_,
                       .ingestion_date_days = ingestion_date_days});
  PH_ASSIGN_OR_RETURN(records_, LoadFile(file, *epoch_, lake_->clock, progress, hasher));
  PH_ASSIGN_OR_RETURN(staged_, epoch_->Finish(FileNamePart(topic)));
  return {};
}

Status FileEpoch::Commit(table::EpochLanding landing, std::stop_token stop) {
  const std::unique_ptr<EpochBuilder> epoch = std::exchange(epoch_, nullptr);
  catalog::LandingFile& ledger = landing.file;
  ledger.rows_good = epoch->good();
  ledger.rows_dead = epoch->dead();
  ledger.committed_us = lake_->clock.NowMicros();
  const int64_t bytes = ledger.bytes;
  staged_.landing = std::move(landing);
  PH_RETURN_IF_ERROR(CommitPatiently(*lake_, stream_->name, staged_, stop));
  lake_->board.Add({.stream = stream_->name,
                    .read = records_,
                    .good = epoch->good(),
                    .dead = epoch->dead(),
                    .skipped = 0,
                    .files = 1,
                    .bytes = bytes,
                    .seconds = static_cast<double>(lake_->clock.NowMicros() - started_us_) / 1e6,
                    .commits = 1,
                    .dead_by_reason = epoch->dead_by_reason()});
  return {};
}

}  // namespace playhead::ingest
