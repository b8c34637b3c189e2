#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead up` (collector and ingest in one process) and `playhead collect` (the collector
/// alone).
void AddUpCommand(CommandLine& line);

}  // namespace playhead::cli
