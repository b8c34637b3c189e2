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

}  // namespace

struct CommandLine::State {
  CLI::App app{"A streaming-media lakehouse in one program.", "playhead"};
  config::Flags flags;
  std::function<int()> chosen;
};

CommandLine::CommandLine() : state_(std::make_unique<State>()) {
  CLI::App& app = state_->app;
  app.set_version_flag("--version", "playhead " PLAYHEAD_VERSION, "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.footer(kFooter);
  app.get_formatter()->column_width(34);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
}

CommandLine::~CommandLine() = default;

CLI::App& CommandLine::Add(const std::string& name, const std::string& description,
                           const std::string& example) {
  CLI::App* command = state_->app.add_subcommand(name, description);
  command->footer("Example:\n  " + example);
  return *command;
}

void CommandLine::AddSettingFlag(CLI::App& command, const std::string& flag, std::string_view key) {
  config::AddSettingFlag(command, state_->flags, flag, key);
}

void CommandLine::OnRun(CLI::App& command, std::function<int(const config::ResolvedConfig&)> run) {
  config::AddCommonFlags(command, state_->flags);
  command.callback([this, run = std::move(run)] {
    state_->chosen = [this, run] {
      const auto config = config::Resolve(config::ProcessInputs(state_->flags));
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
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (argc < 2) {
    WriteNote(app.help());
    return kExitFailed;
  }
  if (argv[1][0] != '-' && std::find(names.begin(), names.end(), argv[1]) == names.end()) {
    return Fail(Error(StatusCode::kInvalidArgument, "unknown command {}{}; see playhead --help",
                      argv[1], DidYouMean(argv[1], names)));
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wanted) {
    // --help and --version.
    std::ostringstream out;
    app.exit(wanted, out, out);
    const Status written = WriteOut(out.str());
    return written.ok() ? kExitDone : Fail(written);
  } catch (const CLI::ParseError& error) {
    WriteNote(fmt::format("playhead: {}; see playhead {}--help\n", error.what(),
                          argv[1][0] == '-' ? "" : std::string(argv[1]) + " "));
    return kExitFailed;
  }
  return state_->chosen ? state_->chosen() : kExitFailed;
}

int Fail(const Status& status) {
  if (status.code() == StatusCode::kCancelled) return kExitDone;
  WriteNote(fmt::format("playhead: {}\n", status.message()));
  return kExitFailed;
}

}  // namespace playhead::cli
