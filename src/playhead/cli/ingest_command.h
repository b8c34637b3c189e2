#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead ingest [--once] [--stream NAME FILE…]`.
void AddIngestCommand(CommandLine& line);

}  // namespace playhead::cli
