#include "playhead/project/readers.h"
#include "playhead/project/yaml_file.h"

#include <filesystem>
#include <optional>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace playhead::project {
namespace {

/// Scalars of `vars`; maps in it are those of single packages, of which ours is merged over the
/// rest.
void ReadVars(YamlMap& vars, const std::string& project_name, Vars& values) {
  const std::vector<std::string> names = vars.Keys();
  for (const std::string& name : names) {
    const YAML::Node value = vars.Find(name);
    if (!value.IsDefined()) {
      values[name] = "None";
    } else if (value.IsScalar()) {
      values[name] = JinjaText(value, vars.file().Text(value));
    }
  }
  if (std::optional<YamlMap> own = vars.Has(project_name) && vars.Find(project_name).IsMap()
                                       ? vars.Map(project_name)
                                       : std::nullopt) {
    ReadVars(*own, "", values);
  }
}

void ReadPaths(YamlMap& root, const std::string& key, std::vector<std::string>& paths) {
  if (root.Has(key)) paths = root.TextList(key);
}

}  // namespace

DbtPaths ReadDbtProjectYml(Project& project, std::vector<Problem>& problems) {
  DbtPaths paths;
  static constexpr char kFile[] = "dbt_project.yml";
  if (!std::filesystem::exists(project.folder + "/" + kFile)) {
    problems.push_back({.place = {.file = kFile, .line = 1},
                        .message = "missing; expected a dbt project beside playhead.yml"});
    return paths;
  }
  YamlFile file(project.folder, kFile, problems);
  YamlMap root(file, file.root(), "");
  static const auto* const kName = new std::regex("[a-z_][a-z0-9_]*");
  if (std::optional<std::string> name = root.RequiredText("name", "the project's name")) {
    if (name->size() > kMatchedBytesMax || !std::regex_match(*name, *kName)) {
      root.Report("name",
                  fmt::format("got '{}', expected lower-case letters, digits and _", *name));
    } else if (!project.name.empty() && *name != project.name) {
      root.Report("name",
                  fmt::format("got '{}', expected '{}' as in playhead.yml", *name, project.name));
    }
  }
  ReadPaths(root, "model-paths", paths.models);
  ReadPaths(root, "analysis-paths", paths.analyses);
  ReadPaths(root, "seed-paths", paths.seeds);
  if (std::optional<YamlMap> vars = root.Map("vars")) ReadVars(*vars, project.name, project.vars);
  return paths;
}

Result<Vars> ParseVars(std::string_view yaml) {
  YAML::Node root;
  try {
    root = YAML::Load(std::string(yaml));
  } catch (const YAML::Exception& error) {
    return Error(StatusCode::kInvalidArgument, "vars are not valid YAML: {}", error.msg);
  }
  Vars vars;
  if (IsAbsent(root)) return vars;
  if (!root.IsMap()) {
    return Error(StatusCode::kInvalidArgument,
                 "vars: expected a map such as 'name: value', got '{}'", yaml);
  }
  for (const auto& entry : root) {
    if (!entry.first.IsScalar() || !(entry.second.IsScalar() || entry.second.IsNull())) {
      return Error(StatusCode::kInvalidArgument, "vars: expected name to scalar, got '{}'", yaml);
    }
    const std::string text = entry.second.IsNull() ? "" : entry.second.Scalar();
    vars[entry.first.Scalar()] = JinjaText(entry.second, text);
  }
  return vars;
}

}  // namespace playhead::project
