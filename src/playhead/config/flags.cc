#include "playhead/config/config.h"

#include <CLI/CLI.hpp>

#include <string>
#include <string_view>

namespace playhead::config {

void AddSettingFlag(CLI::App& app, Flags& flags, std::string_view key, std::string_view alias) {
  const Setting* setting = FindSetting(key);
  PH_CHECK(setting != nullptr);
  std::string doc(setting->doc);
  if (!setting->default_value.empty()) doc += fmt::format(" [{}]", setting->default_value);
  app.add_option_function<std::string>(
      alias.empty() ? FlagName(key) : fmt::format("{},{}", FlagName(key), alias),
      [&flags, name = std::string(key)](const std::string& value) { flags.values[name] = value; },
      doc);
}

void AddCommonFlags(CLI::App& app, Flags& flags) {
  // Behind the command's own in its --help.
  app.option_defaults()->group("Common options");
  AddSettingFlag(app, flags, "project");
  AddSettingFlag(app, flags, "target", "--env");
  AddSettingFlag(app, flags, "warehouse");
  AddSettingFlag(app, flags, "catalog");
  AddSettingFlag(app, flags, "landing");
  AddSettingFlag(app, flags, "vars");
  AddSettingFlag(app, flags, "log_level");
  app.add_option("--set", flags.assignments,
                 "KEY=VALUE: any setting that `playhead config` lists; may be repeated.")
      ->allow_extra_args(false);
  app.option_defaults()->group("Options");
}

}  // namespace playhead::config
