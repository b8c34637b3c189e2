#include "playhead/cli/help_command.h"

#include "playhead/base/suggest.h"
#include "playhead/cli/help_forms.h"
#include "playhead/cli/output.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

struct HelpArgs {
  std::string command;
  bool is_man = false;
};

int Print(const std::string& text) {
  const Status written = WriteOut(text);
  return written.ok() ? kExitDone : Fail(written);
}

/// App::help() prints the command that was parsed, which is this one.
std::string HelpOf(const CLI::App& app, const std::string& name) {
  return app.get_formatter()->make_help(&app, name, CLI::AppFormatMode::Normal);
}

int RunHelp(const CLI::App& root, const HelpArgs& args) {
  if (args.is_man) return Print(ManPage(root));
  if (args.command.empty()) return Print(HelpOf(root, "playhead"));
  std::vector<std::string> known;
  for (const CLI::App* command : root.get_subcommands(nullptr)) {
    if (command->get_name() == args.command) {
      return Print(HelpOf(*command, "playhead " + args.command));
    }
    known.push_back(command->get_name());
  }
  return Fail(Error(StatusCode::kInvalidArgument, "unknown command {}{}; see playhead help",
                    args.command, DidYouMean(args.command, known)));
}

}  // namespace

void AddHelpCommands(CommandLine& line) {
  auto help = std::make_shared<HelpArgs>();
  CLI::App& app = line.Add("help", "Prints the help of a command, or the manual page of all",
                           "playhead help sql");
  app.add_option("COMMAND", help->command, "A command (default: all of them in short)");
  app.add_flag("--man", help->is_man, "The manual page, for man -l");
  line.OnRunWithoutProject(app, [&line, help] { return RunHelp(line.root(), *help); });

  CLI::App& version = line.Add("version", "Prints the version", "playhead version");
  line.OnRunWithoutProject(version, [] { return Print("playhead " PLAYHEAD_VERSION "\n"); });

  auto shell = std::make_shared<std::string>();
  CLI::App& completion =
      line.Add("completion", "Prints a script that has a shell complete commands and flags",
               "playhead completion bash");
  completion.add_option("SHELL", *shell, "bash or zsh")->required()->check(OneOf({"bash", "zsh"}));
  line.OnRunWithoutProject(completion, [&line, shell] {
    return Print(*shell == "zsh" ? ZshCompletion(line.root()) : BashCompletion(line.root()));
  });
}

}  // namespace playhead::cli
