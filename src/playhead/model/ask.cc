#include "playhead/model/ask.h"

#include "playhead/model/compile.h"

#include <chrono>

namespace playhead::model {
namespace {

Result<std::unique_ptr<sql::ResultTable>> Compute(const project::Project& project,
                                                  const project::Vars& vars,
                                                  const std::string& file, const std::string& sql,
                                                  sql::Connection& connection) {
  PH_ASSIGN_OR_RETURN(const std::string compiled, CompileSql(project, vars, file, sql));
  Result<std::unique_ptr<sql::ResultTable>> table = connection.Query(compiled);
  if (!table.ok()) return table.error().WithContext(file);
  return table;
}

}  // namespace

Status RegisterSeeds(const project::Project& project, sql::Engine& engine) {
  for (const project::Seed& seed : project.seeds) {
    std::vector<sql::SeedColumn> columns;
    for (const project::Seed::Column& column : seed.columns) {
      columns.push_back({.name = column.name, .data_type = column.data_type});
    }
    PH_RETURN_IF_ERROR(engine.AddSeed(std::string(kSeedNamespace), seed.name,
                                      project.folder + "/" + seed.file, columns));
  }
  return {};
}

Result<Answer> Ask(const project::Project& project, const project::Vars& vars,
                   const project::Question& question, sql::Connection& connection) {
  Answer answer;
  answer.question = &question;
  const auto started = std::chrono::steady_clock::now();
  PH_ASSIGN_OR_RETURN(answer.table,
                      Compute(project, vars, question.sql_file, question.sql, connection));
  answer.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  for (const project::Rival& rival : question.rivals) {
    const project::Analysis* analysis = project.FindAnalysis(rival.name);
    if (analysis == nullptr) {
      return Error(StatusCode::kNotFound, "{}:{}: rival has no SQL file: {}", rival.place.file,
                   rival.place.line, rival.name);
    }
    PH_ASSIGN_OR_RETURN(auto table,
                        Compute(project, vars, analysis->file, analysis->sql, connection));
    answer.rivals.push_back({.definition = rival.definition, .table = std::move(table)});
  }
  return answer;
}

}  // namespace playhead::model
