#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace playhead::decode {

/// Follows one JSON object or array from its opening bracket to the one that closes it, over any
/// number of texts, without a look at what is between strings and brackets.
class ValueScan {
 public:
  /// The position behind the closing bracket, or npos when the value is still open at the end.
  size_t Scan(std::string_view text);

  bool is_in_string() const { return in_string_; }
  /// Whether JSON may go on with `next` on a new line. The beginning of a second record after a
  /// truncated line may not. Not inside a string.
  bool CanGoOnWith(char next) const;

 private:
  std::string open_;  // the brackets around the present position
  bool in_string_ = false;
  bool after_backslash_ = false;
  char previous_ = '\0';  // that is not blank
};

}  // namespace playhead::decode
