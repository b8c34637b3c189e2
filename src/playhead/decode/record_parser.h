#pragma once

#include "playhead/decode/json_cursor.h"
#include "playhead/decode/json_index.h"
#include "playhead/decode/number_text.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/slot.h"
#include "playhead/decode/time_zone.h"
#include "playhead/decode/type_plan.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

struct RecordParserOptions {
  int depth_max = 64;
  int64_t values_max = 1'000'000;
};

/// Turns one record into slots, one per declared column, or says why it does not fit.
///
/// After a success slots() begins with the columns in declared order; they and extra() are valid
/// until the next call and as long as the record's bytes. Coercions: docs/formats/decode.md.
/// A syntax error anywhere in a JSON record wins over a value that does not fit.
/// Threads  one at a time.
class RecordParser {
 public:
  /// `plan` (a record plan) must outlive the parser.
  RecordParser(const TypePlan& plan, TimeZone zone, RecordParserOptions options);

  bool ParseJson(std::string_view record);

  /// Reads text fields: `fields[i]` belongs to column `column_of_field[i]`, or, where that is -1,
  /// to no column; then it goes to extra() under `name_of_field[i]`.
  bool ParseFields(const std::vector<std::optional<std::string_view>>& fields,
                   const std::vector<int>& column_of_field,
                   const std::vector<std::string>& name_of_field);

  SlotArena arena() const { return {slots_.data(), decimals_.data()}; }
  const Slot& column(size_t i) const { return slots_[i]; }
  Slot& column(size_t i) { return slots_[i]; }
  size_t slot_count() const { return slots_.size(); }
  /// The fields that are not declared, as a JSON object; empty when there are none.
  std::string_view extra() const { return extra_; }

  /// Why the last call returned false.
  Reason reason() const { return reason_; }
  std::string TakeDetail();

  void ReleaseLarge();

 private:
  void Reset();
  bool IsSoundJson(std::string_view record);

  // JSON: each takes one value from the cursor and fills the slot.
  bool Value(JsonCursor& in, const TypePlan& plan, uint32_t slot);
  bool Scalar(JsonCursor& in, const TypePlan& plan, uint32_t slot);
  bool Fields(JsonCursor& in, const TypePlan& plan, uint32_t first, bool is_record);
  bool UndeclaredField(JsonCursor& in, std::string_view raw_key, bool is_record);
  bool List(JsonCursor& in, const TypePlan& plan, uint32_t slot);
  bool Map(JsonCursor& in, const TypePlan& plan, uint32_t slot);
  bool CheckFields(const TypePlan& plan, uint32_t first);
  bool CheckRequired(const TypePlan& plan, uint32_t slot);
  bool HasDistinctKeys(uint32_t map_slot);

  // Text: `is_csv` widens what booleans, numbers and nested columns accept.
  bool Text(const TypePlan& plan, uint32_t slot, std::string_view text, bool is_csv);
  bool Number(const TypePlan& plan, uint32_t slot, const NumberParts& parts, bool is_text);
  bool NestedText(const TypePlan& plan, uint32_t slot, std::string_view text);

  /// Adds `count` slots, or fails with kTooLarge.
  bool AddSlots(uint32_t count, uint32_t* first);
  void AddExtra(std::string_view raw_key, std::string_view raw_value);

  bool Refuse(Reason reason, const TypePlan& plan, std::string_view problem,
              std::string_view value);
  /// Puts the name of `plan` before the path of what was refused; returns false.
  bool RefusedIn(const TypePlan& plan);
  bool RefuseSyntax(JsonCursor::Problem problem, std::string_view record);

  const TypePlan& plan_;
  TimeZone zone_;
  RecordParserOptions options_;
  JsonIndex index_;
  JsonIndex field_index_;  // of one CSV field that holds JSON
  std::vector<Slot> slots_;
  std::vector<__int128> decimals_;
  std::string extra_;
  bool has_nested_extra_ = false;  // a declared struct holds fields that are not declared
  std::vector<std::string_view> map_keys_;

  Reason reason_ = Reason::kNotJson;
  std::string path_;  // of the value that was refused
  std::string problem_;
};

}  // namespace playhead::decode
