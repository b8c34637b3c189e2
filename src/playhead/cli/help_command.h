#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// Adds `help`, `version` and `completion`, all generated from the commands that are registered.
void AddHelpCommands(CommandLine& line);

}  // namespace playhead::cli
