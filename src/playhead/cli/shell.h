#pragma once

#include "playhead/base/status.h"
#include "playhead/cli/query_progress.h"
#include "playhead/sql/session.h"

namespace playhead::cli {

/// The SQL shell on a terminal: history in `$XDG_STATE_HOME/playhead/history`, completion with the
/// tab key, statements over several lines up to their `;`, Ctrl-C ends the running statement,
/// `.help` lists the dot commands. Returns when the user leaves.
Status RunShell(sql::Session& session, QueryProgress& progress, sql::OutputFormat format);

}  // namespace playhead::cli
