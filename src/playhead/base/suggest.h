#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace playhead {

/// ` (did you mean media_events?)` for the name of `known` nearest to a mistyped `name`, or empty
/// when none is near enough. Case does not count.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& known);

}  // namespace playhead
