#include "playhead/decode/time_text.h"

#include <bit>
#include <chrono>
#include <cstring>

namespace playhead::decode {
namespace {

constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int kOffsetMaxMinutes = 18 * 60;
constexpr int64_t kFirstSecond = -62'135'596'800;  // of the year 1
constexpr int64_t kLastSecond = 253'402'300'799;   // of the year 9999

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

/// Eight characters of which some have to be digits and the others exactly those of a pattern, all
/// at once. `pattern` has a 0 for each digit.
class EightCharacters {
 public:
  EightCharacters(const char* p, const char (&pattern)[9]) {
    uint64_t wanted = 0;
    std::memcpy(&values_, p, 8);
    std::memcpy(&wanted, pattern, 8);
    // A digit becomes its value and any other wanted character zero.
    values_ ^= wanted;
    uint64_t limits = 0;
    for (int i = 0; i < 8; ++i) {
      // What is added to a byte sets its highest bit if the byte is beyond 9, or else beyond 0.
      const uint64_t limit = pattern[i] == '0' ? 0x76 : 0x7F;
      limits |= limit << 8 * i;
    }
    constexpr uint64_t kHighest = 0x8080808080808080;
    is_good_ = ((values_ | (values_ + limits)) & kHighest) == 0;
    pairs_ = values_ * 10 + (values_ >> 8);
  }

  bool is_good() const { return is_good_; }
  unsigned Digit(int i) const { return values_ >> 8 * i & 0xFF; }
  unsigned TwoDigits(int i) const { return pairs_ >> 8 * i & 0xFF; }

 private:
  uint64_t values_ = 0;
  uint64_t pairs_ = 0;  // each byte with the one behind it
  bool is_good_ = false;
};

/// Reads `YYYY-MM-DDThh:mm:ss.mmmZ`, or the same without the fraction, as most writers have it.
/// False if the text is anything else, also if there is no such time.
bool ParseCommonTime(std::string_view text, int64_t* micros) {
  constexpr size_t kWholeSize = 20;
  constexpr size_t kMillisSize = 24;
  if constexpr (std::endian::native != std::endian::little) return false;
  if (text.size() != kMillisSize && text.size() != kWholeSize) return false;
  const char* p = text.data();
  const EightCharacters date(p, "0000-00-");
  const EightCharacters time(p + 8, "00T00:00");
  int64_t second = 0;
  int64_t millis = 0;
  bool is_good = date.is_good() && time.is_good();
  if (text.size() == kMillisSize) {
    const EightCharacters rest(p + 16, ":00.000Z");
    is_good = is_good && rest.is_good();
    second = rest.TwoDigits(1);
    millis = int64_t{rest.Digit(4)} * 100 + rest.TwoDigits(5);
  } else {
    const EightCharacters rest(p + 12, "0:00:00Z");
    is_good = is_good && rest.is_good();
    second = rest.TwoDigits(5);
  }
  const int64_t hour = time.TwoDigits(3);
  const int64_t minute = time.TwoDigits(6);
  const unsigned year = date.TwoDigits(0) * 100 + date.TwoDigits(2);
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(year)),
                                        std::chrono::month(date.TwoDigits(5)),
                                        std::chrono::day(time.TwoDigits(0))};
  if (!is_good || hour > 23 || minute > 59 || second > 59 || year < 1 || !day.ok()) return false;
  const int64_t days = std::chrono::sys_days(day).time_since_epoch().count();
  const int64_t seconds = days * 86'400 + hour * 3600 + minute * 60 + second;
  *micros = seconds * kMicrosPerSecond + millis * 1000;
  return true;
}

}  // namespace

TimeOutcome ParseTime(std::string_view text, const TimeZone& zone, int64_t* micros) {
  if (ParseCommonTime(text, micros)) return TimeOutcome::kGood;
  WrittenTime written;
  TimeOutcome outcome = Parse(text, &written);
  if (outcome != TimeOutcome::kGood) return outcome;
  int64_t seconds = int64_t{written.days} * 86'400 + written.second_of_day;
  seconds = written.has_offset ? seconds - written.offset_s
            : zone.is_utc()    ? seconds
                               : zone.ToUtcSeconds(seconds);
  // The offset may have moved it out of the years that readers know.
  if (seconds < kFirstSecond || seconds > kLastSecond) return TimeOutcome::kOutOfRange;
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
