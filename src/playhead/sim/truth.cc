#include "playhead/sim/truth.h"

#include <nlohmann/json.hpp>

namespace playhead::sim {
namespace {

using Json = nlohmann::ordered_json;

Json ToJson(const Value& value) {
  return std::visit(
      [](const auto& held) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(held)>, std::monostate>) {
          return nullptr;
        } else {
          return held;
        }
      },
      value);
}

Json ToJson(const Answer& answer) {
  Json rows = Json::array();
  for (const auto& row : answer.rows) {
    Json values = Json::array();
    for (const Value& value : row) values.push_back(ToJson(value));
    rows.push_back(std::move(values));
  }
  return {{"name", answer.question}, {"columns", answer.columns}, {"rows", std::move(rows)}};
}

Json ToJson(const StreamTruth& stream) {
  Json json = {{"records", stream.records}, {"good", stream.good}, {"dead", stream.dead}};
  Json faults = Json::object();
  for (const auto& [kind, count] : stream.faults) {
    faults[kind] = {
        {"records", count.good + count.dead}, {"good", count.good}, {"dead", count.dead}};
  }
  json["faults"] = std::move(faults);
  json["dead_reasons"] = Json::object();
  for (const auto& [reason, count] : stream.dead_reasons) json["dead_reasons"][reason] = count;
  json["partitions"] = Json::array();
  for (const PartitionCount& partition : stream.partitions) {
    Json entry = Json::object();
    for (const auto& [field, value] : partition.key) entry[field] = value;
    entry["good"] = partition.good;
    json["partitions"].push_back(std::move(entry));
  }
  if (!stream.files.empty()) {
    json["files"] = Json::array();
    for (const FileCount& file : stream.files) {
      json["files"].push_back({{"path", file.path}, {"records", file.records}});
    }
  }
  return json;
}

}  // namespace

std::string TruthText(const Truth& truth) {
  Json json = {{"project", truth.project},
               {"options",
                {{"events", truth.options.events},
                 {"seed", truth.options.seed},
                 {"from_us", truth.options.from_us},
                 {"to_us", truth.options.to_us},
                 {"users", truth.options.users},
                 {"faults", truth.options.faults}}},
               {"streams", Json::object()},
               {"answers", Json::array()}};
  for (const auto& [name, stream] : truth.streams) json["streams"][name] = ToJson(stream);
  for (const Answer& answer : truth.answers) json["answers"].push_back(ToJson(answer));
  return json.dump(1);
}

}  // namespace playhead::sim
