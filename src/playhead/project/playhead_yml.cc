#include "playhead/base/suggest.h"
#include "playhead/project/readers.h"
#include "playhead/project/yaml_file.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::project {
namespace {

/// librdkafka properties that decide exactly-once; playhead sets them itself.
constexpr std::array kOwnedKafkaProperties = {"group.id", "enable.auto.commit",
                                              "enable.auto.offset.store", "auto.offset.reset",
                                              "enable.partition.eof"};

void ReadKafkaProperties(YamlMap& log, Target& target) {
  std::optional<YamlMap> properties = log.Map("properties");
  if (target.log_type != "kafka") {
    if (properties) log.Report("properties", "allowed only with type: kafka");
    return;
  }
  if (!properties) {
    log.Report("properties", "missing; expected librdkafka properties, bootstrap.servers at least");
    return;
  }
  for (const std::string& name : properties->Keys()) {
    std::optional<std::string> value = properties->Text(name, "a scalar");
    for (const char* owned : kOwnedKafkaProperties) {
      if (name == owned) {
        properties->Report(name, "belongs to playhead, which sets it itself; remove it");
      }
    }
    if (value) target.kafka_properties.emplace(name, *std::move(value));
  }
  if (!properties->Has("bootstrap.servers")) {
    properties->Report("bootstrap.servers", "missing; expected HOST:PORT, …");
  }
}

void ReadLog(YamlMap& target_map, Target& target) {
  std::optional<YamlMap> log = target_map.Map("log");
  if (!log) return;
  if (std::optional<std::string> type = log->Text("type", "journal or kafka")) {
    if (*type == "journal" || *type == "kafka") {
      target.log_type = *type;
    } else {
      log->Report("type", fmt::format("got '{}', expected journal or kafka", *type));
    }
  }
  ReadKafkaProperties(*log, target);
  log->RefuseOtherKeys();
}

/// Every other key is a setting, or a map of settings: `epoch: {rows_max: 5}` is `epoch.rows_max`.
void ReadSettings(YamlMap& target_map, Target& target) {
  static constexpr std::array kOtherKeys = {"warehouse", "catalog", "log", "landing"};
  for (const std::string& key : target_map.Keys()) {
    if (std::find(kOtherKeys.begin(), kOtherKeys.end(), key) != kOtherKeys.end()) continue;
    const YAML::Node value = target_map.Find(key);
    if (!value.IsDefined()) continue;
    if (value.IsScalar()) {
      target.settings.insert_or_assign(key, SettingDecl{.value = target_map.file().Text(value),
                                                        .place = target_map.PlaceOfKey(key)});
      continue;
    }
    YamlMap group(target_map.file(), value, target_map.path() + "." + key);
    for (const std::string& name : group.Keys()) {
      if (std::optional<std::string> text = group.Text(name, "a scalar")) {
        target.settings.insert_or_assign(
            key + "." + name,
            SettingDecl{.value = *std::move(text), .place = group.PlaceOfKey(name)});
      }
    }
  }
}

Target ReadTarget(const std::string& name, YamlMap target_map, const Place& place) {
  Target target;
  target.name = name;
  target.place = place;
  target.warehouse =
      target_map.RequiredText("warehouse", "a folder or URI, for instance ./lake").value_or("");
  target.catalog = target_map.Text("catalog", "sqlite:PATH").value_or("");
  target.landing = target_map.Text("landing", "a folder").value_or(target.landing);
  ReadLog(target_map, target);
  ReadSettings(target_map, target);
  return target;
}

}  // namespace

void ReadPlayheadYml(const Environment& environment, Project& project,
                     std::vector<Problem>& problems) {
  YamlFile file(project.folder, "playhead.yml", problems, &environment);
  YamlMap root(file, file.root(), "");
  project.name = root.RequiredText("name", "the name in dbt_project.yml").value_or("");
  project.default_target = root.RequiredText("default_target", "the name of a target").value_or("");

  std::vector<std::string> names;
  std::optional<YamlMap> targets = root.Map("targets");
  if (targets) names = targets->Keys();
  if (names.empty()) root.Report("targets", "missing; expected at least one target");
  for (const std::string& name : names) {
    std::optional<YamlMap> target_map = targets->Map(name);
    if (!target_map) {
      targets->Report(name, "expected a map with a warehouse, got nothing");
      continue;
    }
    project.targets.push_back(ReadTarget(name, *target_map, targets->PlaceOfKey(name)));
  }
  if (!project.default_target.empty() && !names.empty() &&
      std::find(names.begin(), names.end(), project.default_target) == names.end()) {
    root.Report("default_target",
                fmt::format("no target is named '{}'{}; expected one of {}", project.default_target,
                            DidYouMean(project.default_target, names), fmt::join(names, ", ")));
  }
  root.RefuseOtherKeys();
}

}  // namespace playhead::project
