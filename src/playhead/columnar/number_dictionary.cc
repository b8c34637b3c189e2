#include "playhead/columnar/number_dictionary.h"

namespace playhead::columnar {

void NumberDictionary::Clear() {
  // Most columns that have a dictionary have few values, whatever the one before had.
  log_slots_ = kLogSlotsMin;
  codes_.assign(size_t{1} << log_slots_, -1);
  numbers_.clear();
}

int32_t NumberDictionary::Add(uint64_t number, size_t slot) {
  const auto code = static_cast<int32_t>(numbers_.size());
  numbers_.push_back(number);
  codes_[slot] = code;
  if (2 * numbers_.size() > codes_.size()) {
    ++log_slots_;
    codes_.assign(size_t{1} << log_slots_, -1);
    for (size_t i = 0; i < numbers_.size(); ++i) {
      size_t free = Slot(numbers_[i]);
      while (codes_[free] >= 0) free = (free + 1) & (codes_.size() - 1);
      codes_[free] = static_cast<int32_t>(i);
    }
  }
  return code;
}

}  // namespace playhead::columnar
