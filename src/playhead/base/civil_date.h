#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace playhead {

/// Days since 1970-01-01 of `2026-01-02`; none for any other text and for impossible days. Years
/// 0001 to 9999.
std::optional<int32_t> ParseDay(std::string_view text);

/// `2026-01-02`, the inverse.
std::string DayText(int32_t days);

}  // namespace playhead
