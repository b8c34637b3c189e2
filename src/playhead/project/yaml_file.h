#pragma once

#include "playhead/project/project.h"

#include <yaml-cpp/yaml.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::project {

/// One YAML file of the project and the list its mistakes go to.
class YamlFile {
 public:
  /// `file` is relative to `folder`. A file that cannot be read or parsed is a problem and has an
  /// empty root. With `environment`, `{{ env_var(…) }}` in scalars is resolved.
  YamlFile(const std::string& folder, std::string file, std::vector<Problem>& problems,
           const Environment* environment = nullptr);

  const YAML::Node& root() const { return root_; }
  Place PlaceOf(const YAML::Node& node) const;
  void Report(const Place& place, std::string message);
  void Report(const YAML::Node& node, std::string message) {
    Report(PlaceOf(node), std::move(message));
  }
  /// The scalar's text with env_var resolved; a mistake in it is reported and gives "".
  std::string Text(const YAML::Node& scalar);

 private:
  std::string file_;
  YAML::Node root_;
  std::vector<Problem>& problems_;
  const Environment* environment_;
};

/// A map of a file that knows its path (`targets.dev.log`) and which of its keys somebody asked
/// for. What is missing or of the wrong kind is reported, and the getters then return an empty
/// value.
class YamlMap {
 public:
  /// A node that is no map is reported and treated as an empty one. Keys given twice are reported.
  YamlMap(YamlFile& file, const YAML::Node& node, std::string path);

  const std::string& path() const { return path_; }
  YamlFile& file() const { return *file_; }
  Place place() const { return place_; }
  /// All keys, in file order.
  std::vector<std::string> Keys() const;
  bool Has(std::string_view key) const;
  /// The value, not defined when absent; null (`key:`) counts as absent.
  YAML::Node Find(std::string_view key);
  /// Place of the key itself; of the map when it is absent.
  Place PlaceOfKey(std::string_view key) const;

  /// Scalar as text. `expected` describes the value in the message.
  std::optional<std::string> Text(std::string_view key, std::string_view expected = "text");
  std::optional<std::string> RequiredText(std::string_view key, std::string_view expected = "text");
  std::optional<YamlMap> Map(std::string_view key);
  /// Elements of a list; with `scalar_too` a single scalar is a list of one.
  std::vector<YAML::Node> List(std::string_view key, bool scalar_too = false);
  /// Scalars of a list.
  std::vector<std::string> TextList(std::string_view key, bool scalar_too = false);

  /// Reports `what` was found and expected at a key.
  void Report(std::string_view key, std::string message);
  /// Reports every key nobody asked for.
  void RefuseOtherKeys();

 private:
  std::string PathOf(std::string_view key) const;

  YamlFile* file_;
  YAML::Node node_;
  std::string path_;
  Place place_;
  std::set<std::string, std::less<>> asked_;
};

/// Names and the like are matched with std::regex, whose stack grows with the text.
inline constexpr size_t kMatchedBytesMax = 1'000;

/// Whether a table or an analysis has `meta.playhead` directly, where dbt ignores it.
bool HasPlayheadMeta(YamlMap& entry);
/// `sources[bronze]` for an element with a name, else `sources[0]`.
std::string ElementPath(const std::string& list, int index, const YAML::Node& element);
/// `null`, `~` or nothing.
bool IsAbsent(const YAML::Node& node);
/// A scalar as Python's YAML and Jinja would print it: `yes` → True, `~` → None, `"yes"` → yes.
std::string JinjaText(const YAML::Node& scalar, const std::string& text);

}  // namespace playhead::project
