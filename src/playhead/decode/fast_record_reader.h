#pragma once

#include "playhead/decode/json_scan.h"
#include "playhead/decode/slot_writer.h"
#include "playhead/decode/type_plan.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Reads JSON records as machines write them in one walk, without an index of their tokens: no
/// escapes, no blanks but one behind a comma or colon, values that are strings, numbers, words or
/// lists of these, all of them good. Gives up on any other record, good or not; what it does read
/// becomes exactly the slots that JsonCursor's reader would make.
///
///   find the quotes of the whole record, and whether it may be read
///   for each field: compare its key with the one that followed the last time, else look it up
///                   take the value, and the comma or bracket behind it
///
/// Threads  one at a time.
class FastRecordReader {
 public:
  /// `plan` (a record plan) must outlive this. A record is one level deep, a list in it the second.
  FastRecordReader(const TypePlan& plan, int depth_max);
  FastRecordReader(const FastRecordReader&) = delete;
  FastRecordReader& operator=(const FastRecordReader&) = delete;

  /// Whether to try the next record: after many that were given up only one in 16 is worth it.
  bool IsWorthTrying() {
    if (skip_count_ == 0) return true;
    --skip_count_;
    return false;
  }

  /// Fills `out`, which was reset to the columns of the plan. False: gave up, and `out` has to be
  /// reset.
  bool Read(std::string_view record, SlotWriter& out);

 private:
  /// What the walk needs of a column, side by side.
  struct Field {
    Field* next = nullptr;  // the column that came behind it the last time
    uint32_t slot = 0;
    TypeKind kind = TypeKind::kText;
    const TypePlan* plan = nullptr;

    // The key in quotes with its colon. It is compared by its first and last 8 bytes, and what is
    // between, which few have; of a shorter one both are all of it, as far as `mask` goes.
    uint32_t key_size = 0;
    uint32_t readable = UINT32_MAX;  // IsAt() reads so many bytes; no record has those of no key
    uint32_t tail_at = 0;
    uint64_t head = 0;
    uint64_t tail = 0;
    uint64_t mask = 0;
    std::string key;

    void SetKey(std::string text);
    bool IsAt(const char* p) const {
      if (((Load(p) ^ head) & mask) != 0 || ((Load(p + tail_at) ^ tail) & mask) != 0) return false;
      for (uint32_t i = 8; i < tail_at; i += 8) {
        if (Load(p + i) != Load(key.data() + i)) return false;
      }
      return true;
    }
    static uint64_t Load(const char* p) {
      uint64_t bytes = 0;
      std::memcpy(&bytes, p, 8);
      return bytes;
    }
  };
  static constexpr size_t kGaveUp = 0;

  bool Walk(std::string_view record, SlotWriter& out);
  /// Whether the record ends at `at`, with all that is required.
  bool IsEnd(size_t at, SlotWriter& out) const;
  // Positions are those of bytes in the record. Each takes what is at `at` and returns what is
  // behind it, or kGaveUp.
  size_t AfterBlank(size_t at) const;
  size_t ScalarEnd(size_t at) const;
  size_t String(size_t at, std::string_view* text) const;
  /// A key and its colon: found_ is its column, or null if there is none; then the value is taken,
  /// too.
  size_t FindKey(size_t at, Field* previous, SlotWriter& out);
  size_t Undeclared(size_t at, std::string_view raw_key, SlotWriter& out) const;
  size_t Value(size_t at, const Field& field, SlotWriter& out) const;
  size_t StringOrScalar(size_t at, const TypePlan& plan, uint32_t slot, SlotWriter& out) const;
  size_t List(size_t at, const TypePlan& plan, uint32_t slot, SlotWriter& out) const;

  const TypePlan& plan_;
  bool has_depth_for_lists_;
  QuoteMap quotes_;
  std::vector<Field> fields_;  // one more: its `next` is the column that came first
  Field* found_ = nullptr;
  const char* text_ = nullptr;
  size_t last_ = 0;  // the bracket that ends the record
  int doubt_ = 0;
  int skip_count_ = 0;
};

}  // namespace playhead::decode
