#pragma once

#include "playhead/base/clock.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/ingest/row_stager.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/table/epoch_commit.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace playhead::ingest {

/// Collects one epoch of one stream: decodes records and stages their rows and dead letters as
/// Parquet below `_staging/<plan id>/`. Nothing is visible until table::Committer commits what
/// Finish() returns.
///
/// Memory   decoded rows are handed to a RowStager every kFlushBytes or kFlushRows; it encodes them
///          on a thread of its own while the next ones are decoded.
/// Threads  one at a time.
class EpochBuilder {
 public:
  /// Has both tables as the stream declares them (EnsureStreamTables) and writes for their present
  /// metadata. The decoder is the stream's own and reused between
  /// epochs; it must be empty.
  static Result<EpochBuilder> Open(const IngestStream& stream, catalog::Catalog& catalog,
                                   storage::ObjectStore& store, const std::string& warehouse_uri,
                                   decode::RecordDecoder& decoder);

  /// Without a decoder: rows come by Take() alone.
  static Result<EpochBuilder> Open(const IngestStream& stream, catalog::Catalog& catalog,
                                   storage::ObjectStore& store, const std::string& warehouse_uri);
  /// The decoder holds as many rows as are handed on at a time.
  static bool IsFull(const decode::RecordDecoder& decoder);

  EpochBuilder(EpochBuilder&&) noexcept = default;
  EpochBuilder& operator=(EpochBuilder&&) noexcept = default;

  const std::string& plan_id() const { return plan_id_; }
  /// Where a caller may stage files of its own for this epoch (raw copies).
  std::string staging_uri() const;
  /// Where staging_uri() is.
  storage::ObjectStore& store() const { return *store_; }

  /// Records are decoded through this; call FlushIfFull() after each.
  decode::RecordDecoder& decoder() { return *decoder_; }
  /// Hands decoded rows on when enough have gathered. Errors: those of writing, also of rows handed
  /// on before.
  Status FlushIfFull();
  /// Stages rows of another decoder of the stream, on the caller's thread.
  Status Take(decode::DecodedRows rows);

  int64_t record_bytes_max() const { return stream_->row_schema->record_bytes_max; }
  /// The declared ones.
  const std::vector<decode::Column>& columns() const { return stream_->row_schema->columns; }

  /// Records decoded so far.
  int64_t good() const;
  int64_t dead() const;
  /// Of the dead letters that were handed on, all after Finish(), by `_reason`.
  const std::map<std::string, int64_t>& dead_by_reason() const { return dead_by_reason_; }
  /// Bytes written and buffered, roughly.
  int64_t bytes() const;

  /// Stages the rest. The caller fills in ranges, landing and replaced_topics. `stem` names the
  /// data files. After an error the epoch can only be discarded.
  Result<table::Epoch> Finish(const std::string& stem);

  /// Gives the epoch up: its decoded rows are dropped, and nothing is written any more once this
  /// returns, so that what is staged can be discarded. Only plan_id() may be called afterwards.
  void Abandon();

 private:
  EpochBuilder() = default;
  void Count(const decode::DecodedRows& decoded);
  Result<decode::DecodedRows> TakeDecoded();

  const IngestStream* stream_ = nullptr;
  storage::ObjectStore* store_ = nullptr;
  std::string warehouse_uri_;
  std::string plan_id_;
  int32_t schema_id_ = 0;
  std::string main_uuid_;
  std::string dead_uuid_;
  decode::RecordDecoder* decoder_ = nullptr;
  std::unique_ptr<RowStager> stager_;
  int64_t good_ = 0;
  int64_t dead_ = 0;
  std::map<std::string, int64_t> dead_by_reason_;
};

/// Makes text fit for a file name: letters, digits, `.`, `_`, `-` stay, others become `_`; at most
/// 80 bytes.
std::string FileNamePart(std::string_view text);

}  // namespace playhead::ingest
