#include "playhead/sim/eventsim_config.h"

#include "playhead/sim/calendar.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace playhead::sim {
namespace {

using Json = nlohmann::json;

std::optional<int> Digits(std::string_view text, size_t begin, size_t count) {
  if (text.size() < begin + count) return std::nullopt;
  int value = 0;
  const char* first = text.data() + begin;
  const auto [end, error] = std::from_chars(first, first + count, value);
  if (error != std::errc() || end != first + count || *first == '-') return std::nullopt;
  return value;
}

// "2015-08-05", "2015-08-05T14:56:25", also with a fraction, which is dropped, or with Z.
std::optional<int64_t> ParseUtcMicros(std::string_view text) {
  const auto year = Digits(text, 0, 4);
  const auto month = Digits(text, 5, 2);
  const auto day = Digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  int64_t time_ms = DayNumber(*year, *month, *day) * kMillisPerDay;
  if (DateText(DayOf(time_ms)) != text.substr(0, 10)) return std::nullopt;  // 30 February
  if (text.size() == 10) return time_ms * 1000;
  const auto hour = Digits(text, 11, 2);
  const auto minute = Digits(text, 14, 2);
  const auto second = Digits(text, 17, 2);
  if (!hour || !minute || !second || text[10] != 'T' || text[13] != ':' || text[16] != ':' ||
      *hour > 23 || *minute > 59 || *second > 59) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(19);
  if (rest.starts_with('.')) {
    rest.remove_prefix(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
  }
  if (!rest.empty() && rest != "Z") return std::nullopt;
  time_ms += *hour * kMillisPerHour + *minute * kMillisPerMinute + *second * kMillisPerSecond;
  return time_ms * 1000;
}

Status Unusable(std::string_view key, std::string_view expected, const Json& value) {
  return Error(StatusCode::kInvalidArgument, "unusable value: key={} expected={} value={}", key,
               expected, value.dump());
}

Status ReadWhole(const std::string& key, const Json& value, int64_t min, int64_t max,
                 int64_t& number) {
  if (!value.is_number_integer() || value.get<double>() < static_cast<double>(min) ||
      value.get<double>() > static_cast<double>(max)) {
    return Unusable(key, fmt::format("a whole number from {} to {}", min, max), value);
  }
  number = value.get<int64_t>();
  return OkStatus();
}

// A decimal number from 0 as a whole number of 1/`parts`.
Status ReadParts(const std::string& key, const Json& value, double max, double parts,
                 int64_t& number) {
  if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() <= max)) {
    return Unusable(key, fmt::format("a number from 0 to {}", max), value);
  }
  number = std::llround(value.get<double>() * parts);
  return OkStatus();
}

Status ReadTime(const std::string& key, const Json& value, int64_t& time_us) {
  const std::optional<int64_t> parsed =
      value.is_string() ? ParseUtcMicros(value.get_ref<const std::string&>()) : std::nullopt;
  if (!parsed) return Unusable(key, "a date or time in ISO 8601, UTC", value);
  time_us = *parsed;
  return OkStatus();
}

constexpr double kYearSeconds = 365.0 * 86'400;

// False: the key means nothing here.
Result<bool> ReadKey(const std::string& key, const Json& value, SimOptions& options) {
  int64_t number = 0;
  ListeningOptions& listening = options.listening;
  if (key == "seed") {
    PH_RETURN_IF_ERROR(ReadWhole(key, value, 0, INT64_MAX, number));
    options.seed = static_cast<uint64_t>(number);
  } else if (key == "n-users") {
    PH_RETURN_IF_ERROR(ReadWhole(key, value, 1, 100'000'000, number));
    options.users = static_cast<int32_t>(number);
  } else if (key == "first-user-id") {
    PH_RETURN_IF_ERROR(ReadWhole(key, value, 0, int64_t{1} << 53, listening.first_user_id));
  } else if (key == "start-date") {
    PH_RETURN_IF_ERROR(ReadTime(key, value, options.from_us));
  } else if (key == "end-date") {
    PH_RETURN_IF_ERROR(ReadTime(key, value, options.to_us));
    options.events = 0;
  } else if (key == "growth-rate") {
    PH_RETURN_IF_ERROR(ReadParts(key, value, 1000, 1000, listening.growth_permille_a_year));
  } else if (key == "beta") {
    PH_RETURN_IF_ERROR(
        ReadParts(key, value, kYearSeconds, kMillisPerSecond, listening.session_interval_ms));
  } else if (key == "session-gap") {
    PH_RETURN_IF_ERROR(
        ReadParts(key, value, kYearSeconds, kMillisPerSecond, listening.session_gap_ms));
  } else {
    return false;
  }
  return true;
}

}  // namespace

Result<EventSimConfig> ReadEventSimConfig(std::string_view json_text, const SimOptions& base) {
  const Json config = Json::parse(json_text, nullptr, false);
  if (!config.is_object()) {
    return Error(StatusCode::kInvalidArgument, "EventSim configuration is not a JSON object");
  }
  EventSimConfig result{.options = base, .ignored_keys = {}};
  for (const auto& [key, value] : config.items()) {
    PH_ASSIGN_OR_RETURN(const bool is_known, ReadKey(key, value, result.options));
    if (!is_known) result.ignored_keys.push_back(key);
  }
  return result;
}

}  // namespace playhead::sim
