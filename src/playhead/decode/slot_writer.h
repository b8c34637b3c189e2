#pragma once

#include "playhead/decode/number_text.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/slot.h"
#include "playhead/decode/time_zone.h"
#include "playhead/decode/type_plan.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// The slots of one record while it is read: turns the texts of values into what their columns
/// hold, and keeps why one of them does not fit. Methods that return bool return false when they
/// have noted such a reason.
///
/// Threads  one at a time.
class SlotWriter {
 public:
  /// At most `slots_max` slots a record, those of its columns included.
  SlotWriter(TimeZone zone, int64_t slots_max);

  /// Begins a record: `columns` slots that are absent, no reason.
  void Reset(size_t columns);

  /// Adds `count` slots, or fails with kTooLarge.
  bool AddSlots(uint32_t count, uint32_t* first) {
    const size_t end = slot_count_ + count;
    if (end > slots_.size() || end > static_cast<size_t>(slots_max_)) [[unlikely]] {
      if (!MakeRoom(end)) return false;
    }
    *first = static_cast<uint32_t>(slot_count_);
    for (; slot_count_ < end; ++slot_count_) slots_[slot_count_] = Slot{};
    return true;
  }
  Slot& slot(size_t i) { return slots_[i]; }
  Slot* slots() { return slots_.data(); }  ///< valid until slots are added
  const Slot& slot(size_t i) const { return slots_[i]; }
  size_t slot_count() const { return slot_count_; }
  SlotArena arena() const { return {slots_.data(), decimals_.data()}; }

  /// Of the records that follow, see Record::is_typed_row.
  void set_typed_row(bool is_typed_row) { is_typed_row_ = is_typed_row; }

  /// A string, or the text of a CSV field.
  bool Text(const TypePlan& plan, uint32_t slot, std::string_view text);
  /// A JSON number, `true`, `false` or `null`; `is_json` says whether `raw` is one.
  bool Scalar(const TypePlan& plan, uint32_t slot, std::string_view raw, bool* is_json);
  /// Whether the required ones of the struct `plan` have values; its fields begin at `first`.
  bool CheckFields(const TypePlan& plan, uint32_t first);
  bool CheckRequired(const TypePlan& plan, uint32_t slot);

  /// Keeps a field that is not declared; both texts are JSON.
  void AddExtra(std::string_view raw_key, std::string_view raw_value);
  /// The same for text fields; both are any text.
  void AddTextExtra(std::string_view name, std::string_view value);
  /// Ends the object of the fields that are not declared, once they are all added.
  void CloseExtra() {
    if (!extra_.empty()) extra_ += '}';
  }
  std::string_view extra() const { return extra_; }

  /// Refuses the record. `path` names the value, empty for the record itself.
  bool Refuse(Reason reason, std::string_view path, std::string problem);
  bool RefuseValue(Reason reason, const TypePlan& plan, std::string_view problem,
                   std::string_view value);
  /// Puts the name of `plan` before the path of what was refused.
  bool RefusedIn(const TypePlan& plan);
  Reason reason() const { return reason_; }
  std::string TakeDetail();

  void ReleaseLarge();

 private:
  bool MakeRoom(size_t slots);
  bool TypedText(const TypePlan& plan, uint32_t slot, std::string_view text, bool* is_taken);
  bool Number(const TypePlan& plan, uint32_t slot, const NumberParts& parts, bool is_text);

  TimeZone zone_;
  int64_t slots_max_;
  std::vector<Slot> slots_;  // only grows; the first slot_count_ are in use
  size_t slot_count_ = 0;
  std::vector<__int128> decimals_;
  std::deque<std::string> blobs_;  // of a typed row
  std::string extra_;
  bool is_typed_row_ = false;

  Reason reason_ = Reason::kNotJson;
  std::string path_;  // of the value that was refused
  std::string problem_;
};

}  // namespace playhead::decode
