#include "playhead/cli/ask_command.h"

#include "playhead/base/suggest.h"
#include "playhead/cli/lake.h"
#include "playhead/cli/output.h"
#include "playhead/config/config.h"
#include "playhead/model/ask.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

struct AskArgs {
  std::vector<std::string> names;
  std::optional<std::string> format;
};

Result<std::vector<const project::Question*>> Choose(const project::Project& project,
                                                     const std::vector<std::string>& names) {
  std::vector<const project::Question*> chosen;
  if (names.empty()) {
    for (const project::Question& question : project.questions) chosen.push_back(&question);
  }
  for (const std::string& name : names) {
    const project::Question* question = project.FindQuestion(name);
    if (question == nullptr) {
      std::vector<std::string> known;
      known.reserve(project.questions.size());
      for (const project::Question& other : project.questions) known.push_back(other.name);
      return Error(StatusCode::kNotFound, "no such question: {}{}", name, DidYouMean(name, known));
    }
    chosen.push_back(question);
  }
  return chosen;
}

std::string RowsJson(const sql::ResultTable& table) {
  std::string json = "[";
  for (int64_t row = 0; row < table.rows(); ++row) {
    json += row == 0 ? "[" : ",[";
    for (size_t column = 0; column < table.columns().size(); ++column) {
      if (column > 0) json.push_back(',');
      json += table.CellJson(row, static_cast<int>(column));
    }
    json.push_back(']');
  }
  return json + "]";
}

std::string Json(const std::string& text) { return nlohmann::json(text).dump(); }

std::string AnswerJson(const model::Answer& answer) {
  std::string json = fmt::format(R"({{"name":{},"question":{},"definition":{},"columns":)",
                                 Json(answer.question->name), Json(answer.question->question),
                                 Json(answer.question->definition));
  json += nlohmann::json(answer.table->columns()).dump();
  json += ",\"rows\":" + RowsJson(*answer.table) + ",\"rivals\":[";
  for (size_t i = 0; i < answer.rivals.size(); ++i) {
    json += fmt::format(R"({}{{"definition":{},"rows":{}}})", i == 0 ? "" : ",",
                        Json(answer.rivals[i].definition), RowsJson(*answer.rivals[i].table));
  }
  return json + fmt::format("],\"seconds\":{}}}", std::round(answer.seconds * 1e6) / 1e6);
}

/// Breaks a text into lines of at most `width` characters between words, each behind `indent`.
std::string Wrapped(std::string_view text, std::string_view indent, size_t width) {
  std::string out;
  std::string line;
  const auto end_line = [&] {
    if (!line.empty()) out += fmt::format("{}{}\n", indent, line);
    line.clear();
  };
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    if (!line.empty() && line.size() + 1 + word.size() > width) end_line();
    line += (line.empty() ? "" : " ") + std::string(word);
  }
  end_line();
  return out;
}

/// Answers are read, not processed (that is what csv and json are for): long ones are cut in a pipe
/// as on a terminal.
int BoxColumns() { return TerminalColumns() > 0 ? TerminalColumns() : 120; }

/// A result of one value fits on a line; nothing for anything larger.
std::optional<std::string> OneValue(const sql::ResultTable& table) {
  if (table.rows() != 1 || table.columns().size() != 1) return {};
  return table.CellText(0, 0).value_or("(none)");
}

std::string AnswerText(const model::Answer& answer, sql::OutputFormat format) {
  const bool is_markdown = format == sql::OutputFormat::kMarkdown;
  const size_t width = TerminalColumns() > 20 ? static_cast<size_t>(TerminalColumns()) - 4 : 96;
  const std::string unit = answer.question->unit.empty() ? "" : " " + answer.question->unit;
  std::string out;
  if (is_markdown) {
    out = fmt::format("## {}\n\n**{}**\n\n{}\n\n", answer.question->name, answer.question->question,
                      answer.question->definition);
  } else {
    out = fmt::format("{}\n", answer.question->name) +
          Wrapped(answer.question->question, "  ", width);
    out += Wrapped("Definition: " + answer.question->definition, "  ", width);
  }
  const std::optional<std::string> value = OneValue(*answer.table);
  if (value && !is_markdown) {
    out += fmt::format("  Answer: {}{}   ({:.3f} s)\n", *value, unit, answer.seconds);
  } else {
    out += answer.table->Render(format, BoxColumns());
  }
  for (const model::RivalAnswer& rival : answer.rivals) {
    const std::optional<std::string> other = OneValue(*rival.table);
    if (is_markdown) {
      out += fmt::format("\nRival: {}\n\n{}", rival.definition, rival.table->Render(format, 0));
    } else if (other) {
      out += Wrapped(fmt::format("Rival: {} - {}", *other, rival.definition), "    ", width);
    } else {
      out += Wrapped("Rival: " + rival.definition, "    ", width);
      out += rival.table->Render(format, BoxColumns());
    }
  }
  return out + "\n";
}

/// One line per row of every answer and rival: name, definition of a rival (empty for the answer),
/// row number, column, value.
std::string AnswersCsv(const std::vector<model::Answer>& answers) {
  Table table{.columns = {"name", "rival", "row", "column", "value"}, .rows = {}};
  const auto add = [&](const std::string& name, const std::string& rival,
                       const sql::ResultTable& rows) {
    for (int64_t row = 0; row < rows.rows(); ++row) {
      for (size_t column = 0; column < rows.columns().size(); ++column) {
        const std::optional<std::string> text = rows.CellText(row, static_cast<int>(column));
        table.rows.push_back({name, rival, row, rows.columns()[column],
                              text ? Cell(*text) : Cell(std::monostate())});
      }
    }
  };
  for (const model::Answer& answer : answers) {
    add(answer.question->name, "", *answer.table);
    for (const model::RivalAnswer& rival : answer.rivals) {
      add(answer.question->name, rival.definition, *rival.table);
    }
  }
  return Render(table, sql::OutputFormat::kCsv);
}

Status PrintAnswers(const std::vector<model::Answer>& answers, sql::OutputFormat format) {
  if (format == sql::OutputFormat::kCsv) return WriteOut(AnswersCsv(answers));
  std::string out;
  if (format == sql::OutputFormat::kJson) {
    for (const model::Answer& answer : answers) {
      out += (out.empty() ? "[" : ",\n") + AnswerJson(answer);
    }
    return WriteOut((out.empty() ? "[" : out) + "]\n");
  }
  for (const model::Answer& answer : answers) out += AnswerText(answer, format);
  return WriteOut(out);
}

Status AskAll(const config::ResolvedConfig& config, const AskArgs& args) {
  PH_ASSIGN_OR_RETURN(const auto questions, Choose(config.project, args.names));
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  PH_ASSIGN_OR_RETURN(const auto session, sql::Session::Open(*lake.catalog, *lake.store,
                                                             config::SessionOptionsOf(config)));
  PH_RETURN_IF_ERROR(model::ShowSeeds(config.project, *session));
  std::vector<model::Answer> answers;
  for (const project::Question* question : questions) {
    PH_ASSIGN_OR_RETURN(model::Answer answer,
                        model::Ask(config.project, config.vars, *question, *session));
    answers.push_back(std::move(answer));
  }
  return PrintAnswers(answers, ChooseFormat(args.format, sql::OutputFormat::kTable));
}

}  // namespace

void AddAskCommand(CommandLine& line) {
  auto args = std::make_shared<AskArgs>();
  CLI::App& app = line.Add("ask", "Answers the project's questions, with definitions and rivals",
                           "playhead ask mean_duration --format json");
  app.add_option("NAME", args->names, "Questions (default: all)");
  AddFormatFlag(app, args->format);
  line.OnRun(app, [args](const config::ResolvedConfig& config) {
    const Status status = AskAll(config, *args);
    return status.ok() ? kExitDone : Fail(status);
  });
}

}  // namespace playhead::cli
