#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead dead`: what did not fit, by reason, with samples.
void AddDeadCommand(CommandLine& line);

}  // namespace playhead::cli
