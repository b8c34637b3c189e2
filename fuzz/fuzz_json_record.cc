// A record of any bytes becomes one row or one dead letter with the same bytes, the batches pass
// Arrow's own check, whatever nlohmann-json does not accept is never a good row, and the parser
// says the same with and without its plain reader.

#include "playhead/base/status.h"
#include "playhead/decode/fast_record_reader.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/record_parser.h"

#include <arrow/api.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace {

using playhead::decode::DecodedRows;
using playhead::decode::FastRecordReader;
using playhead::decode::RecordDecoder;
using playhead::decode::RecordParser;
using playhead::decode::RecordParserOptions;
using playhead::decode::RowSchema;
using playhead::decode::Slot;
using playhead::decode::SlotArena;
using playhead::decode::SlotWriter;
using playhead::decode::TimeZone;
using playhead::decode::TypePlan;

constexpr int64_t kNowUs = 1'767'225'600'000'000;

RowSchema MakeSchema() {
  RowSchema schema;
  schema.columns = {
      {.name = "id", .type = arrow::utf8(), .is_required = true},
      {.name = "n", .type = arrow::int64()},
      {.name = "small", .type = arrow::int32()},
      {.name = "x", .type = arrow::float64()},
      {.name = "flag", .type = arrow::boolean()},
      {.name = "at", .type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {.name = "day", .type = arrow::date32()},
      {.name = "price", .type = arrow::decimal128(12, 3)},
      {.name = "tags", .type = arrow::list(arrow::utf8())},
      {.name = "who",
       .type = arrow::struct_({arrow::field("name", arrow::utf8()),
                               arrow::field("ages", arrow::list(arrow::int32()))})},
      {.name = "counts", .type = arrow::map(arrow::utf8(), arrow::int64())},
  };
  schema.partition_by = {
      {.source_column = "id", .name = "id"},
      {.source_column = "at", .transform = playhead::PartitionTransform::kDay, .name = "date"}};
  schema.event_time_column = "at";
  schema.timezone = "Europe/Berlin";
  return schema;
}

std::unique_ptr<RecordDecoder> MakeDecoder() {
  auto decoder = RecordDecoder::Make(std::make_shared<const RowSchema>(MakeSchema()));
  PH_CHECK(decoder.ok());
  return *std::move(decoder);
}

TypePlan MakePlan() {
  auto plan = playhead::decode::MakeRecordPlan(MakeSchema());
  PH_CHECK(plan.ok());
  return *std::move(plan);
}

TimeZone Berlin() {
  auto zone = TimeZone::Load("Europe/Berlin");
  PH_CHECK(zone.ok());
  return *std::move(zone);
}

/// Byte for byte; so no text of the record may have escapes, else it lies in memory of the parser.
void CheckSlots(const SlotArena& arena, size_t count, const RecordParser& expected) {
  PH_CHECK(count == expected.slot_count());
  PH_CHECK(std::memcmp(arena.slots, expected.arena().slots, count * sizeof(Slot)) == 0);
}

void CheckPlainReader(std::string_view record) {
  static const TypePlan plan = MakePlan();
  static RecordParser with(plan, Berlin(), {});
  static RecordParser without(plan, Berlin(), {.has_plain_reader = false});
  static SlotWriter writer(Berlin(), RecordParserOptions{}.values_max);
  const bool is_good = without.ParseJson(record);
  PH_CHECK(with.ParseJson(record) == is_good);
  if (!is_good) {
    PH_CHECK(with.reason() == without.reason() && with.TakeDetail() == without.TakeDetail());
  } else {
    PH_CHECK(with.extra() == without.extra());
    const bool has_escapes = record.find('\\') != std::string_view::npos;
    if (!has_escapes) CheckSlots(with.arena(), with.slot_count(), without);
  }
  // A new one: the parser's seldom tries after many records that it gave up.
  FastRecordReader plain(plan, RecordParserOptions{}.depth_max);
  writer.Reset(plan.children.size());
  if (!plain.Read(record, writer)) return;
  PH_CHECK(is_good && writer.extra() == without.extra());
  CheckSlots(writer.arena(), writer.slot_count(), without);
}

/// The first value of a text column, which may be a code of a dictionary.
std::string_view Text(const arrow::RecordBatch& rows, const char* column) {
  const std::shared_ptr<arrow::Array> array = rows.GetColumnByName(column);
  if (array->type_id() != arrow::Type::DICTIONARY) {
    return static_cast<const arrow::BinaryArray&>(*array).GetView(0);
  }
  const auto& coded = static_cast<const arrow::DictionaryArray&>(*array);
  return static_cast<const arrow::BinaryArray&>(*coded.dictionary())
      .GetView(coded.GetValueIndex(0));
}

bool IsJson(std::string_view text) {
  constexpr int kNumberOverflow = 406;
  try {
    [[maybe_unused]] const auto parsed = nlohmann::json::parse(text);
    return true;
  } catch (const nlohmann::json::out_of_range& refusal) {
    // No double holds the number, but the grammar has it and so has a column of text.
    return refusal.id == kNumberOverflow;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::unique_ptr<RecordDecoder> decoder = MakeDecoder();
  static int64_t epoch = 0;
  decoder->SetSource({.topic = "t", .ingested_at_us = ++epoch});
  std::string_view record(reinterpret_cast<const char*>(data), size);

  CheckPlainReader(record);
  auto verdict = decoder->Decode({.bytes = record, .offset = 1}, kNowUs);
  auto flushed = decoder->Flush();
  PH_CHECK(flushed.ok());
  const DecodedRows& rows = *flushed;
  PH_CHECK(rows.good == (verdict.is_good ? 1 : 0) && rows.dead == (verdict.is_good ? 0 : 1));
  if (!verdict.is_good) {
    PH_CHECK(rows.dead_letters->ValidateFull().ok());
    PH_CHECK(Text(*rows.dead_letters, "_record") == record);
    return 0;
  }
  const arrow::RecordBatch& row = *rows.partitions.at(0).rows;
  PH_CHECK(row.num_rows() == 1 && row.ValidateFull().ok());
  PH_CHECK(IsJson(record));
  if (row.GetColumnByName("_extra")->IsValid(0)) {
    PH_CHECK(IsJson(Text(row, "_extra")));
  }
  return 0;
}
