#pragma once

#include "playhead/iceberg/types.h"

#include <string>
#include <string_view>

namespace playhead::iceberg {

/// Binary single-value serialization (spec, Appendix D).
std::string EncodeBool(bool value);
std::string EncodeInt(int32_t value);
std::string EncodeLong(int64_t value);
std::string EncodeFloat(float value);
std::string EncodeDouble(double value);
/// Strings (and the bytes of binary, fixed and uuid) as they are; null is empty.
std::string EncodePartitionValue(const PartitionValue& value);

/// Bounds of strings: at most `code_points` code points. The upper bound of a longer string is the
/// prefix with its last code point incremented, or a shorter prefix where that is the last of all;
/// there is none if no prefix can be incremented or the bytes are not UTF-8.
std::string TruncateLower(std::string_view utf8, int code_points = 16);
std::optional<std::string> TruncateUpper(std::string_view utf8, int code_points = 16);

/// Partition transforms; times before 1970 floor. Micros in, days / hours since 1970 out; hours
/// that an int cannot hold (year 246,000) are clamped.
int32_t DayOf(int64_t micros);
int32_t HourOf(int64_t micros);

/// Proleptic Gregorian; std::chrono's years end at 32767, an int's days do not.
struct CivilDate {
  int64_t year = 0;
  int64_t month = 0;  ///< 1…12
  int64_t day = 0;    ///< 1…31
};
CivilDate DateOf(int64_t days_since_1970);

/// Hive folder `name=value` with Hive's escapes; null and, as in Hive, the empty string →
/// `__HIVE_DEFAULT_PARTITION__`; day → `2026-08-21`, hour → `2026-08-21-05`, month → `2026-08`.
/// `source` is the type of the source column: an identity of a date is written as a date too.
std::string HiveFolder(const PartitionField& field, const PartitionValue& value,
                       TypeKind source = TypeKind::kString);

}  // namespace playhead::iceberg
