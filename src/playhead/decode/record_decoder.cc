#include "playhead/decode/record_decoder.h"

#include "playhead/base/block_pool.h"
#include "playhead/decode/json_text.h"
#include "playhead/decode/partition_map.h"
#include "playhead/decode/record_parser.h"
#include "playhead/decode/row_buffers.h"
#include "playhead/decode/row_queue.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <set>
#include <utility>

namespace playhead::decode {
namespace {

constexpr int64_t kMicrosPerDay = 86'400LL * 1'000'000;
constexpr int kDepthLimit = 512;
constexpr int64_t kRecordBytesLimit = 512LL << 20;
// Together with the largest record below what Arrow's 32-bit offsets can address.
constexpr int64_t kBufferedBytesLimit = 1LL << 30;
constexpr std::string_view kStage = "decode";

std::string ToUtf8(std::string_view bytes) {
  std::string text(bytes);
  if (!IsUtf8(text)) {
    std::replace_if(text.begin(), text.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  }
  return text;
}

Status CheckLimits(const RowSchema& schema) {
  if (schema.json_depth_max < 1 || schema.json_depth_max > kDepthLimit) {
    return Error(StatusCode::kInvalidArgument, "json_depth_max must be 1 to {}: {}", kDepthLimit,
                 schema.json_depth_max);
  }
  if (schema.record_bytes_max < 1 || schema.record_bytes_max > kRecordBytesLimit) {
    return Error(StatusCode::kInvalidArgument, "record_bytes_max must be 1 to {}: {}",
                 kRecordBytesLimit, schema.record_bytes_max);
  }
  if (schema.partition_keys_max < 1) {
    return Error(StatusCode::kInvalidArgument, "partition_keys_max must be at least 1: {}",
                 schema.partition_keys_max);
  }
  return OkStatus();
}

/// A name that comes again gets a number (`name_2`), so that `_extra` has each key once.
std::vector<std::string> WithDistinctNames(const std::vector<std::string>& header) {
  std::set<std::string> taken(header.begin(), header.end());
  std::set<std::string> seen;
  std::vector<std::string> names;
  for (const std::string& name : header) {
    names.push_back(name);
    if (seen.insert(name).second) continue;
    for (int number = 2; !taken.insert(names.back()).second; ++number) {
      names.back() = fmt::format("{}_{}", name, number);
    }
  }
  return names;
}

class Decoder : public RecordDecoder {
 public:
  Decoder(std::shared_ptr<const RowSchema> schema, std::unique_ptr<const TypePlan> plan,
          TimeZone zone, std::shared_ptr<BlockPool> pool, PartitionMap partitions,
          RecordDecoderOptions options)
      : schema_(std::move(schema)),
        options_(options),
        plan_(std::move(plan)),
        pool_(std::move(pool)),
        parser_(
            *plan_, std::move(zone),
            {.depth_max = schema_->json_depth_max,
             .values_max = std::max(kValuesMax, static_cast<int64_t>(schema_->columns.size()))}),
        partitions_(std::move(partitions)),
        queue_(*plan_),
        dead_(DeadLetterSchema(), pool_.get(), ColumnBuffer::Text::kPlain) {
    for (size_t i = 0; i < schema_->columns.size(); ++i) {
      if (schema_->columns[i].name == schema_->event_time_column) {
        event_time_ = static_cast<int>(i);
        event_time_unit_us_ = plan_->children[i].kind == TypeKind::kDate32 ? kMicrosPerDay : 1;
      }
    }
    SetSource({});
  }

  void SetSource(const SourceOfRows& source) override {
    FillSource();
    if (source.ingested_at_us != source_.ingested_at_us) partitions_.StartEpoch();
    source_ = source;
    source_.topic = ToUtf8(source.topic);
    // Offsets, validity and numbers of a row; its text is counted as the record's bytes.
    row_bytes_ = static_cast<int64_t>(9 * (schema_->columns.size() + 5) + source_.topic.size());
  }

  Verdict Decode(const Record& record, int64_t now_us) override {
    if (IsTooLarge(record)) return RefuseTooLarge(record);
    if (!parser_.ParseJson(record.bytes, record.is_typed_row)) return RefuseParsed(record);
    return AppendRow(record, now_us);
  }

  Status PrepareCsvHeader(const std::vector<std::string>& header) override {
    std::vector<int> columns;
    std::vector<bool> is_taken(schema_->columns.size());
    for (const std::string& name : header) {
      if (!IsUtf8(name)) {
        return Error(StatusCode::kInvalidArgument, "CSV header is not UTF-8: column={}",
                     Excerpt(name));
      }
      int column = plan_->names.Find(name);
      if (column >= 0) {
        if (is_taken[static_cast<size_t>(column)]) {
          return Error(StatusCode::kInvalidArgument, "CSV header has a column twice: column={}",
                       name);
        }
        is_taken[static_cast<size_t>(column)] = true;
      }
      columns.push_back(column);
    }
    column_of_field_ = std::move(columns);
    header_ = WithDistinctNames(header);
    return OkStatus();
  }

  Verdict DecodeFields(const std::vector<std::optional<std::string_view>>& fields,
                       const Record& record, int64_t now_us) override {
    if (IsTooLarge(record)) return RefuseTooLarge(record);
    if (!IsUtf8(record.bytes)) return Refuse(record, Reason::kNotUtf8, "invalid UTF-8");
    if (fields.size() != header_.size()) {
      return Refuse(record, Reason::kRaggedLine,
                    fmt::format("{} fields, the header has {}", fields.size(), header_.size()));
    }
    if (!parser_.ParseFields(fields, column_of_field_, header_)) return RefuseParsed(record);
    return AppendRow(record, now_us);
  }

  void AddDeadLetter(const Record& record, std::string_view stage,
                     const Verdict& verdict) override {
    PH_CHECK(buffered_bytes_ < kBufferedBytesLimit);
    if (options_.keeps_rows) AppendDeadLetter(record, stage, verdict);
    ++dead_count_;
    auto bytes = static_cast<int64_t>(record.bytes.size() + record.headers_json.size() +
                                      verdict.detail.size() + source_.topic.size() +
                                      (record.key ? record.key->size() : 0)) +
                 100;
    buffered_bytes_ += bytes;
  }

  void ReleaseInput() override { queue_.ReleaseInput(); }

  int64_t buffered_bytes() const override { return buffered_bytes_; }
  int64_t buffered_rows() const override { return good_count_ + dead_count_; }
  int64_t buffered_dead() const override { return dead_count_; }
  int64_t buffered_partitions() const override { return partitions_.size(); }

  Result<DecodedRows> Flush() override {
    DecodedRows rows;
    FillSource();
    partitions_.Finish(&rows.partitions);
    if (dead_.row_count() > 0) rows.dead_letters = dead_.Finish().rows;
    rows.good = std::exchange(good_count_, 0);
    rows.dead = std::exchange(dead_count_, 0);
    buffered_bytes_ = 0;
    parser_.ReleaseLarge();
    return rows;
  }

 private:
  static constexpr int64_t kValuesMax = 1'000'000;

  bool IsTooLarge(const Record& record) const {
    return static_cast<int64_t>(record.bytes.size()) > schema_->record_bytes_max;
  }
  Verdict RefuseTooLarge(const Record& record) {
    return Refuse(record, Reason::kTooLarge,
                  fmt::format("{} bytes, at most {} are allowed", record.bytes.size(),
                              schema_->record_bytes_max));
  }
  Verdict RefuseParsed(const Record& record) {
    return Refuse(record, parser_.reason(), parser_.TakeDetail());
  }
  Verdict Refuse(const Record& record, Reason reason, std::string detail) {
    Verdict verdict{.is_good = false, .reason = reason, .detail = std::move(detail)};
    AddDeadLetter(record, kStage, verdict);
    return verdict;
  }

  void AppendDeadLetter(const Record& record, std::string_view stage, const Verdict& verdict) {
    // In the order of DeadLetterSchema().
    dead_.column(0).AppendText(source_.topic);
    dead_.column(1).AppendInteger(source_.partition);
    dead_.column(2).AppendInteger(record.offset);
    dead_.column(3).AppendInteger(source_.ingested_at_us);
    if (record.log_time_us == 0) {
      dead_.column(4).AppendNull();
    } else {
      dead_.column(4).AppendInteger(record.log_time_us);
    }
    if (record.key) {
      dead_.column(5).AppendText(*record.key);
    } else {
      dead_.column(5).AppendNull();
    }
    if (record.headers_json.empty()) {
      dead_.column(6).AppendNull();
    } else {
      dead_.column(6).AppendText(ToUtf8(record.headers_json));
    }
    dead_.column(7).AppendText(stage);
    dead_.column(8).AppendText(ReasonName(verdict.reason));
    dead_.column(9).AppendText(ToUtf8(verdict.detail));
    dead_.column(10).AppendText(record.bytes);
  }

  /// Completes what AppendRow() leaves out: the source columns but the offset are the same for all
  /// rows since the last call, and few rows have undeclared fields.
  void FillSource() {
    queue_.ReleaseInput();
    const size_t first = schema_->columns.size();
    partitions_.ForEach([&](RowBuffers& rows) {
      const int64_t length = rows.column(first + 2).length();
      const int64_t missing = length - rows.column(first).length();
      rows.column(first).AppendTexts(source_.topic, missing);
      rows.column(first + 1).AppendIntegers(source_.partition, missing);
      rows.column(first + 3).AppendIntegers(source_.ingested_at_us, missing);
      ColumnBuffer& extra = rows.column(first + 4);
      extra.AppendNulls(length - extra.length());
    });
  }

  /// Appends the parsed record unless a value that concerns the whole table is out of bounds.
  Verdict AppendRow(const Record& record, int64_t now_us) {
    PH_CHECK(buffered_bytes_ < kBufferedBytesLimit);
    size_t columns = schema_->columns.size();
    if (schema_->has_ingestion_date && source_.ingestion_date_days) {
      Slot& slot = parser_.column(columns - 1);
      slot.integer = *source_.ingestion_date_days;
      slot.state = SlotState::kValue;
    }
    if (event_time_ >= 0) {
      const Slot& time = parser_.column(static_cast<size_t>(event_time_));
      int64_t time_us = time.integer * event_time_unit_us_;
      if (time.has_value() && (time_us < schema_->event_time_min_us ||
                               time_us > now_us + schema_->event_time_ahead_us)) {
        return Refuse(record, Reason::kOutOfRange,
                      fmt::format("{}: event time outside its range: {} us since 1970",
                                  schema_->event_time_column, time_us));
      }
    }
    std::string problem;
    int64_t lanes_before = partitions_.size();
    PartitionMap::PartitionBuffers* partition = partitions_.Find(parser_, &problem);
    if (partition == nullptr) return Refuse(record, Reason::kPartitionValue, std::move(problem));
    if (partitions_.size() != lanes_before) {
      buffered_bytes_ += static_cast<int64_t>(columns + 5) * 4 * BlockPool::kBlockBytesMin;
    }

    if (options_.keeps_rows) AppendTo(partition->rows, record);
    ++good_count_;
    buffered_bytes_ += row_bytes_ + static_cast<int64_t>(record.bytes.size()) +
                       9 * static_cast<int64_t>(parser_.slot_count() - columns);
    return {};
  }

  void AppendTo(RowBuffers& rows, const Record& record) {
    const size_t columns = schema_->columns.size();
    SlotArena arena = parser_.arena();
    queue_.Put(rows, record.bytes, record.is_stable, arena, parser_.slot_count());
    ColumnBuffer& offsets = rows.column(columns + 2);
    if (!parser_.extra().empty()) {
      ColumnBuffer& extra = rows.column(columns + 4);
      extra.AppendNulls(offsets.length() - extra.length());
      extra.AppendText(parser_.extra());
    }
    offsets.AppendInteger(record.offset);
  }

  std::shared_ptr<const RowSchema> schema_;
  const RecordDecoderOptions options_;
  std::unique_ptr<const TypePlan> plan_;
  std::shared_ptr<BlockPool> pool_;  // before all that writes into its blocks
  RecordParser parser_;
  SourceOfRows source_;
  int event_time_ = -1;
  int64_t event_time_unit_us_ = 1;
  int64_t row_bytes_ = 0;
  std::vector<std::string> header_;
  std::vector<int> column_of_field_;

  PartitionMap partitions_;
  RowQueue queue_;  // of rows for partitions_
  RowBuffers dead_;
  int64_t buffered_bytes_ = 0;
  int64_t good_count_ = 0;
  int64_t dead_count_ = 0;
};

Status CheckEventTime(const RowSchema& schema, const TypePlan& plan) {
  if (schema.event_time_column.empty()) return OkStatus();
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (schema.columns[i].name != schema.event_time_column) continue;
    TypeKind kind = plan.children[i].kind;
    if (kind == TypeKind::kTimestamp || kind == TypeKind::kDate32) return OkStatus();
    return Error(StatusCode::kInvalidArgument, "event time is no time or date: column={} type={}",
                 schema.event_time_column, plan.children[i].type_name);
  }
  return Error(StatusCode::kInvalidArgument, "event time is no declared column: column={}",
               schema.event_time_column);
}

}  // namespace

std::string_view ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNotJson:
      return "not_json";
    case Reason::kNotUtf8:
      return "not_utf8";
    case Reason::kNotAnObject:
      return "not_an_object";
    case Reason::kTooDeep:
      return "too_deep";
    case Reason::kTooLarge:
      return "too_large";
    case Reason::kDuplicateKey:
      return "duplicate_key";
    case Reason::kMissingField:
      return "missing_field";
    case Reason::kWrongType:
      return "wrong_type";
    case Reason::kOutOfRange:
      return "out_of_range";
    case Reason::kPartitionValue:
      return "partition_value";
    case Reason::kRaggedLine:
      return "ragged_line";
    case Reason::kUnreadable:
      return "unreadable";
  }
  return "unknown";
}

Result<std::unique_ptr<RecordDecoder>> RecordDecoder::Make(std::shared_ptr<const RowSchema> schema,
                                                           RecordDecoderOptions options) {
  PH_RETURN_IF_ERROR(CheckLimits(*schema));
  PH_ASSIGN_OR_RETURN(TypePlan plan, MakeRecordPlan(*schema));
  PH_RETURN_IF_ERROR(CheckEventTime(*schema, plan));
  PH_ASSIGN_OR_RETURN(TimeZone zone, TimeZone::Load(schema->timezone));
  auto pool = BlockPool::OfProcess();
  PH_ASSIGN_OR_RETURN(PartitionMap partitions,
                      PartitionMap::Make(schema, BatchSchema(*schema), pool.get()));
  return std::unique_ptr<RecordDecoder>(std::make_unique<Decoder>(
      std::move(schema), std::make_unique<const TypePlan>(std::move(plan)), std::move(zone),
      std::move(pool), std::move(partitions), options));
}

}  // namespace playhead::decode
