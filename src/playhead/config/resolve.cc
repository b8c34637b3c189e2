#include "playhead/base/suggest.h"
#include "playhead/config/config.h"
#include "playhead/log/kafka_journal.h"
#include "playhead/storage/object_store.h"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

extern char** environ;

namespace playhead::config {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVariablePrefix = "PLAYHEAD_";

std::vector<std::string> AllKeys() {
  std::vector<std::string> keys;
  for (const Setting& setting : AllSettings()) keys.emplace_back(setting.key);
  return keys;
}

/// Collects values and mistakes from one source after the other, the weakest first.
class Resolver {
 public:
  explicit Resolver(const Inputs& inputs) : inputs_(inputs) {}

  Result<ResolvedConfig> Run() {
    ReadVariables();
    ReadFlags();
    PH_RETURN_IF_ERROR(ReadTheProject());
    ChooseTarget();
    ResolveVars();
    if (mistakes_.empty()) PH_RETURN_IF_ERROR(ResolvePlaces());
    if (!mistakes_.empty()) return Refusal();
    return std::move(config_);
  }

 private:
  /// Takes a value when it is right; `place` names it in messages.
  void Take(const Setting& setting, const std::string& value, Origin origin,
            const std::string& place) {
    if (Status status = CheckValue(setting, value); !status.ok()) {
      mistakes_ += fmt::format("{}: {}: {}\n", place, setting.key, status.message());
      return;
    }
    config_.settings.Set(setting.key, {.text = value, .origin = origin, .place = place});
  }

  void ReadVariables() {
    std::vector<std::string> known;
    for (const Setting& setting : AllSettings()) {
      known.push_back(VariableName(setting.key));
      const auto variable = inputs_.environment.find(known.back());
      // An empty variable is how a shell script says "not set".
      if (variable != inputs_.environment.end() && !variable->second.empty()) {
        Take(setting, variable->second, Origin::kVariable, known.back());
      }
    }
    // The environment has other tenants (our own scripts' switches, for instance), so only a name
    // that looks like a mistyped one of ours is a mistake.
    for (const auto& [name, value] : inputs_.environment) {
      if (!name.starts_with(kVariablePrefix)) continue;
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      const std::string suggestion = DidYouMeanVariable(name, known);
      if (!suggestion.empty()) mistakes_ += name + ": unknown variable" + suggestion + "\n";
    }
  }

  static std::string DidYouMeanVariable(const std::string& name,
                                        const std::vector<std::string>& known) {
    // Without the common prefix, which would make all of them near to each other.
    std::vector<std::string> short_names;
    for (const std::string& other : known) {
      short_names.push_back(other.substr(kVariablePrefix.size()));
    }
    std::string suggestion = DidYouMean(name.substr(kVariablePrefix.size()), short_names);
    if (!suggestion.empty()) {
      static constexpr std::string_view kBefore = " (did you mean ";
      suggestion.insert(kBefore.size(), kVariablePrefix);
    }
    return suggestion;
  }

  void ReadFlags() {
    for (const auto& [key, value] : inputs_.flags.values) {
      const Setting* setting = FindSetting(key);
      PH_CHECK(setting != nullptr);
      Take(*setting, value, Origin::kFlag, FlagName(key));
    }
    for (const std::string& assignment : inputs_.flags.assignments) {
      const size_t equals = assignment.find('=');
      const std::string key = assignment.substr(0, equals);
      const Setting* setting = FindSetting(key);
      if (equals == std::string::npos) {
        mistakes_ += fmt::format("--set {}: expected KEY=VALUE\n", assignment);
      } else if (setting == nullptr) {
        mistakes_ += fmt::format("--set {}: unknown setting{}\n", key, DidYouMean(key, AllKeys()));
      } else {
        Take(*setting, assignment.substr(equals + 1), Origin::kFlag, "--set");
      }
    }
  }

  Status ReadTheProject() {
    std::string folder = config_.settings.Text("project");
    if (folder.empty()) {
      PH_ASSIGN_OR_RETURN(folder, project::FindProjectFolder(inputs_.current_folder));
      config_.settings.Set("project", {.text = folder, .origin = Origin::kDefault, .place = {}});
    } else {
      folder = (fs::path(inputs_.current_folder) / folder).string();
    }
    PH_ASSIGN_OR_RETURN(project::ReadOutcome outcome,
                        project::ReadProject(folder, inputs_.environment));
    config_.project = std::move(outcome.project);
    mistakes_ = project::DescribeProblems(outcome.problems) + mistakes_;
    return OkStatus();
  }

  void ChooseTarget() {
    const Settings::Value& given = config_.settings.values().find("target")->second;
    const bool is_given = !given.text.empty();
    const std::string name = is_given ? given.text : config_.project.default_target;
    std::vector<std::string> names;
    for (const project::Target& target : config_.project.targets) {
      names.push_back(target.name);
      if (target.name == name) config_.target = target;
    }
    if (config_.target.name.empty()) {
      // A wrong default_target has been reported by the project reader.
      if (is_given) {
        mistakes_ +=
            fmt::format("{}: no target is named '{}'{}; playhead.yml has {}\n", given.place, name,
                        DidYouMean(name, names), fmt::join(names, ", "));
      }
      return;
    }
    if (!is_given) {
      config_.settings.Set("target",
                           {.text = name, .origin = Origin::kFile, .place = "playhead.yml"});
    }
    if (config_.target.log_type == "kafka") {
      const Status status = log::CheckKafkaProperties(config_.target.kafka_properties);
      if (!status.ok()) {
        mistakes_ += fmt::format("{}:{}: {}\n", config_.target.place.file,
                                 config_.target.place.line, status.message());
      }
    }
    // Settings of all targets are checked, so that `prod` does not fail on its first day.
    for (const project::Target& target : config_.project.targets) {
      for (const auto& [key, declared] : target.settings) {
        TakeFromFile(key, declared, target.name == config_.target.name);
      }
    }
  }

  void TakeFromFile(const std::string& key, const project::SettingDecl& declared, bool is_chosen) {
    const std::string place = fmt::format("{}:{}", declared.place.file, declared.place.line);
    const Setting* setting = FindSetting(key);
    if (setting == nullptr || !setting->is_in_file) {
      mistakes_ += fmt::format("{}: {}: {}{}\n", place, key,
                               setting == nullptr ? "unknown setting" : "not allowed in this file",
                               setting == nullptr ? DidYouMean(key, AllKeys()) : "");
      return;
    }
    if (Status status = CheckValue(*setting, declared.value); !status.ok()) {
      mistakes_ += fmt::format("{}: {}: {}\n", place, key, status.message());
      return;
    }
    if (is_chosen && config_.settings.values().find(key)->second.origin == Origin::kDefault) {
      config_.settings.Set(key, {.text = declared.value, .origin = Origin::kFile, .place = place});
    }
  }

  void ResolveVars() {
    config_.vars = config_.project.vars;
    auto given = project::ParseVars(config_.settings.Text("vars"));
    if (!given.ok()) {
      mistakes_ += fmt::format("{}: {}\n", config_.settings.values().find("vars")->second.place,
                               given.error().message());
      return;
    }
    for (auto& [name, value] : *given) config_.vars[name] = std::move(value);
  }

  /// Value and base folder of a place that a target names and flags or variables replace.
  std::pair<std::string, std::string> PlaceValue(const char* key, const std::string& in_target) {
    const Settings::Value& given = config_.settings.values().find(key)->second;
    if (given.origin == Origin::kFlag || given.origin == Origin::kVariable) {
      return {given.text, inputs_.current_folder};
    }
    return {in_target, config_.project.folder};
  }

  void Show(const char* key, const std::string& value, bool is_from_file) {
    const Settings::Value& given = config_.settings.values().find(key)->second;
    Settings::Value shown{.text = value, .origin = given.origin, .place = given.place};
    if (given.origin == Origin::kDefault && is_from_file) {
      shown.origin = Origin::kFile;
      shown.place = fmt::format("{}:{}", config_.target.place.file, config_.target.place.line);
    }
    config_.settings.Set(key, std::move(shown));
  }

  Status ResolvePlaces() {
    const auto [warehouse, warehouse_base] = PlaceValue("warehouse", config_.target.warehouse);
    PH_ASSIGN_OR_RETURN(config_.warehouse_uri, storage::NormalizeUri(warehouse, warehouse_base));

    // The target's catalog belongs to the target's warehouse.
    const Origin origin = config_.settings.values().find("warehouse")->second.origin;
    const bool is_other_warehouse = origin == Origin::kFlag || origin == Origin::kVariable;
    const std::string in_target = is_other_warehouse ? "" : config_.target.catalog;
    const auto [catalog, catalog_base] = PlaceValue("catalog", in_target);
    PH_RETURN_IF_ERROR(ResolveCatalog(catalog, catalog_base));
    config_.journal_folder = BesideWarehouse("journal.folder", "journal", is_other_warehouse);
    config_.lock_file = BesideWarehouse("lock_file", "ingest.lock", is_other_warehouse);
    config_.temp_folder = BesideWarehouse("sql.temp_folder", "_staging/duckdb", is_other_warehouse);

    const auto [landing, landing_base] = PlaceValue("landing", config_.target.landing);
    PH_ASSIGN_OR_RETURN(const std::string landing_uri,
                        storage::NormalizeUri(landing, landing_base));
    config_.landing_folder = storage::LocalFolder(landing_uri).value_or("");
    if (config_.landing_folder.empty()) {
      mistakes_ += fmt::format("landing: expected a folder on local disk, got {}\n", landing_uri);
    }

    Show("project", config_.project.folder, false);
    Show("warehouse", config_.warehouse_uri, true);
    Show("catalog", config_.catalog_uri, !in_target.empty());
    Show("landing", config_.landing_folder, config_.target.landing != project::Target().landing);
    return OkStatus();
  }

  /// A local place that has a setting of its own and else lies in a local warehouse. As with the
  /// catalog, what the target says belongs to the target's warehouse.
  std::string BesideWarehouse(const char* key, const char* name, bool is_other_warehouse) {
    const Settings::Value given = config_.settings.values().find(key)->second;
    const bool is_from_file = given.origin == Origin::kFile;
    std::string path;
    if (!given.text.empty() && !(is_from_file && is_other_warehouse)) {
      const std::string& base = is_from_file ? config_.project.folder : inputs_.current_folder;
      path = (fs::path(base) / given.text).lexically_normal().string();
      config_.settings.Set(key, {.text = path, .origin = given.origin, .place = given.place});
      return path;
    }
    if (const auto folder = storage::LocalFolder(config_.warehouse_uri)) {
      path = *folder + "/" + name;
    } else {
      mistakes_ += fmt::format("{}: required, since the warehouse is not on local disk\n", key);
    }
    config_.settings.Set(key, {.text = path, .origin = Origin::kDefault, .place = {}});
    return path;
  }

  Status ResolveCatalog(const std::string& catalog, const std::string& base) {
    if (catalog.empty()) {
      const auto folder = storage::LocalFolder(config_.warehouse_uri);
      if (!folder) {
        mistakes_ += "catalog: required, since the warehouse is not on local disk\n";
        return OkStatus();
      }
      config_.catalog_path = *folder + "/catalog.db";
    } else {
      std::string path = catalog;
      if (path.starts_with("sqlite:")) {
        path = path.substr(7);
        if (path.starts_with("//")) path = path.substr(2);
      } else if (path.find("://") != std::string::npos) {
        return Error(StatusCode::kNotSupported,
                     "this build has no such catalog, expected sqlite:PATH: catalog={}",
                     path.substr(0, path.find("://")));
      }
      config_.catalog_path = (fs::path(base) / path).lexically_normal().string();
    }
    config_.catalog_uri = "sqlite:" + config_.catalog_path;
    return OkStatus();
  }

  Status Refusal() const {
    std::string text = mistakes_;
    text.pop_back();
    return Status(StatusCode::kInvalidArgument, "the configuration has mistakes\n" + text);
  }

  const Inputs& inputs_;
  ResolvedConfig config_;
  std::string mistakes_;  ///< one a line
};

}  // namespace

Inputs ProcessInputs(Flags flags) {
  Inputs inputs{.flags = std::move(flags), .environment = {}, .current_folder = {}};
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text(*variable);
    const size_t equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    inputs.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  std::error_code error;
  inputs.current_folder = fs::current_path(error).string();
  if (error) inputs.current_folder = "/";
  return inputs;
}

Result<ResolvedConfig> Resolve(const Inputs& inputs) { return Resolver(inputs).Run(); }

}  // namespace playhead::config
