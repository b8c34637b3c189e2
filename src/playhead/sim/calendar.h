#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace playhead::sim {

inline constexpr int64_t kMillisPerSecond = 1000;
inline constexpr int64_t kMillisPerMinute = 60 * kMillisPerSecond;
inline constexpr int64_t kMillisPerHour = 60 * kMillisPerMinute;
inline constexpr int64_t kMillisPerDay = 24 * kMillisPerHour;

/// Days since 1970-01-01 of a date of the Gregorian calendar.
int64_t DayNumber(int year, int month, int day);
/// Days since 1970-01-01 of the UTC day of an instant, before 1970 too.
int64_t DayOf(int64_t time_ms);
/// The calendar year of a day.
int YearOf(int64_t day_number);
/// "2025-03-03".
std::string DateText(int64_t day_number);

/// Appends instants as ISO 8601 with milliseconds and a fixed offset, `2025-03-03T19:04:11.042Z` by
/// default; remembers the last day, since neighbours mostly share it.
class TimestampText {
 public:
  /// `suffix` is the text of the offset, `separator` stands between date and time.
  explicit TimestampText(int offset_hours = 0, std::string_view suffix = "Z", char separator = 'T')
      : offset_ms_(offset_hours * kMillisPerHour), suffix_(suffix), separator_(separator) {}
  void Append(int64_t time_ms, std::string& text);

 private:
  int64_t offset_ms_;
  std::string suffix_;
  char separator_;
  int64_t day_ = INT64_MIN;
  std::string date_;
};

/// How busy people are through the hours of a week: quiet nights, full evenings, fuller weekends.
/// A weighted clock: in a busy hour more of it passes than in a quiet one.
class WeeklyCurve {
 public:
  WeeklyCurve();

  /// The instant by which `mean_ms` of an average week's activity have passed since `from_ms`.
  int64_t After(int64_t from_ms, int64_t mean_ms) const;
  /// The activity of [begin, end) as the time it takes in an average week.
  int64_t MeanTime(int64_t begin_ms, int64_t end_ms) const {
    return (Activity(end_ms) - Activity(begin_ms)) / MeanWeight();
  }
  /// A gap of an average hour, as long as it is in the hour of `time_ms`: long at night.
  int64_t Stretch(int64_t time_ms, int64_t mean_gap) const;
  /// The instant that divides [begin, end) so that `part` of `whole` of its activity lies before.
  int64_t Divide(int64_t begin_ms, int64_t end_ms, int64_t part, int64_t whole) const;

 private:
  int64_t MeanWeight() const { return before_[kHours] / (kHours * kMillisPerHour); }
  int64_t Activity(int64_t time_ms) const;
  int64_t TimeOf(int64_t activity) const;

  static constexpr int kHours = 168;
  std::array<int64_t, kHours> weight_;
  std::array<int64_t, kHours + 1> before_;  // activity from Monday 00:00 to the hour's start
};

}  // namespace playhead::sim
