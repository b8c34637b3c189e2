#pragma once

#include "playhead/decode/fast_record_reader.h"
#include "playhead/decode/json_cursor.h"
#include "playhead/decode/json_index.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/slot_writer.h"
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
  bool has_plain_reader = true;  ///< off: the slots are the same; for tests
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

  bool ParseJson(std::string_view record, bool is_typed_row = false);

  /// Reads text fields: `fields[i]` belongs to column `column_of_field[i]`, or, where that is -1,
  /// to no column; then it goes to extra() under `name_of_field[i]`.
  bool ParseFields(const std::vector<std::optional<std::string_view>>& fields,
                   const std::vector<int>& column_of_field,
                   const std::vector<std::string>& name_of_field);

  SlotArena arena() const { return out_.arena(); }
  const Slot& column(size_t i) const { return out_.slot(i); }
  Slot& column(size_t i) { return out_.slot(i); }
  size_t slot_count() const { return out_.slot_count(); }
  /// The fields that are not declared, as a JSON object; empty when there are none.
  std::string_view extra() const { return out_.extra(); }

  /// Why the last call returned false.
  Reason reason() const { return out_.reason(); }
  std::string TakeDetail() { return out_.TakeDetail(); }

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
  bool HasDistinctKeys(uint32_t map_slot);

  /// A CSV field of a nested column.
  bool NestedText(const TypePlan& plan, uint32_t slot, std::string_view text);

  /// Something follows the object.
  bool RefuseBehind(std::string_view record);
  bool RefuseSyntax(JsonCursor::Problem problem, std::string_view record);

  const TypePlan& plan_;
  RecordParserOptions options_;
  SlotWriter out_;
  FastRecordReader plain_;
  JsonIndex index_;
  JsonIndex field_index_;          // of one CSV field that holds JSON
  bool has_nested_extra_ = false;  // a declared struct holds fields that are not declared
  std::vector<std::string_view> map_keys_;
};

}  // namespace playhead::decode
