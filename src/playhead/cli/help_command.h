#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `help`, `version` and `completion`: what the command line knows about itself, in other forms.
void AddHelpCommands(CommandLine& line);

}  // namespace playhead::cli
