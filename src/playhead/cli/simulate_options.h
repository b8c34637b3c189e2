#pragma once

#include "playhead/base/status.h"
#include "playhead/sim/simulator.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::cli {

/// What the flags of `playhead simulate` say about the events themselves; those not given are
/// empty.
struct SimulateFlags {
  std::optional<int64_t> events;
  std::optional<uint64_t> seed;
  std::optional<int32_t> users;
  std::optional<std::string> from;
  std::optional<std::string> to_time;
  std::optional<double> rate;
  double faults = 0;
  std::optional<std::string> eventsim_text;  ///< content of the file
};

struct SimulateOptions {
  sim::SimOptions sim;
  std::vector<std::string> ignored_keys;  ///< of the EventSim configuration
};

/// Flags over the EventSim configuration over the defaults. Without --events a span (--to-time, or
/// an `end-date`) is filled, however many events that takes.
///
/// Errors: kInvalidArgument (a flag that means nothing for this project, a time that cannot be
/// read, an empty span, or one whose events the lake would refuse for their time; an unusable
/// configuration).
Result<SimulateOptions> ReadSimulateFlags(const SimulateFlags& flags, std::string_view project,
                                          int64_t now_us);

}  // namespace playhead::cli
