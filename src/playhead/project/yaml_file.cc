#include "playhead/project/yaml_file.h"

#include "playhead/base/suggest.h"

#include <algorithm>
#include <fstream>
#include <regex>
#include <sstream>
#include <utility>

namespace playhead::project {
namespace {

std::string KindOf(const YAML::Node& node) {
  if (!node.IsDefined() || node.IsNull()) return "nothing";
  if (node.IsMap()) return "a map";
  if (node.IsSequence()) return "a list";
  return "'" + node.Scalar() + "'";
}

/// A call of dbt's env_var in text, with an optional default.
const std::regex& EnvVarPattern() {
  static const auto* const kPattern = new std::regex(
      R"re(\{\{-?\s*env_var\(\s*(?:'([^']*)'|"([^"]*)")\s*(?:,\s*(?:'([^']*)'|"([^"]*)")\s*)?\)\s*-?\}\})re");
  return *kPattern;
}

Result<std::string> ResolveEnvVars(const std::string& text, const Environment& environment) {
  if (text.size() > kMatchedBytesMax) {
    return Error(StatusCode::kInvalidArgument, "text with {{{{ … }}}} is longer than {} bytes",
                 kMatchedBytesMax);
  }
  std::string resolved;
  auto rest = text.cbegin();
  std::smatch match;
  while (std::regex_search(rest, text.cend(), match, EnvVarPattern())) {
    resolved.append(rest, match[0].first);
    const std::string name = match[1].matched ? match[1].str() : match[2].str();
    if (auto variable = environment.find(name); variable != environment.end()) {
      resolved += variable->second;
    } else if (match[3].matched || match[4].matched) {
      resolved += match[3].matched ? match[3].str() : match[4].str();
    } else {
      return Error(StatusCode::kInvalidArgument,
                   "environment variable {} is not set and env_var has no default", name);
    }
    rest = match[0].second;
  }
  const std::string tail(rest, text.cend());
  if (tail.find("{{") != std::string::npos || tail.find("{%") != std::string::npos) {
    return Error(StatusCode::kInvalidArgument,
                 "only {{{{ env_var('NAME', 'default') }}}} is understood here: got '{}'", text);
  }
  return resolved + tail;
}

}  // namespace

YamlFile::YamlFile(const std::string& folder, std::string file, std::vector<Problem>& problems,
                   const Environment* environment)
    : file_(std::move(file)), problems_(problems), environment_(environment) {
  std::ifstream stream(folder + "/" + file_, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream) {
    Report(Place{.file = file_, .line = 1}, "cannot be read");
    return;
  }
  try {
    root_ = YAML::Load(text.str());
  } catch (const YAML::Exception& error) {
    root_ = YAML::Node();
    Report(Place{.file = file_, .line = std::max(error.mark.line, 0) + 1},
           "not valid YAML: " + error.msg);
  }
}

Place YamlFile::PlaceOf(const YAML::Node& node) const {
  const int line = node.IsDefined() ? node.Mark().line : 0;
  return Place{.file = file_, .line = std::max(line, 0) + 1};
}

void YamlFile::Report(const Place& place, std::string message) {
  problems_.push_back(Problem{.place = place, .message = std::move(message)});
}

std::string YamlFile::Text(const YAML::Node& scalar) {
  std::string text = scalar.Scalar();
  if (environment_ == nullptr || text.find('{') == std::string::npos) return text;
  auto resolved = ResolveEnvVars(text, *environment_);
  if (resolved.ok()) return *std::move(resolved);
  Report(scalar, resolved.error().message());
  return "";
}

YamlMap::YamlMap(YamlFile& file, const YAML::Node& node, std::string path)
    : file_(&file), path_(std::move(path)), place_(file.PlaceOf(node)) {
  if (!node.IsMap()) {
    if (!IsAbsent(node)) {
      file.Report(node, fmt::format("{}: expected a map, got {}", path_.empty() ? "file" : path_,
                                    KindOf(node)));
    }
    return;
  }
  node_.reset(node);
  std::set<std::string> seen;
  for (const auto& entry : node_) {
    if (!entry.first.IsScalar()) {
      file.Report(entry.first, fmt::format("{}: keys must be text", path_));
    } else if (!seen.insert(entry.first.Scalar()).second) {
      file.Report(entry.first, fmt::format("{}: given twice", PathOf(entry.first.Scalar())));
    }
  }
}

std::vector<std::string> YamlMap::Keys() const {
  std::vector<std::string> keys;
  if (!node_.IsMap()) return keys;
  for (const auto& entry : node_) {
    if (entry.first.IsScalar()) keys.push_back(entry.first.Scalar());
  }
  return keys;
}

bool YamlMap::Has(std::string_view key) const {
  const std::vector<std::string> keys = Keys();
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

YAML::Node YamlMap::Find(std::string_view key) {
  asked_.emplace(key);
  if (node_.IsMap()) {
    for (const auto& entry : node_) {
      if (entry.first.IsScalar() && entry.first.Scalar() == key) {
        return IsAbsent(entry.second) ? YAML::Node(YAML::NodeType::Undefined) : entry.second;
      }
    }
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

Place YamlMap::PlaceOfKey(std::string_view key) const {
  if (node_.IsMap()) {
    for (const auto& entry : node_) {
      if (entry.first.IsScalar() && entry.first.Scalar() == key) {
        return file_->PlaceOf(entry.first);
      }
    }
  }
  return place_;
}

std::optional<std::string> YamlMap::Text(std::string_view key, std::string_view expected) {
  const YAML::Node value = Find(key);
  if (!value.IsDefined()) return std::nullopt;
  if (!value.IsScalar()) {
    Report(key, fmt::format("expected {}, got {}", expected, KindOf(value)));
    return std::nullopt;
  }
  return file_->Text(value);
}

std::optional<std::string> YamlMap::RequiredText(std::string_view key, std::string_view expected) {
  const bool is_there = Find(key).IsDefined();
  std::optional<std::string> text = Text(key, expected);
  if (!is_there) {
    Report(key, fmt::format("missing; expected {}", expected));
  } else if (text && text->empty()) {
    Report(key, fmt::format("empty; expected {}", expected));
    return std::nullopt;
  }
  return text;
}

std::optional<YamlMap> YamlMap::Map(std::string_view key) {
  const YAML::Node value = Find(key);
  if (!value.IsDefined()) return std::nullopt;
  return YamlMap(*file_, value, PathOf(key));
}

std::vector<YAML::Node> YamlMap::List(std::string_view key, bool scalar_too) {
  const YAML::Node value = Find(key);
  if (!value.IsDefined()) return {};
  if (scalar_too && value.IsScalar()) return {value};
  if (!value.IsSequence()) {
    Report(key, fmt::format("expected a list, got {}", KindOf(value)));
    return {};
  }
  return {value.begin(), value.end()};
}

std::vector<std::string> YamlMap::TextList(std::string_view key, bool scalar_too) {
  std::vector<std::string> texts;
  for (const YAML::Node& element : List(key, scalar_too)) {
    if (element.IsScalar()) {
      texts.push_back(file_->Text(element));
    } else {
      file_->Report(element,
                    fmt::format("{}: expected text, got {}", PathOf(key), KindOf(element)));
    }
  }
  return texts;
}

void YamlMap::Report(std::string_view key, std::string message) {
  file_->Report(PlaceOfKey(key), PathOf(key) + ": " + std::move(message));
}

void YamlMap::RefuseOtherKeys() {
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const std::string& key : Keys()) {
    if (asked_.contains(key)) continue;
    Report(key, "unknown key" + DidYouMean(key, known) +
                    fmt::format("; expected one of {}", fmt::join(known, ", ")));
  }
}

std::string YamlMap::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

bool HasPlayheadMeta(YamlMap& entry) {
  const std::optional<YamlMap> meta = entry.Map("meta");
  return meta && meta->Has("playhead");
}

std::string ElementPath(const std::string& list, int index, const YAML::Node& element) {
  if (element.IsMap()) {
    const YAML::Node name = element["name"];
    if (name.IsDefined() && name.IsScalar()) return fmt::format("{}[{}]", list, name.Scalar());
  }
  return fmt::format("{}[{}]", list, index);
}

bool IsAbsent(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

std::string JinjaText(const YAML::Node& scalar, const std::string& text) {
  if (scalar.IsNull()) return "None";
  // yaml-cpp tags a plain scalar "?" and a quoted one "!".
  if (scalar.Tag() != "?") return text;
  static const std::set<std::string, std::less<>> kTrue = {"true", "True", "TRUE", "yes", "Yes",
                                                           "YES",  "on",   "On",   "ON"};
  static const std::set<std::string, std::less<>> kFalse = {"false", "False", "FALSE", "no", "No",
                                                            "NO",    "off",   "Off",   "OFF"};
  if (kTrue.contains(text)) return "True";
  if (kFalse.contains(text)) return "False";
  return text;
}

}  // namespace playhead::project
