#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead tables [NAME]`: all tables with their sizes, or one with schema, partitions, snapshots
/// and files.
void AddTablesCommand(CommandLine& line);

}  // namespace playhead::cli
