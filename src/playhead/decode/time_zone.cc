#include "playhead/decode/time_zone.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

namespace playhead::decode {
namespace {

constexpr int kLastYear = 2500;

struct Transition {
  int64_t utc_s;
  int32_t offset_s;  // from then on
};

/// Big-endian reader that remembers having run out of bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  int64_t Integer(size_t size) {
    std::string_view text = Take(size);
    uint64_t value = 0;
    for (char c : text) value = value << 8 | static_cast<uint8_t>(c);
    if (size == 4) return static_cast<int32_t>(value);
    return static_cast<int64_t>(value);
  }
  std::string_view Take(size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  std::string_view rest() const { return bytes_; }
  bool ok() const { return ok_; }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

struct Header {
  char version = 0;
  size_t utc_flags = 0, standard_flags = 0, leaps = 0, transitions = 0, types = 0, name_bytes = 0;

  size_t DataBytes(size_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * 6 + name_bytes + leaps * (time_bytes + 4) +
           standard_flags + utc_flags;
  }
};

std::optional<Header> ReadHeader(Reader& reader) {
  std::string_view fixed = reader.Take(20);
  if (!reader.ok() || fixed.substr(0, 4) != "TZif") return std::nullopt;
  Header header{.version = fixed[4]};
  for (size_t* count : {&header.utc_flags, &header.standard_flags, &header.leaps,
                        &header.transitions, &header.types, &header.name_bytes}) {
    *count = static_cast<uint32_t>(reader.Integer(4));
  }
  if (!reader.ok() || header.types == 0) return std::nullopt;
  return header;
}

/// The rule in a TZif footer: a POSIX TZ string such as `CET-1CEST,M3.5.0,M10.5.0/3`.
class PosixRule {
 public:
  struct Date {
    char kind = 'M';  // M: month.week.weekday, J: day of year without 29 February, N: with it
    int month = 0, week = 0, weekday = 0, day = 0;
    int64_t time_s = 7200;
  };
  int32_t standard_offset_s = 0;
  bool has_daylight = false;
  int32_t daylight_offset_s = 0;
  Date start, end;

  static std::optional<PosixRule> Parse(std::string_view text) {
    PosixRule rule;
    Cursor cursor{text};
    int64_t seconds = 0;
    if (!cursor.Name() || !cursor.Time(&seconds)) return std::nullopt;
    rule.standard_offset_s = static_cast<int32_t>(-seconds);
    if (cursor.rest.empty()) return rule;
    if (!cursor.Name()) return std::nullopt;
    rule.has_daylight = true;
    rule.daylight_offset_s = rule.standard_offset_s + 3600;
    if (!cursor.rest.empty() && cursor.rest.front() != ',') {
      if (!cursor.Time(&seconds)) return std::nullopt;
      rule.daylight_offset_s = static_cast<int32_t>(-seconds);
    }
    if (!cursor.ParseDate(&rule.start) || !cursor.ParseDate(&rule.end) || !cursor.rest.empty()) {
      return std::nullopt;
    }
    return rule;
  }

  /// Seconds since 1970 of `date` in `year`, in the wall-clock time before the change.
  static int64_t LocalSeconds(const Date& date, int year) {
    using std::chrono::sys_days;
    sys_days day;
    std::chrono::year y{year};
    if (date.kind == 'M') {
      std::chrono::month month{static_cast<unsigned>(date.month)};
      std::chrono::weekday weekday{static_cast<unsigned>(date.weekday)};
      day = date.week == 5 ? sys_days(y / month / weekday[std::chrono::last])
                           : sys_days(y / month / weekday[static_cast<unsigned>(date.week)]);
    } else {
      int days = date.day;
      if (date.kind == 'J') days += date.day > 59 && y.is_leap() ? 0 : -1;
      day = sys_days(y / 1 / 1) + std::chrono::days(days);
    }
    return int64_t{day.time_since_epoch().count()} * 86'400 + date.time_s;
  }

 private:
  struct Cursor {
    std::string_view rest;

    bool Eat(char c) {
      if (rest.empty() || rest.front() != c) return false;
      rest.remove_prefix(1);
      return true;
    }
    bool Name() {
      if (Eat('<')) {
        size_t close = rest.find('>');
        if (close == std::string_view::npos) return false;
        rest.remove_prefix(close + 1);
        return true;
      }
      size_t size = 0;
      while (size < rest.size() && ((rest[size] | 0x20) >= 'a' && (rest[size] | 0x20) <= 'z')) {
        ++size;
      }
      rest.remove_prefix(size);
      return size >= 3;
    }
    bool Number(int* value) {
      *value = 0;
      size_t size = 0;
      while (size < rest.size() && size < 4 && rest[size] >= '0' && rest[size] <= '9') {
        *value = *value * 10 + (rest[size++] - '0');
      }
      rest.remove_prefix(size);
      return size > 0;
    }
    bool Time(int64_t* seconds) {
      bool is_negative = Eat('-');
      if (!is_negative) Eat('+');
      int parts[3] = {0, 0, 0};
      for (int i = 0; i < 3; ++i) {
        if (!Number(&parts[i])) return false;
        if (!Eat(':')) break;
      }
      *seconds = parts[0] * 3600 + parts[1] * 60 + parts[2];
      if (is_negative) *seconds = -*seconds;
      return true;
    }
    bool ParseDate(Date* date) {
      if (!Eat(',')) return false;
      if (Eat('M')) {
        if (!Number(&date->month) || !Eat('.') || !Number(&date->week) || !Eat('.') ||
            !Number(&date->weekday)) {
          return false;
        }
        if (date->month < 1 || date->month > 12 || date->week < 1 || date->week > 5 ||
            date->weekday > 6) {
          return false;
        }
      } else {
        date->kind = Eat('J') ? 'J' : 'N';
        if (!Number(&date->day) || date->day > 366) return false;
      }
      return !Eat('/') || Time(&date->time_s);
    }
  };
};

/// Adds the rule's changes from the year of the last transition on.
void Unroll(const PosixRule& rule, std::vector<Transition>* transitions) {
  int64_t last_s = transitions->empty() ? INT64_MIN : transitions->back().utc_s;
  if (!rule.has_daylight) return;
  int first_year = 1970;
  if (last_s > 0) first_year += static_cast<int>(last_s / (366 * 86'400LL));
  std::vector<Transition> added;
  for (int year = first_year; year <= kLastYear; ++year) {
    added.push_back({PosixRule::LocalSeconds(rule.start, year) - rule.standard_offset_s,
                     rule.daylight_offset_s});
    added.push_back(
        {PosixRule::LocalSeconds(rule.end, year) - rule.daylight_offset_s, rule.standard_offset_s});
  }
  std::sort(added.begin(), added.end(),
            [](const Transition& a, const Transition& b) { return a.utc_s < b.utc_s; });
  for (const Transition& transition : added) {
    if (transition.utc_s > last_s) transitions->push_back(transition);
  }
}

bool IsZoneName(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos) {
    return false;
  }
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
}

}  // namespace

Result<TimeZone> TimeZone::Load(std::string_view name, const std::string& folder) {
  if (name == "UTC") return TimeZone();
  std::string path = folder + "/" + std::string(name);
  std::ifstream file;
  std::error_code ignored;
  if (IsZoneName(name) && std::filesystem::is_regular_file(path, ignored)) {
    file.open(path, std::ios::binary);
  }
  if (!file.is_open()) {
    return Error(StatusCode::kInvalidArgument,
                 "no such time zone; use an IANA name such as Europe/Berlin: timezone={} folder={}",
                 name, folder);
  }
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  auto zone = Parse(bytes);
  if (!zone.ok()) return zone.error().WithContext(fmt::format("timezone={}", name));
  return zone;
}

Result<TimeZone> TimeZone::Parse(std::string_view tzif) {
  Status corrupt(StatusCode::kDataCorrupt, "not a TZif file of version 2 or later");
  Reader reader(tzif);
  auto header = ReadHeader(reader);
  if (!header || header->version < '2') return corrupt;
  // The first block has 32-bit times, for old readers.
  reader.Take(header->DataBytes(4));
  header = ReadHeader(reader);
  if (!header || header->DataBytes(8) > reader.rest().size()) return corrupt;

  std::vector<Transition> transitions(header->transitions);
  for (Transition& transition : transitions) transition.utc_s = reader.Integer(8);
  std::string_view type_of = reader.Take(header->transitions);
  std::vector<int32_t> offset_of_type(header->types);
  for (int32_t& offset : offset_of_type) {
    offset = static_cast<int32_t>(reader.Integer(4));
    reader.Take(2);
  }
  reader.Take(header->name_bytes + header->leaps * 12 + header->standard_flags + header->utc_flags);
  for (size_t i = 0; i < transitions.size(); ++i) {
    auto type = static_cast<uint8_t>(type_of[i]);
    if (type >= offset_of_type.size()) return corrupt;
    transitions[i].offset_s = offset_of_type[type];
  }

  std::string_view footer = reader.rest();
  if (footer.size() >= 2 && footer.front() == '\n' && footer.back() == '\n') {
    footer = footer.substr(1, footer.size() - 2);
    if (!footer.empty()) {
      auto rule = PosixRule::Parse(footer);
      if (!rule) return corrupt;
      Unroll(*rule, &transitions);
    }
  }

  TimeZone zone;
  zone.first_offset_s_ = offset_of_type[0];
  int32_t before_s = zone.first_offset_s_;
  for (const Transition& transition : transitions) {
    // The offset before the change holds for the wall-clock times of a gap and of a repeated hour,
    // so the new one begins after the later of the two readings of the change.
    int64_t local_s = transition.utc_s + std::max(before_s, transition.offset_s);
    if (!zone.switches_.empty()) local_s = std::max(local_s, zone.switches_.back().local_s);
    zone.switches_.push_back({local_s, transition.offset_s});
    before_s = transition.offset_s;
  }
  return zone;
}

int64_t TimeZone::ToUtcSeconds(int64_t local_s) const {
  auto after =
      std::upper_bound(switches_.begin(), switches_.end(), local_s,
                       [](int64_t value, const Switch& change) { return value < change.local_s; });
  int32_t offset_s = after == switches_.begin() ? first_offset_s_ : std::prev(after)->offset_s;
  return local_s - offset_s;
}

}  // namespace playhead::decode
