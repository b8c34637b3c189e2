#pragma once

#include "playhead/base/status.h"
#include "playhead/cli/sql_console.h"

namespace playhead::cli {

/// The SQL shell on a terminal: history in `$XDG_STATE_HOME/playhead/history`, completion with the
/// tab key, pasted text as it is, statements over several lines up to their `;`, Ctrl-C ends the
/// running statement. Returns when the user leaves.
Status RunShell(sql::Connection& connection, SqlConsole& console);

}  // namespace playhead::cli
