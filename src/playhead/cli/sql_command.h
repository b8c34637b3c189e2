#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead sql [-c SQL | -f FILE]`: a shell on a terminal, else SQL from standard input.
void AddSqlCommand(CommandLine& line);

}  // namespace playhead::cli
