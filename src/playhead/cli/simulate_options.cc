#include "playhead/cli/simulate_options.h"

#include "playhead/decode/time_text.h"
#include "playhead/sim/eventsim_config.h"

#include <utility>

namespace playhead::cli {
namespace {

constexpr int64_t kMicrosPerDay = 86'400LL * 1'000'000;
// Bronze takes event times from 2000-01-01 to two days ahead (docs/formats/decode.md).
constexpr int64_t kFirstEventTimeUs = 946'684'800LL * 1'000'000;
constexpr int64_t kEventTimeAheadUs = 2 * kMicrosPerDay;

Status Meaningless(std::string_view flag, std::string_view project, std::string_view why) {
  return Error(StatusCode::kInvalidArgument, "{} means nothing for the project {}: {}", flag,
               project, why);
}

/// Flags that a project's simulator would not look at are refused, not ignored.
Status CheckProject(const SimulateFlags& flags, std::string_view project) {
  const bool is_startup = project == "startup";
  if (flags.eventsim_text && project != "listening") {
    return Meaningless("--eventsim", project, "EventSim knows listeners only, project listening");
  }
  if (flags.users && (is_startup || project == "campaigns")) {
    return Meaningless("--users", project,
                       is_startup ? "its users follow from --events" : "its views have no users");
  }
  if (flags.to_time && is_startup) {
    return Meaningless("--to-time", project, "its files are of one December; --from says which");
  }
  if (flags.rate && (is_startup || project == "streampro")) {
    return Meaningless("--rate", project, "it consists of files");
  }
  if (flags.events == 0 && !flags.to_time && (is_startup || project == "streampro")) {
    return Error(StatusCode::kInvalidArgument,
                 "--events 0 has no end, files must have one: give {}",
                 is_startup ? "a number" : "a number or --to-time");
  }
  return OkStatus();
}

Status ReadTime(std::string_view flag, const std::optional<std::string>& text, int64_t& time_us) {
  if (!text) return OkStatus();
  if (decode::ParseTime(*text, decode::TimeZone(), &time_us) == decode::TimeOutcome::kGood) {
    return OkStatus();
  }
  return Error(StatusCode::kInvalidArgument,
               "{} {}: expected a date or time such as 2025-09-08 or 2025-09-08T20:00:00+02:00 "
               "(without an offset UTC)",
               flag, *text);
}

Status CheckSpan(const sim::SimOptions& options, int64_t now_us) {
  if (options.from_us != 0 && options.from_us < kFirstEventTimeUs) {
    return Error(StatusCode::kInvalidArgument,
                 "--from lies before 2000-01-01, where the lake takes no event times");
  }
  const int64_t last_us = now_us + kEventTimeAheadUs;
  if (options.from_us >= last_us || options.to_us > last_us) {
    return Error(StatusCode::kInvalidArgument,
                 "{} lies more than two days ahead, where the lake takes no event times",
                 options.from_us >= last_us ? "--from" : "--to-time");
  }
  if (options.to_us != 0 && options.to_us <= options.from_us) {
    return Error(StatusCode::kInvalidArgument, "--to-time does not lie after --from");
  }
  return OkStatus();
}

}  // namespace

Result<SimulateOptions> ReadSimulateFlags(const SimulateFlags& flags, std::string_view project,
                                          int64_t now_us) {
  PH_RETURN_IF_ERROR(CheckProject(flags, project));
  SimulateOptions result;
  sim::SimOptions& options = result.sim;
  options.faults = flags.faults;
  if (flags.eventsim_text) {
    auto config = sim::ReadEventSimConfig(*flags.eventsim_text, options);
    if (!config.ok()) return config.error().WithContext("--eventsim");
    options = config->options;
    result.ignored_keys = std::move(config->ignored_keys);
  }
  PH_RETURN_IF_ERROR(ReadTime("--from", flags.from, options.from_us));
  PH_RETURN_IF_ERROR(ReadTime("--to-time", flags.to_time, options.to_us));
  PH_RETURN_IF_ERROR(CheckSpan(options, now_us));
  if (flags.seed) options.seed = *flags.seed;
  if (flags.users) options.users = *flags.users;
  if (flags.to_time) options.events = 0;
  if (flags.events) options.events = *flags.events;
  return result;
}

}  // namespace playhead::cli
