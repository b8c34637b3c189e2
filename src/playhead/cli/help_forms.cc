#include "playhead/cli/help_forms.h"

#include "playhead/sql/row_writer.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace playhead::cli {
namespace {

/// Text that troff takes as it is: a point or quote at the beginning of a line is a request.
std::string Troff(std::string_view text) {
  std::string escaped;
  bool is_line_begin = true;
  for (const char c : text) {
    if (is_line_begin && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    is_line_begin = c == '\n';
  }
  return escaped;
}

/// Those that `root` does not have.
void AddOptions(const CLI::App& app, const CLI::App* root, std::string& page) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;  // hidden
    if (root != nullptr && root->get_option_no_throw(option->get_name()) != nullptr) continue;
    const std::string name = option->get_name(/*positional=*/option->get_positional(), true);
    page += fmt::format(".TP\n.B {}\n{}\n", Troff(name), Troff(option->get_description()));
  }
}

/// `--format --project …`, the flags of a command.
std::string Flags(const CLI::App& app) {
  std::string flags;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) flags += " --" + name;
  }
  return flags;
}

}  // namespace

std::string ManPage(const CLI::App& root) {
  std::string page = fmt::format(
      ".TH PLAYHEAD 1 \"\" \"playhead {}\"\n.SH NAME\nplayhead \\- {}\n.SH SYNOPSIS\n.B playhead\n"
      "COMMAND [OPTIONS]\n.SH OPTIONS\n",
      PLAYHEAD_VERSION, Troff(root.get_description()));
  AddOptions(root, nullptr, page);
  page += ".SH COMMANDS\nThe options above work behind a command, too.\n";
  for (const CLI::App* command : root.get_subcommands(nullptr)) {
    page +=
        fmt::format(".SS {}\n{}.\n", Troff(command->get_name()), Troff(command->get_description()));
    AddOptions(*command, &root, page);
    page += fmt::format(".PP\n.nf\n{}\n.fi\n", Troff(command->get_footer()));
  }
  return page +
         ".SH EXIT STATUS\n0 done, 1 a check said no, 2 failed.\n"
         ".SH ENVIRONMENT\nPLAYHEAD_PROJECT, PLAYHEAD_WAREHOUSE and PLAYHEAD_* for every setting "
         "of "
         "playhead config;\nPAGER shows wide tables; NO_COLOR leaves colours out.\n";
}

std::string BashCompletion(const CLI::App& root) {
  std::string commands;
  std::string cases;
  for (const CLI::App* command : root.get_subcommands(nullptr)) {
    commands += " " + command->get_name();
    cases += fmt::format("    {}) words='{}' ;;\n", command->get_name(), Flags(*command).substr(1));
  }
  return fmt::format(
      R"(# bash completion for playhead: source <(playhead completion bash)
_playhead() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} command= words= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${{COMP_WORDS[i]}} in -*) ;; *) command=${{COMP_WORDS[i]}}; break ;; esac
  done
  case $before in
    --format) COMPREPLY=($(compgen -W '{}' -- "$word")); return ;;
    help) COMPREPLY=($(compgen -W '{}' -- "$word")); return ;;
    completion) COMPREPLY=($(compgen -W 'bash zsh' -- "$word")); return ;;
  esac
  case $command in
{}    '') words='{}{}' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}}
complete -o default -F _playhead playhead
)",
      fmt::join(sql::OutputFormatNames(), " "), commands.substr(1), cases, commands.substr(1),
      Flags(root));
}

std::string ZshCompletion(const CLI::App& root) {
  return "#compdef playhead\nautoload -U +X compinit && compinit\n"
         "autoload -U +X bashcompinit && bashcompinit\n" +
         BashCompletion(root);
}

}  // namespace playhead::cli
