#include "playhead/iceberg/values.h"

namespace playhead::iceberg {
namespace {

constexpr std::string_view kDefaultPartition = "__HIVE_DEFAULT_PARTITION__";
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;

/// Percent signs for what Hive's FileUtils.escapePathName escapes; other bytes stay.
std::string Escape(std::string_view text) {
  constexpr std::string_view kSpecial = "\"#%'*/:=?\\{[]^\x7F";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || kSpecial.find(c) != std::string_view::npos) {
      escaped += fmt::format("%{:02X}", byte);
    } else {
      escaped += c;
    }
  }
  return escaped;
}

int64_t FloorDivide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

}  // namespace

// The year starts in March here, so that the leap day is its last.
CivilDate DateOf(int64_t days_since_1970) {
  constexpr int64_t kDaysPerEra = 146'097;         // 400 years
  const int64_t days = days_since_1970 + 719'468;  // since 0000-03-01
  const int64_t era = FloorDivide(days, kDaysPerEra);
  const int64_t day_of_era = days - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  const int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  return CivilDate{.year = year_of_era + era * 400 + (month <= 2 ? 1 : 0),
                   .month = month,
                   .day = day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

namespace {

std::string DayText(int64_t days_since_1970) {
  const CivilDate date = DateOf(days_since_1970);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

/// `2026-08-21T05:00:00.000001`
std::string TimestampText(int64_t micros) {
  const int64_t seconds = FloorDivide(micros, kMicrosPerSecond);
  const int64_t days = FloorDivide(seconds, kSecondsPerDay);
  const int64_t second = seconds - days * kSecondsPerDay;
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}", DayText(days), second / 3600,
                                 second / 60 % 60, second % 60);
  const int64_t fraction = micros - seconds * kMicrosPerSecond;
  if (fraction != 0) text += fmt::format(".{:06}", fraction);
  return text;
}

struct ValueText {
  Transform transform;
  TypeKind source;

  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(float value) const { return fmt::format("{}", value); }
  std::string operator()(double value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }

  std::string operator()(int32_t value) const { return IntegerText(value); }
  std::string operator()(int64_t value) const { return IntegerText(value); }

  std::string IntegerText(int64_t value) const {
    switch (transform) {
      case Transform::kYear:
        return fmt::format("{:04}", 1970 + value);
      case Transform::kMonth: {
        const int64_t years = FloorDivide(value, 12);
        return fmt::format("{:04}-{:02}", 1970 + years, value - years * 12 + 1);
      }
      case Transform::kDay:
        return DayText(value);
      case Transform::kHour: {
        const int64_t days = FloorDivide(value, 24);
        return fmt::format("{}-{:02}", DayText(days), value - days * 24);
      }
      case Transform::kIdentity:
        if (source == TypeKind::kDate) return DayText(value);
        if (source == TypeKind::kTimestamp || source == TypeKind::kTimestamptz) {
          return TimestampText(value);
        }
        break;
      default:
        break;
    }
    return fmt::format("{}", value);
  }
};

}  // namespace

std::string HiveFolder(const PartitionField& field, const PartitionValue& value, TypeKind source) {
  const std::string text =
      std::visit(ValueText{.transform = field.transform, .source = source}, value);
  return fmt::format("{}={}", Escape(field.name),
                     text.empty() ? std::string(kDefaultPartition) : Escape(text));
}

}  // namespace playhead::iceberg
