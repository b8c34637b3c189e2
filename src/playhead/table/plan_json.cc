#include "playhead/base/json_writer.h"
#include "playhead/table/plan.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <map>
#include <string>
#include <utility>

namespace playhead::table {
namespace {

using nlohmann::json;

// Bounds are bytes; JSON holds text.
std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

int FromHexDigit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(FromHexDigit(hex[i]) * 16 + FromHexDigit(hex[i + 1])));
  }
  return bytes;
}

// JSON has no number for what is not finite.
template <typename Float>
std::string FloatText(Float value) {
  return std::isfinite(value) ? fmt::format("{}", value) : fmt::format("\"{}\"", value);
}

double FloatFrom(const json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

// Writes what the functions `…FromJson` read.
class PlanWriter {
 public:
  Result<std::string> Text(const Plan& plan) && {
    Write(plan);
    if (!out_.has_replaced()) return std::move(out_).Take();
    return Error(StatusCode::kInvalidArgument, "a name of the epoch is not UTF-8: plan={}",
                 plan.id);
  }

 private:
  void Write(const Plan& plan) {
    out_.BeginObject();
    WriteEntry("changes", plan.changes);
    WriteEntry("guards", plan.guards);
    WriteEntry("effects", plan.effects);
    out_.Key("staging").String(plan.staging_uri);
    out_.Key("created_us").Int(plan.created_us);
    out_.EndObject();
  }

  void Write(const std::string& text) { out_.String(text); }
  void Write(int64_t number) { out_.Int(number); }

  template <typename Item>
  void Write(const std::vector<Item>& items) {
    out_.BeginArray();
    for (const Item& item : items) Write(item);
    out_.EndArray();
  }

  template <typename Value>
  void WriteEntry(std::string_view key, const Value& value) {
    out_.Key(key);
    Write(value);
  }

  void Write(const std::map<int32_t, int64_t>& numbers) {
    out_.BeginObject();
    for (const auto& [id, number] : numbers) out_.Key(std::to_string(id)).Int(number);
    out_.EndObject();
  }

  void Write(const std::map<int32_t, std::string>& bounds) {
    out_.BeginObject();
    for (const auto& [id, bytes] : bounds) out_.Key(std::to_string(id)).String(ToHex(bytes));
    out_.EndObject();
  }

  void Write(const iceberg::PartitionValue& value) {
    if (std::holds_alternative<std::monostate>(value)) {
      out_.Null();
      return;
    }
    out_.BeginObject();
    std::visit([this](const auto& one) { WriteTyped(one); }, value);
    out_.EndObject();
  }

  void Write(const StagedFile& staged) {
    const iceberg::DataFile& file = staged.file;
    out_.BeginObject();
    out_.Key("staged").String(staged.staged_uri);
    out_.Key("path").String(file.path);
    out_.Key("spec").Int(file.spec_id);
    WriteEntry("partition", file.partition);
    out_.Key("records").Int(file.record_count);
    out_.Key("bytes").Int(file.file_bytes);
    WriteEntry("column_sizes", file.column_sizes);
    WriteEntry("values", file.value_counts);
    WriteEntry("nulls", file.null_value_counts);
    WriteEntry("nans", file.nan_value_counts);
    WriteEntry("lower", file.lower_bounds);
    WriteEntry("upper", file.upper_bounds);
    WriteEntry("splits", file.split_offsets);
    out_.EndObject();
  }

  void Write(const catalog::TableId& id) {
    out_.BeginObject();
    out_.Key("namespace").String(id.table_namespace);
    out_.Key("name").String(id.name);
    out_.EndObject();
  }

  void WritePartition(const LogPartition& partition) {
    out_.Key("log").String(partition.log_id);
    out_.Key("topic").String(partition.topic);
    out_.Key("partition").Int(partition.partition);
  }

  void Write(const EpochRange& range) {
    out_.BeginObject();
    WritePartition(range.partition);
    out_.Key("begin").Int(range.range.begin);
    out_.Key("end").Int(range.range.end);
    out_.Key("read").Int(range.counts.read);
    out_.Key("good").Int(range.counts.good);
    out_.Key("dead").Int(range.counts.dead);
    out_.Key("skipped").Int(range.counts.skipped);
    if (range.accepted_gap_from.has_value()) out_.Key("gap_from").Int(*range.accepted_gap_from);
    out_.EndObject();
  }

  void Write(const catalog::LandingFile& file) {
    out_.BeginObject();
    WriteEntry("table", file.table);
    out_.Key("uuid").String(file.table_uuid);
    out_.Key("name").String(file.name);
    out_.Key("hash").String(file.content_hash);
    out_.Key("topic").String(file.topic);
    out_.Key("bytes").Int(file.bytes);
    out_.Key("good").Int(file.rows_good);
    out_.Key("dead").Int(file.rows_dead);
    out_.Key("ingestion_date").Int(file.ingestion_date_days);
    out_.Key("raw").String(file.raw_uri);
    out_.Key("committed_us").Int(file.committed_us);
    out_.Key("current").Bool(file.is_current);
    if (!file.stamp.empty()) out_.Key("stamp").String(file.stamp);
    out_.EndObject();
  }

  void Write(const PlannedChange& change) {
    out_.BeginObject();
    WriteEntry("table", change.id);
    out_.Key("uuid").String(change.table_uuid);
    WriteEntry("added", change.added);
    WriteEntry("removed", change.removed_paths);
    out_.EndObject();
  }

  void WriteInputs(const std::map<std::string, int64_t>& snapshots) {
    out_.Key("inputs").BeginObject();
    for (const auto& [table, snapshot_id] : snapshots) out_.Key(table).Int(snapshot_id);
    out_.EndObject();
  }

  void Write(const Guard& guard) {
    out_.BeginObject();
    std::visit([this](const auto& one) { WriteTyped(one); }, guard);
    out_.EndObject();
  }

  void Write(const Effects& effects) {
    out_.BeginObject();
    WriteEntry("ranges", effects.ranges);
    WriteEntry("ledger", effects.ledger_rows);
    WriteInputs(effects.inputs);
    out_.EndObject();
  }

  // A partition's value or a guard, as the entry that names its kind.
  void WriteTyped(std::monostate) {}
  void WriteTyped(bool value) { out_.Key("bool").Bool(value); }
  void WriteTyped(int32_t value) { out_.Key("int").Int(value); }
  void WriteTyped(int64_t value) { out_.Key("long").Int(value); }
  void WriteTyped(float value) { out_.Key("float").Raw(FloatText(value)); }
  void WriteTyped(double value) { out_.Key("double").Raw(FloatText(value)); }
  void WriteTyped(const std::string& value) { out_.Key("string").String(ToHex(value)); }

  void WriteTyped(const OffsetsAt& offsets) {
    out_.Key("offsets").BeginObject();
    WritePartition(offsets.partition);
    out_.Key("next");
    offsets.next_offset ? out_.Int(*offsets.next_offset) : out_.Null();
    out_.EndObject();
  }
  void WriteTyped(const LedgerIs& ledger) {
    out_.Key("ledger").BeginObject();
    WriteEntry("table", ledger.table);
    out_.Key("uuid").String(ledger.table_uuid);
    out_.Key("name").String(ledger.name);
    out_.Key("hash");
    ledger.hash ? out_.String(*ledger.hash) : out_.Null();
    out_.EndObject();
  }
  void WriteTyped(const FilesLive& files) {
    out_.Key("live").BeginObject();
    WriteEntry("table", files.table);
    WriteEntry("paths", files.paths);
    WriteEntry("topics", files.topics);
    out_.Key("sequence").Int(files.sequence_number);
    out_.EndObject();
  }
  void WriteTyped(const InputsAre& inputs) { WriteInputs(inputs.snapshots); }

  JsonWriter out_;
};

iceberg::PartitionValue PartitionFromJson(const json& value) {
  if (value.is_null()) return std::monostate{};
  if (value.contains("bool")) return value.at("bool").get<bool>();
  if (value.contains("int")) return value.at("int").get<int32_t>();
  if (value.contains("long")) return value.at("long").get<int64_t>();
  if (value.contains("float")) return static_cast<float>(FloatFrom(value.at("float")));
  if (value.contains("double")) return FloatFrom(value.at("double"));
  return FromHex(value.at("string").get<std::string>());
}

std::map<int32_t, int64_t> NumbersFromJson(const json& object) {
  std::map<int32_t, int64_t> numbers;
  for (const auto& [id, number] : object.items()) numbers[std::stoi(id)] = number;
  return numbers;
}

std::map<int32_t, std::string> BoundsFromJson(const json& object) {
  std::map<int32_t, std::string> bounds;
  for (const auto& [id, hex] : object.items()) {
    bounds[std::stoi(id)] = FromHex(hex.get<std::string>());
  }
  return bounds;
}

StagedFile FileFromJson(const json& item) {
  StagedFile staged;
  staged.staged_uri = item.at("staged");
  iceberg::DataFile& file = staged.file;
  file.path = item.at("path");
  file.spec_id = item.value("spec", 0);
  for (const json& value : item.at("partition")) file.partition.push_back(PartitionFromJson(value));
  file.record_count = item.at("records");
  file.file_bytes = item.at("bytes");
  file.column_sizes = NumbersFromJson(item.at("column_sizes"));
  file.value_counts = NumbersFromJson(item.at("values"));
  file.null_value_counts = NumbersFromJson(item.at("nulls"));
  file.nan_value_counts = NumbersFromJson(item.at("nans"));
  file.lower_bounds = BoundsFromJson(item.at("lower"));
  file.upper_bounds = BoundsFromJson(item.at("upper"));
  file.split_offsets = item.at("splits").get<std::vector<int64_t>>();
  return staged;
}

std::vector<StagedFile> FilesFromJson(const json& list) {
  std::vector<StagedFile> files;
  for (const json& item : list) files.push_back(FileFromJson(item));
  return files;
}

catalog::TableId TableFromJson(const json& item) { return {item.at("namespace"), item.at("name")}; }

EpochRange RangeFromJson(const json& item) {
  EpochRange range{
      .partition = {item.at("log"), item.at("topic"), item.at("partition").get<int32_t>()},
      .range = {item.at("begin"), item.at("end")},
      .counts = {item.at("read"), item.at("good"), item.at("dead"), item.at("skipped")}};
  if (item.contains("gap_from")) range.accepted_gap_from = item.at("gap_from").get<int64_t>();
  return range;
}

catalog::LandingFile LandingFromJson(const json& item) {
  return {.table = TableFromJson(item.at("table")),
          .table_uuid = item.value("uuid", ""),
          .name = item.at("name"),
          .content_hash = item.at("hash"),
          .topic = item.at("topic"),
          .bytes = item.at("bytes"),
          .rows_good = item.at("good"),
          .rows_dead = item.at("dead"),
          .ingestion_date_days = item.at("ingestion_date"),
          .raw_uri = item.at("raw"),
          .committed_us = item.at("committed_us"),
          .is_current = item.at("current"),
          .stamp = item.value("stamp", "")};
}

PlannedChange ChangeFromJson(const json& item) {
  return {.id = TableFromJson(item.at("table")),
          .table_uuid = item.at("uuid"),
          .added = FilesFromJson(item.at("added")),
          .removed_paths = item.at("removed")};
}

Guard GuardFromJson(const json& item) {
  if (item.contains("offsets")) {
    const json& offsets = item.at("offsets");
    return OffsetsAt{.partition = {offsets.at("log"), offsets.at("topic"),
                                   offsets.at("partition").get<int32_t>()},
                     .next_offset = offsets.at("next").is_null()
                                        ? std::nullopt
                                        : std::optional(offsets.at("next").get<int64_t>())};
  }
  if (item.contains("ledger")) {
    const json& ledger = item.at("ledger");
    LedgerIs guard{.table = TableFromJson(ledger.at("table")),
                   .table_uuid = ledger.at("uuid"),
                   .name = ledger.at("name"),
                   .hash = std::nullopt};
    if (!ledger.at("hash").is_null()) guard.hash = ledger.at("hash").get<std::string>();
    return guard;
  }
  if (item.contains("live")) {
    const json& live = item.at("live");
    return FilesLive{.table = TableFromJson(live.at("table")),
                     .paths = live.at("paths"),
                     .topics = live.at("topics"),
                     .sequence_number = live.at("sequence")};
  }
  return InputsAre{.snapshots = item.at("inputs")};
}

Effects EffectsFromJson(const json& item) {
  Effects effects{.ranges = {}, .ledger_rows = {}, .inputs = item.at("inputs")};
  for (const json& range : item.at("ranges")) effects.ranges.push_back(RangeFromJson(range));
  for (const json& file : item.at("ledger")) effects.ledger_rows.push_back(LandingFromJson(file));
  return effects;
}

template <typename Parse>
auto Parsed(const std::string& plan_id, std::string_view payload, const Parse& parse)
    -> Result<decltype(parse(json()))> {
  try {
    return parse(json::parse(payload));
  } catch (const std::exception& error) {
    // JSON's own exceptions, and std::stoi's for a field id that is none.
    return Error(StatusCode::kDataCorrupt, "unreadable plan: plan={} error={}", plan_id,
                 error.what());
  }
}

}  // namespace

Result<std::string> PlanToJson(const Plan& plan) { return PlanWriter().Text(plan); }

Result<Plan> PlanFromJson(const std::string& plan_id, std::string_view payload) {
  PH_ASSIGN_OR_RETURN(Plan plan, Parsed(plan_id, payload, [&](const json& item) {
                        Plan parsed{.id = plan_id,
                                    .effects = EffectsFromJson(item.at("effects")),
                                    .staging_uri = item.at("staging"),
                                    .created_us = item.at("created_us")};
                        for (const json& change : item.at("changes")) {
                          parsed.changes.push_back(ChangeFromJson(change));
                        }
                        for (const json& guard : item.at("guards")) {
                          parsed.guards.push_back(GuardFromJson(guard));
                        }
                        return parsed;
                      }));
  if (!plan.changes.empty()) return plan;
  return Error(StatusCode::kDataCorrupt, "unreadable plan: plan={} error=no table", plan_id);
}

Result<EpochOfFormat1> EpochFromFormat1(const std::string& plan_id, std::string_view payload) {
  return Parsed(plan_id, payload, [&](const json& item) {
    EpochOfFormat1 old;
    old.epoch = {.plan_id = plan_id,
                 .main = TableFromJson(item.at("main")),
                 .dead = TableFromJson(item.at("dead")),
                 .main_files = FilesFromJson(item.at("main_files")),
                 .dead_files = FilesFromJson(item.at("dead_files"))};
    for (const json& range : item.at("ranges")) {
      old.epoch.ranges.push_back(RangeFromJson(range));
    }
    for (const json& file : item.at("rewritten")) {
      old.rewritten.push_back(
          {.table = TableFromJson(file.at("table")), .paths = {file.at("path")}, .topics = {}});
    }
    if (item.contains("landing")) {
      old.epoch.landing.push_back({.file = LandingFromJson(item.at("landing")),
                                   .known_hash = std::nullopt,
                                   .replaced_topics = item.at("replaced_topics")});
    }
    return old;
  });
}

}  // namespace playhead::table
