#include "playhead/ingest/epoch_builder.h"

#include "playhead/base/uuid.h"

#include <arrow/array/array_binary.h>
#include <arrow/record_batch.h>

namespace playhead::ingest {
namespace {

constexpr int64_t kFlushRows = 32'768;
constexpr int64_t kFlushBytes = 32LL << 20;

void CountReasons(const arrow::RecordBatch& dead_letters, std::map<std::string, int64_t>& counts) {
  const std::shared_ptr<arrow::Array> column = dead_letters.GetColumnByName("_reason");
  const auto& reasons = static_cast<const arrow::StringArray&>(*column);
  for (int64_t row = 0; row < reasons.length(); ++row) ++counts[reasons.GetString(row)];
}

}  // namespace

std::string FileNamePart(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, 80)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    name.push_back(is_plain ? c : '_');
  }
  return name;
}

Result<EpochBuilder> EpochBuilder::Open(const IngestStream& stream, catalog::Catalog& catalog,
                                        storage::ObjectStore& store,
                                        const std::string& warehouse_uri,
                                        decode::RecordDecoder& decoder) {
  PH_CHECK(decoder.buffered_rows() == 0);
  PH_ASSIGN_OR_RETURN(EpochBuilder builder, Open(stream, catalog, store, warehouse_uri));
  builder.decoder_ = &decoder;
  return builder;
}

Result<EpochBuilder> EpochBuilder::Open(const IngestStream& stream, catalog::Catalog& catalog,
                                        storage::ObjectStore& store,
                                        const std::string& warehouse_uri) {
  EpochBuilder builder;
  builder.stream_ = &stream;
  builder.store_ = &store;
  builder.warehouse_uri_ = warehouse_uri;
  builder.plan_id_ = NewUuid();
  // What another writer did meanwhile is met here: a table that is gone is made anew, a column that
  // is gone is added.
  PH_ASSIGN_OR_RETURN(const StreamTables tables,
                      EnsureStreamTables(catalog, store, warehouse_uri, stream, SystemClock()));
  builder.stager_ =
      std::make_unique<RowStager>(RowStager::Target{.store = &store,
                                                    .staging_uri = builder.staging_uri(),
                                                    .stream = &stream,
                                                    .main = tables.main.metadata,
                                                    .dead = tables.dead.metadata});
  builder.schema_id_ = tables.main.metadata->current_schema_id;
  builder.main_uuid_ = tables.main.metadata->table_uuid;
  builder.dead_uuid_ = tables.dead.metadata->table_uuid;
  return builder;
}

std::string EpochBuilder::staging_uri() const {
  return table::StagingUri(warehouse_uri_, table::ProcessOwner(), plan_id_);
}

int64_t EpochBuilder::dead() const {
  return dead_ + (decoder_ == nullptr ? 0 : decoder_->buffered_dead());
}

int64_t EpochBuilder::good() const {
  return good_ + dead_ + (decoder_ == nullptr ? 0 : decoder_->buffered_rows()) - dead();
}

int64_t EpochBuilder::bytes() const {
  return (decoder_ == nullptr ? 0 : decoder_->buffered_bytes()) + stager_->bytes();
}

bool EpochBuilder::IsFull(const decode::RecordDecoder& decoder) {
  return decoder.buffered_rows() >= kFlushRows || decoder.buffered_bytes() >= kFlushBytes;
}

Status EpochBuilder::FlushIfFull() {
  if (!IsFull(*decoder_)) return {};
  PH_ASSIGN_OR_RETURN(decode::DecodedRows decoded, TakeDecoded());
  return stager_->Take(std::move(decoded));
}

Status EpochBuilder::Take(decode::DecodedRows decoded) {
  Count(decoded);
  return stager_->Stage(std::move(decoded));
}

void EpochBuilder::Count(const decode::DecodedRows& decoded) {
  good_ += decoded.good;
  dead_ += decoded.dead;
  if (decoded.dead_letters != nullptr) CountReasons(*decoded.dead_letters, dead_by_reason_);
}

Result<decode::DecodedRows> EpochBuilder::TakeDecoded() {
  if (decoder_ == nullptr) return decode::DecodedRows();
  PH_ASSIGN_OR_RETURN(decode::DecodedRows decoded, decoder_->Flush());
  Count(decoded);
  return decoded;
}

Result<table::Epoch> EpochBuilder::Finish(const std::string& stem) {
  PH_ASSIGN_OR_RETURN(decode::DecodedRows last, TakeDecoded());
  table::Epoch epoch;
  epoch.plan_id = plan_id_;
  epoch.main = stream_->main.id;
  epoch.dead = stream_->dead.id;
  epoch.main_uuid = main_uuid_;
  epoch.dead_uuid = dead_uuid_;
  // With the plan's id no other epoch, of this warehouse or of a copy, ever makes the same name.
  PH_RETURN_IF_ERROR(stager_->Finish(std::move(last),
                                     fmt::format("{}-{}-{}", stem, schema_id_, plan_id_), &epoch));
  return epoch;
}

void EpochBuilder::Abandon() {
  if (decoder_ != nullptr && decoder_->buffered_rows() > 0) (void)decoder_->Flush().ok();
  stager_.reset();
}

}  // namespace playhead::ingest
