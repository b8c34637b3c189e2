#pragma once

#include "playhead/decode/row_buffers.h"
#include "playhead/decode/slot.h"
#include "playhead/decode/type_plan.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Parsed rows that wait to be appended together, column by column: what a column needs then stays
/// in the first cache, and looking up texts waits for memory once and not for each (see
/// TextDictionary). Rows are copied, and so are their records unless they stay.
///
/// Memory   less than 1 MiB.
/// Threads  one at a time.
class RowQueue {
 public:
  explicit RowQueue(const TypePlan& plan);

  /// Puts a row behind the others; appends all of them to their buffers when the queue is full.
  /// `record` are the bytes that most texts lie in, `slot_count` counts the slots of `arena`. A row
  /// that cannot wait is appended at once, after those before it.
  /// With `is_stable` the record's bytes stay as they are until ReleaseInput().
  void Put(RowBuffers& to, std::string_view record, bool is_stable, const SlotArena& arena,
           size_t slot_count);
  /// Appends what waits.
  void ReleaseInput();

 private:
  static constexpr size_t kRowsMax = 128;
  static constexpr size_t kSlotsMax = 16 << 10;
  static constexpr size_t kBytesMax = 192 << 10;

  struct Rows {
    RowBuffers* to = nullptr;
    std::vector<const Slot*> slots;  // of each row
  };

  bool Copy(std::string_view record, bool is_stable, const SlotArena& arena, size_t slot_count);
  Rows& RowsOf(RowBuffers& to);

  const size_t columns_;
  bool can_wait_ = true;  // all texts can be found again in a copy
  std::vector<uint32_t> text_columns_;
  std::vector<uint32_t> list_columns_;  // lists of text

  // Filled from the front and never moved while rows wait.
  std::vector<char> bytes_;
  size_t bytes_used_ = 0;
  std::vector<Slot> slots_;
  size_t slots_used_ = 0;
  std::vector<Rows> rows_;  // the first rows_used_; the others keep their memory
  size_t rows_used_ = 0;
  size_t row_count_ = 0;
};

}  // namespace playhead::decode
