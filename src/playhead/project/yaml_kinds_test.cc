// Every key of every file with every kind of value: a mistake is reported, never a crash.

#include "playhead/project/project.h"

#include <fmt/ranges.h>
#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace playhead::project {
namespace {

using testing::HasSubstr;

/// A project with every key that docs/formats/project.md knows.
const std::map<std::string, std::string>& Files() {
  static const auto* const kFiles = new std::map<std::string, std::string>{
      {"playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    catalog: sqlite:./c.db
    landing: ./landing
    log: {type: kafka, properties: {bootstrap.servers: "127.0.0.1:9"}}
    epoch: {interval_ms: 500}
    listen: 127.0.0.1:9000
)"},
      {"dbt_project.yml", R"(name: cinema
model-paths: [models]
analysis-paths: [analyses]
seed-paths: [seeds]
vars: {zone: UTC, cinema: {n: 1}}
)"},
      {"models/sources.yml", R"(sources:
  - name: bronze
    schema: bronze
    tables:
      - name: plays
        identifier: plays
        description: d
        meta: {owner: x}
        config:
          event_time: at
          loaded_at_field: _ingested_at
          freshness:
            warn_after: {count: 1, period: hour}
            error_after: {count: 2, period: day}
          meta:
            playhead:
              landing: ["*.json"]
              format: json
              timezone: UTC
              on_change: append
              event_time_ahead_days: 2
              properties: {a: b}
              partition_by: [kind, day(at) as date]
        columns:
          - {name: at, data_type: TIMESTAMPTZ, description: d, data_tests: [not_null]}
          - name: kind
            data_type: VARCHAR
            tests:
              - accepted_values: {arguments: {values: [play]}, config: {severity: error, enabled: true}}
              - not_null: {config: {where: x}}
)"},
      {"analyses/q.yml", R"(analyses:
  - name: viewers
    meta: {owner: x}
    config:
      meta:
        playhead:
          question: q
          definition: d
          unit: hours
          chart: {type: bar, x: a, y: b, series: c}
          rivals: [{name: viewers2, definition: d}]
)"},
      {"seeds/s.yml", R"(seeds:
  - name: networks
    config: {column_types: {id: INTEGER}}
)"},
      {"analyses/viewers.sql", "select 1"},
      {"analyses/viewers2.sql", "select 1"},
      {"seeds/networks.csv", "id\n1\n"},
  };
  return *kFiles;
}

using Path = std::vector<std::string>;  // keys, and positions in lists

std::vector<Path> PathsOf(const YAML::Node& node, const Path& here = {}) {
  std::vector<Path> paths = {here};
  const auto add = [&](const std::string& key, const YAML::Node& child) {
    Path below = here;
    below.push_back(key);
    for (Path& path : PathsOf(child, below)) paths.push_back(std::move(path));
  };
  if (node.IsMap()) {
    for (const auto& entry : node) add(entry.first.Scalar(), entry.second);
  } else if (node.IsSequence()) {
    for (size_t i = 0; i < node.size(); ++i) add(std::to_string(i), node[i]);
  }
  return paths;
}

/// The node with `value` in the place of what `path` names.
YAML::Node With(const YAML::Node& node, std::span<const std::string> path,
                const YAML::Node& value) {
  if (path.empty()) return value;
  YAML::Node copy(node.Type());
  if (node.IsMap()) {
    for (const auto& entry : node) {
      const bool is_it = entry.first.Scalar() == path[0];
      copy[entry.first.Scalar()] =
          is_it ? With(entry.second, path.subspan(1), value) : entry.second;
    }
  } else {
    for (size_t i = 0; i < node.size(); ++i) {
      copy.push_back(std::to_string(i) == path[0] ? With(node[i], path.subspan(1), value)
                                                  : node[i]);
    }
  }
  return copy;
}

YAML::Node At(const YAML::Node& node, std::span<const std::string> path) {
  if (path.empty()) return node;
  return At(node.IsMap() ? node[path[0]] : node[std::stoul(path[0])], path.subspan(1));
}

class YamlKindsTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "kinds_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    for (const auto& [file, text] : Files()) Write(file, text);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(folder_) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string Problems() {
    auto outcome = ReadProject(folder_);
    return outcome.ok() ? DescribeProblems(outcome->problems) : outcome.error().ToString();
  }

  std::string folder_;
};

TEST_F(YamlKindsTest, AnyKindOfValueUnderAnyKeyIsReadOrReported) {
  ASSERT_EQ(Problems(), "");
  // Taken in other kinds too: a list of one as text, what is dbt's, groups of settings.
  const std::set<std::string> kFree = {"landing", "zone",     "cinema", "n", "owner", "epoch",
                                       "listen",  "not_null", "where",  "0", "1"};
  const std::map<std::string, YAML::Node> kKinds = {{"nothing", YAML::Node(YAML::NodeType::Null)},
                                                    {"a text", YAML::Load("x")},
                                                    {"a list", YAML::Load("[[x]]")},
                                                    {"a map", YAML::Load("{x: {y: z}}")}};
  for (const auto& [file, text] : Files()) {
    if (!file.ends_with(".yml")) continue;
    const YAML::Node whole = YAML::Load(text);
    for (const Path& path : PathsOf(whole)) {
      for (const auto& [kind, value] : kKinds) {
        SCOPED_TRACE(fmt::format("{}: {} = {}", file, fmt::join(path, "."), kind));
        YAML::Emitter out;
        out << With(whole, path, value);
        Write(file, std::string(out.c_str()) + "\n");
        const std::string problems = Problems();
        if (value.IsNull() || path.empty() || kFree.contains(path.back())) continue;
        if (At(whole, path).Type() == value.Type()) continue;
        EXPECT_THAT(problems, HasSubstr(file + ":"));
        EXPECT_THAT(problems, HasSubstr(path.back()));
      }
    }
    Write(file, text);
  }
}

}  // namespace
}  // namespace playhead::project
