#pragma once

#include "playhead/base/status.h"
#include "playhead/config/config.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace playhead::cli {

/// Exit codes of every command.
inline constexpr int kExitDone = 0;
inline constexpr int kExitCheckSaidNo = 1;
inline constexpr int kExitFailed = 2;

/// Prints a failure to stderr (`playhead: …`) and returns its exit code: 2, or 0 and silence for
/// kCancelled (the reader of our output closed the pipe, or we were asked to stop).
int Fail(const Status& status);

/// For CLI::Option::check: one of these words, else an error with the nearest.
std::function<std::string(const std::string&)> OneOf(std::vector<std::string> words);

/// The `playhead` command line: commands register themselves, one is chosen and run.
///
///     void AddTablesCommand(CommandLine& line) {
///       auto args = std::make_shared<TablesArgs>();
///       CLI::App& app = line.Add("tables", "Lists …", "playhead tables bronze.media_events");
///       app.add_option("NAME", args->name, "…");
///       line.OnRun(app, [args](const config::ResolvedConfig& config) {
///         return RunTables(config, *args);
///       });
///     }
class CommandLine {
 public:
  CommandLine();
  ~CommandLine();

  /// A command with the common flags; its --help ends with `example`.
  CLI::App& Add(const std::string& name, const std::string& description,
                const std::string& example);
  /// Adds a flag of this command that gives a setting (config::AddSettingFlag).
  void AddSettingFlag(CLI::App& command, std::string_view key);
  /// What to do when the command is chosen. The configuration is resolved before; a mistake in it
  /// is printed and ends the process with 2. Returns the exit code.
  void OnRun(CLI::App& command, std::function<int(const config::ResolvedConfig&)> run);
  /// The same for a command that needs no project. Returns the exit code.
  void OnRunWithoutProject(CLI::App& command, std::function<int()> run);

  /// All commands, for help in other forms.
  const CLI::App& root() const;

  /// Parses and runs. Returns the exit code.
  int Main(int argc, char** argv);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Adds all commands (commands.cc).
void AddCommands(CommandLine& line);

}  // namespace playhead::cli
