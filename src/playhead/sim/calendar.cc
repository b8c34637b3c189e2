#include "playhead/sim/calendar.h"

#include "playhead/sim/json_text.h"

#include <algorithm>
#include <chrono>

namespace playhead::sim {
namespace {

constexpr int64_t kMillisPerWeek = 7 * kMillisPerDay;
constexpr int64_t kFirstMondayMs = 4 * kMillisPerDay;  // 1970-01-05

// Share of the day's sessions by hour of the day, in percent of the mean hour.
constexpr int64_t kHourWeights[24] = {52, 30, 18, 12, 10,  14,  28,  52,  68,  70,  74,  84,
                                      98, 94, 86, 90, 104, 128, 164, 214, 262, 270, 228, 150};
// Monday to Sunday.
constexpr int64_t kDayWeights[7] = {92, 90, 93, 96, 112, 128, 121};

std::chrono::year_month_day CivilDate(int64_t day_number) {
  return std::chrono::sys_days(std::chrono::days(day_number));
}

int64_t FloorDivide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

void AppendTwo(int64_t value, std::string& text) {
  text.push_back(static_cast<char>('0' + value / 10));
  text.push_back(static_cast<char>('0' + value % 10));
}

}  // namespace

int64_t DayNumber(int year, int month, int day) {
  return std::chrono::sys_days(std::chrono::year(year) / month / day).time_since_epoch().count();
}

int64_t DayOf(int64_t time_ms) { return FloorDivide(time_ms, kMillisPerDay); }

int YearOf(int64_t day_number) { return static_cast<int>(CivilDate(day_number).year()); }

std::string DateText(int64_t day_number) {
  const auto date = CivilDate(day_number);
  std::string text;
  AppendPadded(static_cast<int>(date.year()), 4, text);
  text.push_back('-');
  AppendTwo(static_cast<unsigned>(date.month()), text);
  text.push_back('-');
  AppendTwo(static_cast<unsigned>(date.day()), text);
  return text;
}

void TimestampText::Append(int64_t time_ms, std::string& text) {
  const int64_t local_ms = time_ms + offset_ms_;
  const int64_t day = DayOf(local_ms);
  if (day != day_) {
    day_ = day;
    date_ = DateText(day) + separator_;
  }
  const int64_t of_day = local_ms - day * kMillisPerDay;
  text.append(date_);
  AppendTwo(of_day / kMillisPerHour, text);
  text.push_back(':');
  AppendTwo(of_day / kMillisPerMinute % 60, text);
  text.push_back(':');
  AppendTwo(of_day / kMillisPerSecond % 60, text);
  text.push_back('.');
  AppendPadded(of_day % kMillisPerSecond, 3, text);
  text.append(suffix_);
}

WeeklyCurve::WeeklyCurve() {
  before_[0] = 0;
  for (int hour = 0; hour < kHours; ++hour) {
    weight_[hour] = kHourWeights[hour % 24] * kDayWeights[hour / 24] / 100;
    before_[hour + 1] = before_[hour] + weight_[hour] * kMillisPerHour;
  }
}

int64_t WeeklyCurve::Activity(int64_t time_ms) const {
  const int64_t since_monday = time_ms - kFirstMondayMs;
  const int64_t week = FloorDivide(since_monday, kMillisPerWeek);
  const int64_t of_week = since_monday - week * kMillisPerWeek;
  const int64_t hour = of_week / kMillisPerHour;
  return week * before_[kHours] + before_[hour] + weight_[hour] * (of_week % kMillisPerHour);
}

int64_t WeeklyCurve::TimeOf(int64_t activity) const {
  const int64_t week = FloorDivide(activity, before_[kHours]);
  const int64_t of_week = activity - week * before_[kHours];
  const auto next = std::upper_bound(before_.begin(), before_.end(), of_week);
  const int64_t hour = next - before_.begin() - 1;
  return kFirstMondayMs + week * kMillisPerWeek + hour * kMillisPerHour +
         (of_week - before_[hour]) / weight_[hour];
}

int64_t WeeklyCurve::After(int64_t from_ms, int64_t mean_ms) const {
  return TimeOf(Activity(from_ms) + mean_ms * MeanWeight());
}

int64_t WeeklyCurve::Stretch(int64_t time_ms, int64_t mean_gap) const {
  const int64_t hours = FloorDivide(time_ms - kFirstMondayMs, kMillisPerHour);
  const int64_t hour = hours - FloorDivide(hours, kHours) * kHours;
  return mean_gap * MeanWeight() / weight_[hour];
}

int64_t WeeklyCurve::Divide(int64_t begin_ms, int64_t end_ms, int64_t part, int64_t whole) const {
  const int64_t begin = Activity(begin_ms);
  const int64_t span = Activity(end_ms) - begin;
  // Whole and rest apart: span times part does not fit 64 bits.
  return TimeOf(begin + span / whole * part + span % whole * part / whole);
}

}  // namespace playhead::sim
