#include "playhead/decode/time_zone.h"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <algorithm>
#include <iterator>

namespace playhead::decode {
namespace {

constexpr int64_t kYearLast = 2400;

}  // namespace

Result<TimeZone> TimeZone::Load(std::string_view name) {
  TimeZone zone;
  if (name == "UTC") return zone;
  absl::TimeZone loaded;
  if (!absl::LoadTimeZone({name.data(), name.size()}, &loaded)) {
    return Error(StatusCode::kInvalidArgument,
                 "no such time zone; use an IANA name such as Europe/Berlin: timezone={}", name);
  }
  absl::Time time = absl::FromCivil(absl::CivilSecond(1), absl::UTCTimeZone());
  zone.first_offset_s_ = loaded.At(time).offset;
  absl::TimeZone::CivilTransition change;
  while (loaded.NextTransition(time, &change) && change.to.year() < kYearLast) {
    time = loaded.At(change.to).trans;
    // The offset before the change holds for the wall-clock times of a gap and of a repeated hour,
    // so the new one begins after the later of the two readings of the change.
    zone.switches_.push_back(
        {std::max(change.from, change.to) - absl::CivilSecond(), loaded.At(time).offset});
  }
  return zone;
}

int64_t TimeZone::ToUtcSeconds(int64_t local_s) const {
  const auto after = std::ranges::upper_bound(switches_, local_s, {}, &Switch::local_s);
  const int32_t offset_s =
      after == switches_.begin() ? first_offset_s_ : std::prev(after)->offset_s;
  return local_s - offset_s;
}

}  // namespace playhead::decode
