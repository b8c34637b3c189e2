#include "playhead/base/suggest.h"
#include "playhead/project/readers.h"
#include "playhead/project/yaml_file.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace playhead::project {
namespace {

const Analysis* RequireAnalysis(YamlMap& map, const std::string& name, const Project& project) {
  const Analysis* analysis = project.FindAnalysis(name);
  if (analysis == nullptr && !name.empty()) {
    std::vector<std::string> names;
    for (const Analysis& other : project.analyses) names.push_back(other.name);
    map.Report("name", fmt::format("no file {}.sql below the analysis paths{}", name,
                                   DidYouMean(name, names)));
  }
  return analysis;
}

void CheckChart(YamlMap& meta) {
  std::optional<YamlMap> chart = meta.Map("chart");
  if (!chart) return;
  const std::string type =
      chart->RequiredText("type", "number, bar, line or table").value_or("table");
  const bool is_plot = type == "bar" || type == "line";
  if (!is_plot && type != "number" && type != "table") {
    chart->Report("type", fmt::format("got '{}', expected number, bar, line or table", type));
  }
  if (is_plot) chart->RequiredText("x", "a result column");
  if (is_plot || type == "number") chart->RequiredText("y", "a result column");
  chart->Text("x");
  chart->Text("y");
  chart->Text("series");
  chart->RefuseOtherKeys();
}

void ReadRivals(YamlMap& meta, const Project& project, Question& question) {
  int index = 0;
  for (const YAML::Node& element : meta.List("rivals")) {
    YamlMap map(meta.file(), element, ElementPath(meta.path() + ".rivals", index++, element));
    Rival rival;
    rival.name = map.RequiredText("name", "the name of an analysis").value_or("");
    rival.definition =
        map.RequiredText("definition", "how it differs from the answer").value_or("");
    rival.place = map.place();
    RequireAnalysis(map, rival.name, project);
    map.RefuseOtherKeys();
    question.rivals.push_back(std::move(rival));
  }
}

void ReadAnalysis(YamlMap& entry, Project& project) {
  std::optional<YamlMap> config = entry.Map("config");
  if (HasPlayheadMeta(entry)) {
    entry.Report("meta", "dbt 1.11 wants it in config.meta; move it there");
  }
  std::optional<YamlMap> all_meta = config ? config->Map("meta") : std::nullopt;
  std::optional<YamlMap> meta = all_meta ? all_meta->Map("playhead") : std::nullopt;
  if (!meta) return;

  Question question;
  question.place = entry.place();
  question.name = entry.RequiredText("name", "the name of an analysis").value_or("");
  question.question = meta->RequiredText("question", "the question in words").value_or("");
  question.definition =
      meta->RequiredText("definition", "what is counted, which clock, which join").value_or("");
  question.unit = meta->Text("unit").value_or("");
  CheckChart(*meta);
  ReadRivals(*meta, project, question);
  meta->RefuseOtherKeys();
  if (const Analysis* analysis = RequireAnalysis(entry, question.name, project)) {
    question.sql_file = analysis->file;
    question.sql = analysis->sql;
  }
  if (const Question* other = project.FindQuestion(question.name)) {
    entry.Report("name", fmt::format("question '{}' is declared twice, first at {}:{}",
                                     question.name, other->place.file, other->place.line));
    return;
  }
  project.questions.push_back(std::move(question));
}

}  // namespace

void ReadQuestionsYml(const std::string& path, Project& project, std::vector<Problem>& problems) {
  YamlFile file(project.folder, path, problems);
  YamlMap root(file, file.root(), "");
  int index = 0;
  for (const YAML::Node& element : root.List("analyses")) {
    YamlMap entry(file, element, ElementPath("analyses", index++, element));
    ReadAnalysis(entry, project);
  }
}

}  // namespace playhead::project
