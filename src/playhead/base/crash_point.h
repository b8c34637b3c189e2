#pragma once

#include <string_view>

namespace playhead {

/// A named step at which the fault tests end the process as `kill -9` would. Does nothing unless
/// the environment variable PLAYHEAD_CRASH_AT is `<name>` or `<name>:<n>` (the n-th passing, from
/// 1). Every step of a commit and of a journal write has one; `playhead` never sets the variable.
void CrashPoint(std::string_view name);

}  // namespace playhead
