#pragma once

#include "playhead/sim/random.h"

#include <cmath>
#include <string>
#include <string_view>

namespace playhead::sim {

/// What can go wrong with a record between the player and the lake.
enum class Fault {
  kNone,
  kLate,          ///< late: arrives minutes to a day after its neighbours
  kDuplicate,     ///< duplicate: the same bytes once more, some time later
  kMalformed,     ///< malformed: cut off, not UTF-8, not JSON, or JSON that is no object
  kWrongType,     ///< wrong_type: text where a number belongs
  kMissingField,  ///< missing_field: a required field absent or null
  kOutOfRange,    ///< out_of_range: an event time before 2000 or far in the future
  kUnknownField,  ///< unknown_field: fields that no column is declared for
  kNumberAsText,  ///< number_as_text: a number in quotes, which a number column accepts
};
std::string_view FaultName(Fault fault);

/// The fields of a stream's records by which faults are made. Each stands in every record.
struct FaultFields {
  std::string_view text;            ///< any string
  std::string_view required;        ///< a column with not_null
  std::string_view number;          ///< a BIGINT or DOUBLE column
  std::string_view time;            ///< the event_time column
  std::string_view time_too_early;  ///< JSON value before 2000-01-01
  std::string_view time_too_late;   ///< JSON value more than two days ahead
};

/// A share of records as a number of kFaultShareUnits, so that who is faulty is an integer draw.
inline constexpr uint64_t kFaultShareUnits = 100'000;
inline uint64_t FaultShare(double share) {
  return static_cast<uint64_t>(std::llround(share * kFaultShareUnits));
}

/// Draws the kind of one faulty record.
Fault DrawFault(Random& random);

/// Changes one record, a JSON object on one line, into what the fault makes of it. Returns the
/// `_reason` its dead letter must carry, empty if the lake must keep it as a good row. Late and
/// duplicate records are not changed.
std::string_view ApplyFault(Fault fault, const FaultFields& fields, Random& random,
                            std::string& record);

}  // namespace playhead::sim
