#pragma once

#include "playhead/base/status.h"

#include <string_view>

namespace playhead::cli {

/// Whether there is a program to page through what a terminal has no room for: `$PAGER`, by default
/// `less`. An empty `$PAGER`, or `cat`, is none.
bool HasPager();

/// Writes to stdout, through the pager when a line is wider than the terminal. Errors: as WriteOut.
Status WritePaged(std::string_view text);

}  // namespace playhead::cli
