#pragma once

#include "playhead/base/status.h"
#include "playhead/collector/collector.h"
#include "playhead/config/settings.h"
#include "playhead/log/journal.h"
#include "playhead/project/project.h"
#include "playhead/sql/engine.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace playhead::config {

/// What the command line said, by settings key (`warehouse`, `collector.body_bytes_max`).
struct Flags {
  std::map<std::string, std::string> values;
  std::vector<std::string> assignments;  ///< `--set KEY=VALUE`, unparsed
};

/// Adds the flags that every command takes: --project, --target (--env), --warehouse, --catalog,
/// --landing, --vars, --log-level, --set. `flags` must live until parsing is done.
void AddCommonFlags(CLI::App& app, Flags& flags);
/// Adds a flag of one command that gives the setting `key`, with the setting's doc as its help:
/// `AddSettingFlag(app, flags, "epoch.interval_ms")` adds `--epoch-interval-ms` (FlagName).
/// `alias`: another name of the flag.
void AddSettingFlag(CLI::App& app, Flags& flags, std::string_view key, std::string_view alias = "");

/// Everything a command needs to know, read and checked. Relative paths are resolved: those of
/// playhead.yml against the project folder, those of flags and variables against the current
/// folder.
struct ResolvedConfig {
  project::Project project;
  project::Target target;
  std::string warehouse_uri;   ///< normalized: `file:///data/lake`
  std::string catalog_uri;     ///< as `playhead config` shows it: `sqlite:/data/lake/catalog.db`
  std::string catalog_path;    ///< local path of the SQLite catalog
  std::string landing_folder;  ///< local path; need not exist
  std::string journal_folder;  ///< local path
  std::string lock_file;       ///< local path; keeps a second ingest of the warehouse out
  std::string temp_folder;     ///< local path; the SQL engine spills there
  std::map<std::string, std::string> vars;  ///< --vars over dbt_project.yml; as Jinja prints them
  Settings settings;
};

/// What Resolve() looks at, besides the project's files.
struct Inputs {
  Flags flags;
  std::map<std::string, std::string> environment;  ///< all variables of the process
  std::string current_folder;
};

/// The process's own environment and folder.
Inputs ProcessInputs(Flags flags);

/// Reads the project and every setting: flag over variable over file over default.
/// Errors: kNotFound (no project), kInvalidArgument lists all mistakes of all sources, one a line;
/// kNotSupported (a warehouse or catalog this build has no code for).
Result<ResolvedConfig> Resolve(const Inputs& inputs);

/// Option structs of the folders below, filled from the settings.
sql::EngineOptions EngineOptionsOf(const ResolvedConfig& config);
log::JournalOptions JournalOptionsOf(const ResolvedConfig& config);
collector::CollectorOptions CollectorOptionsOf(const ResolvedConfig& config);

}  // namespace playhead::config
