#include "playhead/decode/time_text.h"

#include <chrono>

namespace playhead::decode {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int kOffsetMaxMinutes = 18 * 60;

/// What a text says, before any zone is applied.
struct WrittenTime {
  int32_t days = 0;  // since 1970
  int32_t second_of_day = 0;
  int32_t micros = 0;
  bool has_offset = false;
  int32_t offset_s = 0;
};

/// Two digits at `p`, or a negative number.
inline int TwoDigits(const char* p) {
  auto tens = static_cast<unsigned>(p[0] - '0');
  auto ones = static_cast<unsigned>(p[1] - '0');
  return tens > 9 || ones > 9 ? -1 : static_cast<int>(tens * 10 + ones);
}

/// Reads what stands after the date. `is_in_range` turns false for impossible hours and the like.
class TimeOfDay {
 public:
  TimeOfDay(std::string_view text, WrittenTime* out)
      : p_(text.data()), end_(p_ + text.size()), out_(out) {}

  bool is_in_range() const { return is_in_range_; }

  bool Parse() {
    if (end_ - p_ < 6 || (*p_ != 'T' && *p_ != ' ' && *p_ != 't') || p_[3] != ':') return false;
    int hour = TwoDigits(p_ + 1);
    int minute = TwoDigits(p_ + 4);
    int second = 0;
    if (hour < 0 || minute < 0) return false;
    p_ += 6;
    if (p_ != end_ && *p_ == ':') {
      if (end_ - p_ < 3) return false;
      second = TwoDigits(p_ + 1);
      if (second < 0) return false;
      p_ += 3;
      if (p_ != end_ && (*p_ == '.' || *p_ == ',') && !Fraction()) return false;
    }
    is_in_range_ = hour < 24 && minute < 60 && second <= 60;
    out_->second_of_day = hour * 3600 + minute * 60 + second;
    return p_ == end_ || Offset();
  }

 private:
  bool Fraction() {
    const char* begin = ++p_;
    int32_t micros = 0;
    for (; p_ != end_ && *p_ >= '0' && *p_ <= '9'; ++p_) {
      if (p_ - begin < 6) micros = micros * 10 + (*p_ - '0');
    }
    auto digits = p_ - begin;
    if (digits < 1 || digits > 9) return false;
    for (auto i = digits; i < 6; ++i) micros *= 10;
    out_->micros = micros;
    return true;
  }

  bool Offset() {
    out_->has_offset = true;
    if (*p_ == ' ') ++p_;
    std::string_view rest(p_, static_cast<size_t>(end_ - p_));
    if (rest == "Z" || rest == "z" || rest == "UTC") return true;
    if (rest.size() < 3 || (rest[0] != '+' && rest[0] != '-')) return false;
    int hours = TwoDigits(&rest[1]);
    int minutes = 0;
    if (rest.size() == 5) {
      minutes = TwoDigits(&rest[3]);
    } else if (rest.size() == 6 && rest[3] == ':') {
      minutes = TwoDigits(&rest[4]);
    } else if (rest.size() != 3) {
      return false;
    }
    if (hours < 0 || minutes < 0) return false;
    int total = hours * 60 + minutes;
    if (minutes > 59 || total > kOffsetMaxMinutes) is_in_range_ = false;
    out_->offset_s = (rest[0] == '-' ? -total : total) * 60;
    return true;
  }

  const char* p_;
  const char* end_;
  WrittenTime* out_;
  bool is_in_range_ = true;
};

TimeOutcome Parse(std::string_view text, WrittenTime* out) {
  if (text.size() < 10 || text[4] != '-' || text[7] != '-') return TimeOutcome::kNotATime;
  int century = TwoDigits(&text[0]);
  int year = TwoDigits(&text[2]);
  int month = TwoDigits(&text[5]);
  int day = TwoDigits(&text[8]);
  if (century < 0 || year < 0 || month < 0 || day < 0) return TimeOutcome::kNotATime;
  bool is_in_range = true;
  if (text.size() > 10) {
    TimeOfDay time(text.substr(10), out);
    if (!time.Parse()) return TimeOutcome::kNotATime;
    is_in_range = time.is_in_range();
  }
  std::chrono::year_month_day date{std::chrono::year(century * 100 + year),
                                   std::chrono::month(static_cast<unsigned>(month)),
                                   std::chrono::day(static_cast<unsigned>(day))};
  if (!is_in_range || !date.ok() || century * 100 + year < 1) return TimeOutcome::kOutOfRange;
  out->days = std::chrono::sys_days(date).time_since_epoch().count();
  return TimeOutcome::kGood;
}

}  // namespace

TimeOutcome ParseTime(std::string_view text, const TimeZone& zone, int64_t* micros) {
  WrittenTime written;
  TimeOutcome outcome = Parse(text, &written);
  if (outcome != TimeOutcome::kGood) return outcome;
  int64_t seconds = int64_t{written.days} * 86'400 + written.second_of_day;
  seconds = written.has_offset ? seconds - written.offset_s
            : zone.is_utc()    ? seconds
                               : zone.ToUtcSeconds(seconds);
  *micros = seconds * kMicrosPerSecond + written.micros;
  return TimeOutcome::kGood;
}

TimeOutcome ParseDate(std::string_view text, int32_t* days) {
  WrittenTime written;
  TimeOutcome outcome = Parse(text, &written);
  if (outcome == TimeOutcome::kGood) *days = written.days;
  return outcome;
}

}  // namespace playhead::decode
