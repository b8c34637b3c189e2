#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead config`: every setting with its value and where it came from.
void AddConfigCommand(CommandLine& line);

}  // namespace playhead::cli
