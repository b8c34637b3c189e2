#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace playhead::columnar {

/// The distinct numbers of a column, in the order of their first appearance. They are told apart by
/// their bits.
class NumberDictionary {
 public:
  /// Starts anew.
  void Clear();
  int32_t Code(uint64_t number) {
    size_t slot = Slot(number);
    while (codes_[slot] >= 0) {
      if (numbers_[static_cast<size_t>(codes_[slot])] == number) return codes_[slot];
      slot = (slot + 1) & (codes_.size() - 1);
    }
    return Add(number, slot);
  }
  const std::vector<uint64_t>& numbers() const { return numbers_; }

 private:
  static constexpr int kLogSlotsMin = 8;

  size_t Slot(uint64_t number) const {
    // Multiplied, the upper bits depend on all bits; times differ in the middle ones.
    return static_cast<size_t>((number ^ number >> 32) * 0x9E3779B97F4A7C15U >> (64 - log_slots_));
  }
  int32_t Add(uint64_t number, size_t slot);

  int log_slots_ = kLogSlotsMin;
  std::vector<int32_t> codes_ = std::vector<int32_t>(size_t{1} << kLogSlotsMin, -1);
  std::vector<uint64_t> numbers_;
};

}  // namespace playhead::columnar
