#pragma once

#include <cstdint>

namespace playhead::decode {

/// Rows of one partition after which its dictionaries begin anew, and with them a row group.
inline constexpr int64_t kGenerationRows = 98'304;

/// Tells which batches share the codes of their dictionaries.
struct Generation {
  /// Of batches with the same number (but 0), the longer dictionary of a column begins with the
  /// shorter one. 0: each batch stands alone.
  uint64_t number = 0;
  /// Nothing of this generation came before: the texts of a dictionary appear in the order of the
  /// rows from here on.
  bool is_first_batch = false;
};

}  // namespace playhead::decode
