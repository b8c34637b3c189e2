#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead adopt`: binds the tables of a moved or copied warehouse to the place it lies in now.
void AddAdoptCommand(CommandLine& line);

}  // namespace playhead::cli
