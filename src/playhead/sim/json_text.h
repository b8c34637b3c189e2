#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace playhead::sim {

/// Appends a number in decimal digits.
void AppendInt(int64_t value, std::string& text);
/// Appends a number ≥ 0 with leading zeros up to `digits`.
void AppendPadded(int64_t value, int digits, std::string& text);
/// Appends a number of thousandths as a decimal number, "1234.5" for 1234500, "3.0" for 3000.
void AppendThousandths(int64_t value, std::string& text);
/// Appends a JSON string with its quotes. `value` is UTF-8.
void AppendQuoted(std::string_view value, std::string& text);
/// Appends a CSV field, in quotes where its content needs them.
void AppendCsvField(std::string_view value, std::string& text);

}  // namespace playhead::sim
