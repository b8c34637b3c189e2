#include "playhead/config/config.h"

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace playhead::config {

void AddSettingFlag(CLI::App& app, Flags& flags, const std::string& flag, std::string_view key) {
  const Setting* setting = FindSetting(key);
  PH_CHECK(setting != nullptr);
  std::string doc(setting->doc);
  if (!setting->default_value.empty()) doc += fmt::format(" [{}]", setting->default_value);
  app.add_option_function<std::string>(
      flag,
      [&flags, name = std::string(key)](const std::string& value) { flags.values[name] = value; },
      doc);
}

void AddCommonFlags(CLI::App& app, Flags& flags) {
  // Behind the command's own in its --help.
  app.option_defaults()->group("Common options");
  AddSettingFlag(app, flags, "--project", "project");
  AddSettingFlag(app, flags, "--target,--env", "target");
  AddSettingFlag(app, flags, "--warehouse", "warehouse");
  AddSettingFlag(app, flags, "--catalog", "catalog");
  AddSettingFlag(app, flags, "--landing", "landing");
  AddSettingFlag(app, flags, "--vars", "vars");
  AddSettingFlag(app, flags, "--log-level", "log_level");
  app.add_option("--set", flags.assignments,
                 "KEY=VALUE: any setting that `playhead config` lists; may be repeated.")
      ->allow_extra_args(false);
  app.option_defaults()->group("Options");
}

}  // namespace playhead::config
