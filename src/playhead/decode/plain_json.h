#pragma once

#include "playhead/decode/json_scan.h"
#include "playhead/decode/slot_writer.h"
#include "playhead/decode/type_plan.h"

#include <cstddef>
#include <cstdint>
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
class PlainJson {
 public:
  /// `plan` (a record plan) must outlive this. Lists are depth 2.
  PlainJson(const TypePlan& plan, int depth_max);

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
    const TypePlan* plan = nullptr;
    std::string key;    // in quotes and with the colon; empty when it is to be looked up
    uint32_t next = 0;  // the column that came behind it the last time
  };

  static constexpr size_t kUndeclared = SIZE_MAX;

  struct Position {
    const char* p;
    const char* begin;
    const char* last;  // the bracket that ends the record
  };

  bool Walk(std::string_view record, SlotWriter& out);
  // Each takes what is at the position. The first three move it behind that, the others return
  // where that is, or null.
  bool TakeKey(Position& in, std::string_view key) const;
  bool String(Position& in, std::string_view* text) const;
  bool Value(Position& in, const TypePlan& plan, uint32_t slot, SlotWriter& out);
  /// A key and its colon, and the value as well if it is kUndeclared.
  const char* LookUpKey(Position in, size_t* column, SlotWriter& out) const;
  const char* Scalar(const char* p, const TypePlan& plan, uint32_t slot, SlotWriter& out) const;
  const char* List(Position in, const TypePlan& plan, uint32_t slot, SlotWriter& out) const;

  const TypePlan& plan_;
  bool has_depth_for_lists_;
  QuoteMap quotes_;
  std::vector<Field> fields_;  // one more: its `next` is the column that came first
  int doubt_ = 0;
  int skip_count_ = 0;
};

}  // namespace playhead::decode
