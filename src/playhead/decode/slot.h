#pragma once

#include <cstdint>
#include <string_view>

namespace playhead::decode {

enum class SlotState : uint8_t { kAbsent, kNull, kValue };

/// One parsed value, waiting until its whole record is known to be valid.
///
/// Slots lie in one array per record and name each other by position:
///   struct  `first` is the first of one slot per field, in declared order;
///   list    `first` is the first of `size` elements chained by `next`;
///   map     as a list of 2 × `size` slots: key, value, key, value, …
/// Text is borrowed from the record or from the parser and ends with the record.
struct Slot {
  union {
    int64_t integer = 0;  // also bool, date, timestamp
    double real;
    const char* text;
    uint32_t first;    // nested
    uint32_t decimal;  // position in the parser's decimals
  };
  uint32_t size = 0;  // bytes of text, elements of a list, entries of a map
  uint32_t next : 30 = 0;
  SlotState state : 2 = SlotState::kAbsent;

  static Slot OfText(std::string_view value) {
    Slot slot;
    slot.SetText(value);
    return slot;
  }

  std::string_view view() const { return {text, size}; }
  void SetText(std::string_view value) {
    text = value.data();
    size = static_cast<uint32_t>(value.size());
    state = SlotState::kValue;
  }
  bool has_value() const { return state == SlotState::kValue; }
};
static_assert(sizeof(Slot) == 16);

/// What a column buffer needs to read slots.
struct SlotArena {
  const Slot* slots = nullptr;
  const __int128* decimals = nullptr;
};

}  // namespace playhead::decode
