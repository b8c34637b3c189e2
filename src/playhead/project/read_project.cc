#include "playhead/project/project.h"
#include "playhead/project/readers.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace playhead::project {
namespace {

namespace fs = std::filesystem;

constexpr char kProjectFile[] = "playhead.yml";

/// Files below the paths with one of the extensions, relative to the project folder, in path order.
std::vector<std::string> FilesBelow(const std::string& folder,
                                    const std::vector<std::string>& paths,
                                    const std::set<std::string>& extensions) {
  std::set<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    fs::recursive_directory_iterator entries(fs::path(folder) / path, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      std::error_code ignored;
      if (extensions.contains(entries->path().extension().string()) &&
          entries->is_regular_file(ignored)) {
        files.insert(entries->path().lexically_relative(folder).string());
      }
    }
  }
  return {files.begin(), files.end()};
}

void ReadAnalyses(const std::vector<std::string>& files, Project& project,
                  std::vector<Problem>& problems) {
  for (const std::string& file : files) {
    Analysis analysis{.name = fs::path(file).stem().string(), .file = file, .sql = {}};
    if (const Analysis* other = project.FindAnalysis(analysis.name)) {
      problems.push_back({.place = {.file = file, .line = 1},
                          .message = fmt::format("analysis '{}' is there twice, also as {}",
                                                 analysis.name, other->file)});
      continue;
    }
    std::ifstream stream(project.folder + "/" + file, std::ios::binary);
    std::stringstream text;
    text << stream.rdbuf();
    if (!stream) {
      problems.push_back({.place = {.file = file, .line = 1}, .message = "cannot be read"});
      continue;
    }
    analysis.sql = text.str();
    project.analyses.push_back(std::move(analysis));
  }
}

template <typename T>
const T* FindByName(const std::vector<T>& items, std::string_view name) {
  const auto item =
      std::find_if(items.begin(), items.end(), [&](const T& i) { return i.name == name; });
  return item == items.end() ? nullptr : &*item;
}

}  // namespace

const Stream* Project::FindStream(std::string_view stream) const {
  return FindByName(streams, stream);
}
const Question* Project::FindQuestion(std::string_view question) const {
  return FindByName(questions, question);
}
const Analysis* Project::FindAnalysis(std::string_view analysis) const {
  return FindByName(analyses, analysis);
}
const Seed* Project::FindSeed(std::string_view seed) const { return FindByName(seeds, seed); }

Result<ReadOutcome> ReadProject(const std::string& folder, const Environment& environment) {
  std::error_code error;
  ReadOutcome outcome;
  Project& project = outcome.project;
  project.folder = fs::weakly_canonical(folder, error).string();
  if (error || !fs::exists(project.folder + "/" + kProjectFile)) {
    return Error(StatusCode::kNotFound, "no {} in {}", kProjectFile, folder);
  }
  ReadPlayheadYml(environment, project, outcome.problems);
  const DbtPaths paths = ReadDbtProjectYml(project, outcome.problems);
  const std::set<std::string> yml = {".yml", ".yaml"};
  for (const std::string& file : FilesBelow(project.folder, paths.models, yml)) {
    ReadSourcesYml(file, project, outcome.problems);
  }
  ReadAnalyses(FilesBelow(project.folder, paths.analyses, {".sql"}), project, outcome.problems);
  for (const std::string& file : FilesBelow(project.folder, paths.analyses, yml)) {
    ReadQuestionsYml(file, project, outcome.problems);
  }
  ReadSeeds(FilesBelow(project.folder, paths.seeds, {".csv"}),
            FilesBelow(project.folder, paths.seeds, yml), project, outcome.problems);
  return outcome;
}

std::string DescribeProblems(const std::vector<Problem>& problems) {
  std::vector<const Problem*> sorted;
  for (const Problem& problem : problems) sorted.push_back(&problem);
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem* a, const Problem* b) {
    return std::tie(a->place.file, a->place.line) < std::tie(b->place.file, b->place.line);
  });
  std::string text;
  for (const Problem* problem : sorted) {
    text += fmt::format("{}:{}: {}\n", problem->place.file, problem->place.line, problem->message);
  }
  return text;
}

Result<std::string> FindProjectFolder(const std::string& start) {
  std::error_code error;
  fs::path folder = fs::weakly_canonical(start, error);
  while (!error) {
    if (fs::exists(folder / kProjectFile, error)) return folder.string();
    if (folder == folder.parent_path()) break;
    folder = folder.parent_path();
  }
  return Error(StatusCode::kNotFound,
               "no {} in {} or a folder above it; go to a project or give --project DIR",
               kProjectFile, start);
}

}  // namespace playhead::project
