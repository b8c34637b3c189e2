#include "playhead/base/suggest.h"
#include "playhead/project/readers.h"
#include "playhead/project/yaml_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::project {
namespace {

/// Column names of a CSV's first line: commas, double quotes doubled inside quotes.
std::vector<std::string> CsvHeader(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string line;
  std::getline(stream, line);
  static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (line.starts_with(kByteOrderMark)) line.erase(0, kByteOrderMark.size());
  if (!line.empty() && line.back() == '\r') line.pop_back();
  std::vector<std::string> names(1);
  bool is_quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && is_quoted && i + 1 < line.size() && line[i + 1] == '"') {
      names.back() += '"';
      ++i;
    } else if (c == '"') {
      is_quoted = !is_quoted;
    } else if (c == ',' && !is_quoted) {
      names.emplace_back();
    } else {
      names.back() += c;
    }
  }
  return names;
}

void ReadTypes(YamlMap& entry, const std::string& folder, Seed& seed) {
  std::optional<YamlMap> config = entry.Map("config");
  std::optional<YamlMap> types = config ? config->Map("column_types") : std::nullopt;
  const std::vector<std::string> header = CsvHeader(folder + "/" + seed.file);
  if (!types) {
    entry.Report("config.column_types",
                 fmt::format("missing; expected a type for each of {}", fmt::join(header, ", ")));
    return;
  }
  for (const std::string& name : header) {
    const std::optional<std::string> type = types->Text(name, "a SQL type");
    if (!type) {
      types->Report(name, fmt::format("missing; {} has the column {}", seed.file, name));
      continue;
    }
    if (auto parsed = ParseDataType(*type); !parsed.ok()) {
      types->Report(name, parsed.error().message());
    }
    seed.columns.push_back({.name = name, .data_type = *type});
  }
  for (const std::string& name : types->Keys()) {
    if (std::find(header.begin(), header.end(), name) == header.end()) {
      types->Report(name,
                    fmt::format("{} has no such column{}", seed.file, DidYouMean(name, header)));
    }
  }
}

}  // namespace

void ReadSeeds(const std::vector<std::string>& csv_files, const std::vector<std::string>& yml_files,
               Project& project, std::vector<Problem>& problems) {
  for (const std::string& csv : csv_files) {
    Seed seed{.name = std::filesystem::path(csv).stem().string(), .file = csv, .columns = {}};
    if (const Seed* other = project.FindSeed(seed.name)) {
      problems.push_back(
          {.place = {.file = csv, .line = 1},
           .message = fmt::format("seed '{}' is there twice, also as {}", seed.name, other->file)});
      continue;
    }
    project.seeds.push_back(std::move(seed));
  }
  std::vector<std::string> typed;
  for (const std::string& yml : yml_files) {
    YamlFile file(project.folder, yml, problems);
    YamlMap root(file, file.root(), "");
    int index = 0;
    for (const YAML::Node& element : root.List("seeds")) {
      YamlMap entry(file, element, ElementPath("seeds", index++, element));
      const std::string name = entry.RequiredText("name", "the name of a seed").value_or("");
      const auto seed = std::find_if(project.seeds.begin(), project.seeds.end(),
                                     [&](const Seed& s) { return s.name == name; });
      if (seed == project.seeds.end()) {
        entry.Report("name", fmt::format("no file {}.csv below the seed paths", name));
        continue;
      }
      ReadTypes(entry, project.folder, *seed);
      typed.push_back(name);
    }
  }
  for (const Seed& seed : project.seeds) {
    if (std::find(typed.begin(), typed.end(), seed.name) == typed.end()) {
      problems.push_back({.place = {.file = seed.file, .line = 1},
                          .message = fmt::format("no types; expected seeds: [{{name: {}, config: "
                                                 "{{column_types: …}}}}] in a yml file of the seed "
                                                 "paths",
                                                 seed.name)});
    }
  }
}

}  // namespace playhead::project
