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

constexpr int64_t kRowsShownMax = 40;
constexpr int kDigitsMax = 2;

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

std::string Json(const std::string& text) {
  std::string json;
  sql::AppendJsonText(text, json);
  return json;
}

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

/// Rows for a person: a box on a terminal, all of them as plain lines in a pipe.
std::string RowsText(const sql::ResultTable& table, sql::OutputFormat format) {
  sql::OutputStyle style = StyleOf(format);
  style.digits_max = kDigitsMax;
  style.rows_max = StdoutIsTerminal() ? kRowsShownMax : 0;
  return table.Render(style);
}

/// A result of one value fits on a line; nothing for anything larger.
std::optional<std::string> OneValue(const sql::ResultTable& table) {
  if (table.rows() != 1 || table.columns().size() != 1) return {};
  if (!table.CellText(0, 0)) return "(none)";
  // The first line is the column's name.
  std::string text = table.Render({.format = sql::OutputFormat::kTsv, .digits_max = kDigitsMax});
  text.pop_back();
  return text.substr(text.rfind('\n') + 1);
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
    out += fmt::format("  Answer: {}{}{}\n", *value, unit,
                       StdoutIsTerminal() ? fmt::format("   ({:.3f} s)", answer.seconds) : "");
  } else {
    out += RowsText(*answer.table, format);
  }
  for (const model::RivalAnswer& rival : answer.rivals) {
    const std::optional<std::string> other = OneValue(*rival.table);
    if (is_markdown) {
      out += fmt::format("\nRival: {}\n\n{}", rival.definition, RowsText(*rival.table, format));
    } else if (other) {
      out += Wrapped(fmt::format("Rival: {} - {}", *other, rival.definition), "    ", width);
    } else {
      out += Wrapped("Rival: " + rival.definition, "    ", width);
      out += RowsText(*rival.table, format);
    }
  }
  return out;
}

Status PrintAnswers(const std::vector<model::Answer>& answers,
                    const std::optional<std::string>& format_name) {
  sql::OutputFormat format = ChooseFormat(format_name);
  if (!format_name && !StdoutIsTerminal()) format = sql::OutputFormat::kTsv;
  std::string out;
  if (format == sql::OutputFormat::kJson) {
    for (const model::Answer& answer : answers) {
      out += (out.empty() ? "[" : ",\n") + AnswerJson(answer);
    }
    return WriteOut((out.empty() ? "[" : out) + "]\n");
  }
  if (format_name && HoldsOneTable(format)) {
    return WriteOut(answers[0].table->Render({.format = format}));
  }
  for (const model::Answer& answer : answers) {
    out += (out.empty() ? "" : "\n") + AnswerText(answer, format);
  }
  return WriteOut(out);
}

Status AskAll(const config::ResolvedConfig& config, const AskArgs& args) {
  PH_ASSIGN_OR_RETURN(const auto questions, Choose(config.project, args.names));
  if (args.format && HoldsOneTable(ChooseFormat(args.format)) && questions.size() != 1) {
    return Error(StatusCode::kInvalidArgument,
                 "--format {} holds the rows of one answer, so it needs the name of one question",
                 *args.format);
  }
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  PH_ASSIGN_OR_RETURN(const auto engine, sql::Engine::Open(*lake.catalog, *lake.store,
                                                           config::EngineOptionsOf(config)));
  PH_RETURN_IF_ERROR(model::RegisterSeeds(config.project, *engine));
  PH_ASSIGN_OR_RETURN(const auto connection, engine->Connect());
  std::vector<model::Answer> answers;
  for (const project::Question* question : questions) {
    PH_ASSIGN_OR_RETURN(model::Answer answer,
                        model::Ask(config.project, config.vars, *question, *connection));
    answers.push_back(std::move(answer));
  }
  return PrintAnswers(answers, args.format);
}

}  // namespace

void AddAskCommand(CommandLine& line) {
  auto args = std::make_shared<AskArgs>();
  CLI::App& app = line.Add("ask", "Answers the project's questions, with definitions and rivals",
                           "playhead ask mean_duration --format json");
  app.add_option("NAME", args->names, "Questions (default: all)");
  app.add_option("--format", args->format,
                 fmt::format("{} [text with the rows of each answer]",
                             fmt::join(sql::OutputFormatNames(), ", ")))
      ->check(OneOf(sql::OutputFormatNames()));
  line.OnRun(app, [args](const config::ResolvedConfig& config) {
    const Status status = AskAll(config, *args);
    return status.ok() ? kExitDone : Fail(status);
  });
}

}  // namespace playhead::cli
