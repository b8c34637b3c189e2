#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead ask [NAME…]`: the questions' answers, with their definitions and rivals.
void AddAskCommand(CommandLine& line);

}  // namespace playhead::cli
