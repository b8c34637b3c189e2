#include "playhead/cli/config_command.h"

#include "playhead/cli/output.h"

#include <CLI/CLI.hpp>

#include <memory>
#include <optional>
#include <string>

namespace playhead::cli {
namespace {

struct ConfigArgs {
  std::optional<std::string> format;
};

const char* OriginName(config::Origin origin) {
  switch (origin) {
    case config::Origin::kDefault:
      return "default";
    case config::Origin::kFile:
      return "file";
    case config::Origin::kVariable:
      return "variable";
    case config::Origin::kFlag:
      return "flag";
  }
  return "";
}

int RunConfig(const config::ResolvedConfig& config, const ConfigArgs& args) {
  Table table{.columns = {"setting", "value", "origin", "place"}, .rows = {}};
  for (const auto& [key, value] : config.settings.values()) {
    const bool is_secret = config::FindSetting(key)->is_secret && !value.text.empty();
    table.rows.push_back({key, is_secret ? std::string("(hidden)") : value.text,
                          std::string(OriginName(value.origin)), value.place});
  }
  const Status written = WriteOut(Render(table, ChooseFormat(args.format), TerminalColumns()));
  return written.ok() ? kExitDone : Fail(written);
}

}  // namespace

void AddConfigCommand(CommandLine& line) {
  auto args = std::make_shared<ConfigArgs>();
  CLI::App& app = line.Add("config", "Prints every setting, its value and where it came from",
                           "playhead config --format csv");
  AddFormatFlag(app, args->format);
  line.OnRun(app,
             [args](const config::ResolvedConfig& config) { return RunConfig(config, *args); });
}

}  // namespace playhead::cli
