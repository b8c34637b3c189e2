#include "playhead/cli/sql_command.h"

#include "playhead/cli/lake.h"
#include "playhead/cli/output.h"
#include "playhead/cli/query_progress.h"
#include "playhead/cli/shell.h"

#include <CLI/CLI.hpp>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

struct SqlArgs {
  std::vector<std::string> commands;
  std::string file;
  std::optional<std::string> format;
};

Result<std::string> ReadStdin() {
  std::string text;
  std::array<char, 1 << 16> chunk;
  while (true) {
    const ssize_t size = read(STDIN_FILENO, chunk.data(), chunk.size());
    if (size == 0) return text;
    if (size > 0) {
      text.append(chunk.data(), static_cast<size_t>(size));
    } else if (errno != EINTR) {
      return Error(StatusCode::kUnavailable, "cannot read standard input: {}", strerror(errno));
    }
  }
}

Result<std::string> ReadSqlFile(const std::string& path) {
  if (path == "-") return ReadStdin();
  std::ifstream stream(path, std::ios::binary);
  std::stringstream text;
  text << stream.rdbuf();
  if (!stream) return Error(StatusCode::kNotFound, "cannot read {}: {}", path, strerror(errno));
  return text.str();
}

Status RunSqlCommand(const config::ResolvedConfig& config, const SqlArgs& args) {
  PH_ASSIGN_OR_RETURN(const ReadableLake lake, OpenLake(config));
  QueryProgress progress;
  PH_ASSIGN_OR_RETURN(const auto engine, sql::Engine::Open(*lake.catalog, *lake.store,
                                                           config::EngineOptionsOf(config)));
  PH_ASSIGN_OR_RETURN(const auto connection, engine->Connect({.on_progress = progress.Callback()}));
  std::optional<sql::OutputFormat> format;
  if (args.format) format = ChooseFormat(args.format);
  SqlConsole console(*connection, progress, format);
  for (const std::string& command : args.commands) {
    PH_ASSIGN_OR_RETURN(const bool goes_on, console.RunScript(command));
    if (!goes_on) return OkStatus();
  }
  if (!args.file.empty()) {
    PH_ASSIGN_OR_RETURN(const std::string sql, ReadSqlFile(args.file));
    return console.RunScript(sql).status();
  }
  if (!args.commands.empty()) return OkStatus();
  if (isatty(STDIN_FILENO) == 1) return RunShell(*connection, console);
  PH_ASSIGN_OR_RETURN(const std::string sql, ReadStdin());
  return console.RunScript(sql).status();
}

}  // namespace

void AddSqlCommand(CommandLine& line) {
  auto args = std::make_shared<SqlArgs>();
  CLI::App& app = line.Add(
      "sql", "Runs SQL over the lake's tables: a shell on a terminal, standard input in a pipe",
      "playhead sql -c 'select event_type, count(*) from bronze.media_events group by all'");
  app.add_option("-c,--command", args->commands,
                 "SQL to run, instead of the shell; may be repeated")
      ->allow_extra_args(false);
  app.add_option("-f,--file", args->file, "File with SQL to run, '-' for standard input");
  AddFormatFlag(app, args->format);
  line.OnRun(app, [args](const config::ResolvedConfig& config) {
    const Status status = RunSqlCommand(config, *args);
    return status.ok() ? kExitDone : Fail(status);
  });
}

}  // namespace playhead::cli
