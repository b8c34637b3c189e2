#include "playhead/table/plan.h"

#include <nlohmann/json.hpp>

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

json PartitionToJson(const iceberg::PartitionValue& value) {
  struct Visitor {
    json operator()(std::monostate) const { return nullptr; }
    json operator()(bool v) const { return {{"bool", v}}; }
    json operator()(int32_t v) const { return {{"int", v}}; }
    json operator()(int64_t v) const { return {{"long", v}}; }
    json operator()(float v) const { return {{"float", v}}; }
    json operator()(double v) const { return {{"double", v}}; }
    json operator()(const std::string& v) const { return {{"string", ToHex(v)}}; }
  };
  return std::visit(Visitor{}, value);
}

iceberg::PartitionValue PartitionFromJson(const json& value) {
  if (value.is_null()) return std::monostate{};
  if (value.contains("bool")) return value.at("bool").get<bool>();
  if (value.contains("int")) return value.at("int").get<int32_t>();
  if (value.contains("long")) return value.at("long").get<int64_t>();
  if (value.contains("float")) return value.at("float").get<float>();
  if (value.contains("double")) return value.at("double").get<double>();
  return FromHex(value.at("string").get<std::string>());
}

json NumbersToJson(const std::map<int32_t, int64_t>& numbers) {
  json object = json::object();
  for (const auto& [id, number] : numbers) object[std::to_string(id)] = number;
  return object;
}

std::map<int32_t, int64_t> NumbersFromJson(const json& object) {
  std::map<int32_t, int64_t> numbers;
  for (const auto& [id, number] : object.items()) numbers[std::stoi(id)] = number;
  return numbers;
}

json BoundsToJson(const std::map<int32_t, std::string>& bounds) {
  json object = json::object();
  for (const auto& [id, bytes] : bounds) object[std::to_string(id)] = ToHex(bytes);
  return object;
}

std::map<int32_t, std::string> BoundsFromJson(const json& object) {
  std::map<int32_t, std::string> bounds;
  for (const auto& [id, hex] : object.items()) {
    bounds[std::stoi(id)] = FromHex(hex.get<std::string>());
  }
  return bounds;
}

json FileToJson(const StagedFile& staged) {
  const iceberg::DataFile& file = staged.file;
  json partition = json::array();
  for (const auto& value : file.partition) partition.push_back(PartitionToJson(value));
  return {{"staged", staged.staged_uri},
          {"path", file.path},
          {"spec", file.spec_id},
          {"partition", std::move(partition)},
          {"records", file.record_count},
          {"bytes", file.file_bytes},
          {"column_sizes", NumbersToJson(file.column_sizes)},
          {"values", NumbersToJson(file.value_counts)},
          {"nulls", NumbersToJson(file.null_value_counts)},
          {"nans", NumbersToJson(file.nan_value_counts)},
          {"lower", BoundsToJson(file.lower_bounds)},
          {"upper", BoundsToJson(file.upper_bounds)},
          {"splits", file.split_offsets}};
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

json FilesToJson(const std::vector<StagedFile>& files) {
  json list = json::array();
  for (const StagedFile& file : files) list.push_back(FileToJson(file));
  return list;
}

std::vector<StagedFile> FilesFromJson(const json& list) {
  std::vector<StagedFile> files;
  for (const json& item : list) files.push_back(FileFromJson(item));
  return files;
}

json TableToJson(const catalog::TableId& id) {
  return {{"namespace", id.table_namespace}, {"name", id.name}};
}

catalog::TableId TableFromJson(const json& item) { return {item.at("namespace"), item.at("name")}; }

json RangeToJson(const EpochRange& range) {
  json item = {{"log", range.partition.log_id},
               {"topic", range.partition.topic},
               {"partition", range.partition.partition},
               {"begin", range.range.begin},
               {"end", range.range.end},
               {"read", range.counts.read},
               {"good", range.counts.good},
               {"dead", range.counts.dead},
               {"skipped", range.counts.skipped}};
  if (range.accepted_gap_from.has_value()) item["gap_from"] = *range.accepted_gap_from;
  return item;
}

EpochRange RangeFromJson(const json& item) {
  EpochRange range{
      .partition = {item.at("log"), item.at("topic"), item.at("partition").get<int32_t>()},
      .range = {item.at("begin"), item.at("end")},
      .counts = {item.at("read"), item.at("good"), item.at("dead"), item.at("skipped")}};
  if (item.contains("gap_from")) range.accepted_gap_from = item.at("gap_from").get<int64_t>();
  return range;
}

json LandingToJson(const catalog::LandingFile& file) {
  return {{"table", TableToJson(file.table)},
          {"uuid", file.table_uuid},
          {"name", file.name},
          {"hash", file.content_hash},
          {"topic", file.topic},
          {"bytes", file.bytes},
          {"good", file.rows_good},
          {"dead", file.rows_dead},
          {"ingestion_date", file.ingestion_date_days},
          {"raw", file.raw_uri},
          {"committed_us", file.committed_us},
          {"current", file.is_current}};
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
          .is_current = item.at("current")};
}

json ChangeToJson(const PlannedChange& change) {
  return {{"table", TableToJson(change.id)},
          {"uuid", change.table_uuid},
          {"added", FilesToJson(change.added)},
          {"removed", change.removed_paths}};
}

PlannedChange ChangeFromJson(const json& item) {
  return {.id = TableFromJson(item.at("table")),
          .table_uuid = item.at("uuid"),
          .added = FilesFromJson(item.at("added")),
          .removed_paths = item.at("removed")};
}

json GuardToJson(const Guard& guard) {
  struct Visitor {
    json operator()(const OffsetsAt& offsets) const {
      return {{"offsets",
               {{"log", offsets.partition.log_id},
                {"topic", offsets.partition.topic},
                {"partition", offsets.partition.partition},
                {"next", offsets.next_offset ? json(*offsets.next_offset) : json()}}}};
    }
    json operator()(const LedgerIs& ledger) const {
      json item = {{"table", TableToJson(ledger.table)},
                   {"uuid", ledger.table_uuid},
                   {"name", ledger.name},
                   {"hash", nullptr}};
      if (ledger.hash) item["hash"] = *ledger.hash;
      return {{"ledger", std::move(item)}};
    }
    json operator()(const FilesLive& files) const {
      return {{"live",
               {{"table", TableToJson(files.table)},
                {"paths", files.paths},
                {"topics", files.topics},
                {"sequence", files.sequence_number}}}};
    }
    json operator()(const InputsAre& inputs) const { return {{"inputs", inputs.snapshots}}; }
  };
  return std::visit(Visitor{}, guard);
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

json EffectsToJson(const Effects& effects) {
  json item = {{"ranges", json::array()}, {"ledger", json::array()}, {"inputs", effects.inputs}};
  for (const EpochRange& range : effects.ranges) item["ranges"].push_back(RangeToJson(range));
  for (const catalog::LandingFile& file : effects.ledger_rows) {
    item["ledger"].push_back(LandingToJson(file));
  }
  return item;
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

Result<std::string> PlanToJson(const Plan& plan) {
  json payload = {{"changes", json::array()},
                  {"guards", json::array()},
                  {"effects", EffectsToJson(plan.effects)},
                  {"staging", plan.staging_uri},
                  {"created_us", plan.created_us}};
  for (const PlannedChange& change : plan.changes) {
    payload["changes"].push_back(ChangeToJson(change));
  }
  for (const Guard& guard : plan.guards) payload["guards"].push_back(GuardToJson(guard));
  try {
    return payload.dump();
  } catch (const json::exception& error) {
    return Error(StatusCode::kInvalidArgument, "a name of the epoch is not UTF-8: plan={} error={}",
                 plan.id, error.what());
  }
}

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
      old.epoch.landing = {.file = LandingFromJson(item.at("landing")),
                           .known_hash = std::nullopt,
                           .replaced_topics = item.at("replaced_topics")};
    }
    return old;
  });
}

}  // namespace playhead::table
