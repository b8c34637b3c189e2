#pragma once

#include "playhead/cli/command.h"

namespace playhead::cli {

/// `playhead audit`: exit 1 and the exact place when the lake is not what was counted.
void AddAuditCommand(CommandLine& line);

}  // namespace playhead::cli
