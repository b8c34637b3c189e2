#include "playhead/collector/event_receipt.h"

#include "playhead/base/json_text.h"
#include "playhead/http/http_message.h"

#include <nlohmann/json.hpp>

namespace playhead::collector {
namespace {

struct DeadText {
  int64_t index = 0;
  std::string_view reason;
  std::string_view detail;
};

std::string Build(const log::JournalReceipt& receipt, std::span<const DeadText> dead) {
  const auto dead_count = static_cast<int64_t>(dead.size());
  std::string json = R"({"log_id":)";
  json.reserve(static_cast<size_t>(200 + 32 * receipt.count + 100 * dead_count));
  AppendJsonBytes(receipt.log_id, &json);
  fmt::format_to(std::back_inserter(json),
                 R"(,"partition":{},"first_offset":{},"count":{},"ok":{},"dead":{},"results":[)",
                 receipt.partition, receipt.first_offset, receipt.count, receipt.count - dead_count,
                 dead_count);
  auto next_dead = dead.begin();
  for (int64_t i = 0; i < receipt.count; ++i) {
    const int64_t offset = receipt.first_offset + i;
    if (i > 0) json += ',';
    if (next_dead == dead.end() || next_dead->index != i) {
      fmt::format_to(std::back_inserter(json), R"({{"offset":{},"verdict":"ok"}})", offset);
      continue;
    }
    fmt::format_to(std::back_inserter(json), R"({{"offset":{},"verdict":"dead","reason":)", offset);
    AppendJsonBytes(next_dead->reason, &json);
    json += R"(,"detail":)";
    AppendJsonBytes(next_dead->detail, &json);
    json += '}';
    ++next_dead;
  }
  json += "]}\n";
  return json;
}

}  // namespace

std::string ReceiptJson(const log::JournalReceipt& receipt, std::span<const DeadRecord> dead) {
  std::vector<DeadText> texts;
  texts.reserve(dead.size());
  for (const DeadRecord& record : dead) {
    texts.push_back({record.index, decode::ReasonName(record.reason), record.detail});
  }
  return Build(receipt, texts);
}

std::string DeadRecordsNote(std::span<const DeadRecord> dead) {
  std::string note = "[";
  for (const DeadRecord& record : dead) {
    if (note.size() > 1) note += ',';
    fmt::format_to(std::back_inserter(note), "[{},", record.index);
    AppendJsonBytes(decode::ReasonName(record.reason), &note);
    note += ',';
    AppendJsonBytes(record.detail, &note);
    note += ']';
  }
  note += ']';
  return note;
}

Result<std::string> RepeatedReceiptJson(const log::JournalReceipt& receipt) {
  const nlohmann::json note = nlohmann::json::parse(receipt.note, nullptr, false);
  bool is_sound = note.is_array();
  std::vector<DeadText> texts;
  for (const auto& item : note) {
    is_sound = is_sound && item.is_array() && item.size() == 3 && item[0].is_number_integer() &&
               item[1].is_string() && item[2].is_string();
    if (!is_sound) break;
    texts.push_back({item[0].get<int64_t>(), item[1].get_ref<const std::string&>(),
                     item[2].get_ref<const std::string&>()});
  }
  if (!is_sound) {
    return Error(StatusCode::kDataCorrupt, "stored verdicts cannot be read: first_offset={}",
                 receipt.first_offset);
  }
  return Build(receipt, texts);
}

}  // namespace playhead::collector
