#pragma once

#include "playhead/base/status.h"

#include <string_view>

namespace playhead::cli {

/// True if `$PAGER`, by default `less`, is an executable. An empty `$PAGER` and `cat` are no
/// pagers.
bool HasPager();

/// Writes to stdout; through the pager if a line is wider than the terminal. Errors: as WriteOut.
Status WritePaged(std::string_view text);

}  // namespace playhead::cli
