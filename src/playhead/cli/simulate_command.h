#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead simulate [STREAM] --events N --seed S --rate R --to -|FILE|DIR|http://HOST:PORT`.
void AddSimulateCommand(CommandLine& line);

}  // namespace playhead::cli
