#include "playhead/cli/command.h"

#include "playhead/base/logging.h"
#include "playhead/base/suggest.h"
#include "playhead/cli/output.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <clocale>
#include <csignal>
#include <cstring>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace playhead::cli {
namespace {

constexpr char kFooter[] =
    "`playhead COMMAND --help` says more.\n\n"
    "Examples:\n"
    "  playhead up                                  collect and ingest until stopped\n"
    "  playhead sql -c 'select count(*) from bronze.media_events'\n"
    "  playhead ask                                 answer the project's questions";

logging::Level LevelOf(const std::string& name) {
  if (name == "debug") return logging::Level::kDebug;
  if (name == "warn") return logging::Level::kWarn;
  if (name == "error") return logging::Level::kError;
  if (name == "off") return logging::Level::kOff;
  return logging::Level::kInfo;
}

/// Widths of characters are known only in a UTF-8 locale, which every Debian has under this name.
void UseUtf8() {
  const char* locale = std::setlocale(LC_CTYPE, "");
  if (locale == nullptr || std::strstr(locale, "UTF-8") == nullptr) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
}

/// Says of a flag's value what kind it is and leaves what it may be to the flag's own words: the
/// library's are `INT:INT in [0 - 1099511627776]`.
class HelpFormatter final : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    std::string text = CLI::Formatter::make_option_opts(option);
    if (const size_t colon = text.find(':'); colon != std::string::npos) text.erase(colon);
    return text;
  }
};

const char* ErrorSign() {
  return UsesColor(StderrIsTerminal()) ? "\x1b[1;31mplayhead:\x1b[0m" : "playhead:";
}

/// Says which argument nobody takes, and which flag may have been meant.
std::string Unexpected(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  const CLI::App& command = commands.empty() ? app : *commands[0];
  const std::string word = app.remaining(/*recurse=*/true).at(0);
  if (!word.starts_with("-") && command.get_option_no_throw("-c") != nullptr) {
    return fmt::format("SQL stands behind -c: playhead sql -c '{}'", word);
  }
  if (!word.starts_with("-")) return fmt::format("unexpected argument: {}", word);
  const std::string flag = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const CLI::App* taker : {&app, &command}) {
    for (const CLI::Option* option : taker->get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  }
  return fmt::format("no such flag: {}{}", flag, DidYouMean(flag, known));
}

/// The first word that is neither a flag of `app` nor a flag's value; empty without one.
std::string FirstCommand(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.empty() || word[0] != '-') return word;
    const CLI::Option* option = app.get_option_no_throw(word);
    if (option != nullptr && option->get_expected_min() > 0) ++i;  // its value follows
  }
  return "";
}

}  // namespace

struct CommandLine::State {
  CLI::App app{"A streaming-media lakehouse in one program.", "playhead"};
  config::Flags flags;          ///< before the command
  config::Flags command_flags;  ///< behind it
  std::function<int()> chosen;

  /// What stands behind the command wins: it is nearer to it.
  config::Flags AllFlags() const {
    config::Flags all = command_flags;
    all.values.insert(flags.values.begin(), flags.values.end());
    all.assignments.insert(all.assignments.begin(), flags.assignments.begin(),
                           flags.assignments.end());
    return all;
  }
};

CommandLine::CommandLine() : state_(std::make_unique<State>()) {
  CLI::App& app = state_->app;
  app.set_version_flag("-V,--version", "playhead " PLAYHEAD_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  config::AddCommonFlags(app, state_->flags);
  app.require_subcommand(0, 1);  // the words behind a command are its own: `help sql`
  app.footer(kFooter);
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_formatter()->column_width(34);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
}

CommandLine::~CommandLine() = default;

const CLI::App& CommandLine::root() const { return state_->app; }

CLI::App& CommandLine::Add(const std::string& name, const std::string& description,
                           const std::string& example) {
  CLI::App* command = state_->app.add_subcommand(name, description);
  command->group("Commands");
  command->footer("Example:\n  " + example);
  return *command;
}

void CommandLine::AddSettingFlag(CLI::App& command, std::string_view key) {
  config::AddSettingFlag(command, state_->command_flags, key);
}

void CommandLine::OnRun(CLI::App& command, std::function<int(const config::ResolvedConfig&)> run) {
  config::AddCommonFlags(command, state_->command_flags);
  command.callback([this, run = std::move(run)] {
    state_->chosen = [this, run] {
      const auto config = config::Resolve(config::ProcessInputs(state_->AllFlags()));
      if (!config.ok()) return Fail(config.error());
      logging::SetLevel(LevelOf(config->settings.Text("log_level")));
      return run(*config);
    };
  });
}

void CommandLine::OnRunWithoutProject(CLI::App& command, std::function<int()> run) {
  command.callback([this, run = std::move(run)] { state_->chosen = run; });
}

int CommandLine::Main(int argc, char** argv) {
  // A closed pipe or connection is an error code where it happens, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  UseUtf8();
  CLI::App& app = state_->app;
  if (argc < 2) {
    WriteNote(app.help());
    return kExitFailed;
  }
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  const std::string name = FirstCommand(app, argc, argv);
  const bool is_command = std::find(names.begin(), names.end(), name) != names.end();
  if (!name.empty() && !is_command) {
    return Fail(Error(StatusCode::kInvalidArgument, "unknown command {}{}; see playhead --help",
                      name, DidYouMean(name, names)));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    // --help and --version.
    std::ostringstream out;
    app.exit(wanted, out, out);
    const Status written = WriteOut(out.str());
    return written.ok() ? kExitDone : Fail(written);
  } catch (const CLI::ExtrasError& error) {
    return Fail(Error(StatusCode::kInvalidArgument, "{}; see playhead {}--help", Unexpected(app),
                      name.empty() ? "" : name + " "));
  } catch (const CLI::ParseError& error) {
    WriteNote(fmt::format("{} {}; see playhead {}--help\n", ErrorSign(), error.what(),
                          name.empty() ? "" : name + " "));
    return kExitFailed;
  }
  if (state_->chosen) return state_->chosen();
  return Fail(Error(StatusCode::kInvalidArgument, "no command was given; see playhead --help"));
}

int Fail(const Status& status) {
  if (status.code() == StatusCode::kCancelled) return kExitDone;
  WriteNote(fmt::format("{} {}\n", ErrorSign(), status.message()));
  return kExitFailed;
}

std::function<std::string(const std::string&)> OneOf(std::vector<std::string> words) {
  return [words = std::move(words)](const std::string& word) -> std::string {
    if (std::ranges::find(words, word) != words.end()) return "";
    return fmt::format("got '{}', expected one of {}{}", word, fmt::join(words, ", "),
                       DidYouMean(word, words));
  };
}

}  // namespace playhead::cli
