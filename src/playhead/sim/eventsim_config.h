#pragma once

#include "playhead/sim/simulator.h"

#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

struct EventSimConfig {
  SimOptions options;
  std::vector<std::string> ignored_keys;  ///< those that mean nothing here, in name order
};

/// Reads a configuration of EventSim (a JSON object) over `base`: `seed`, `n-users`,
/// `first-user-id`, `start-date`, `end-date`, `growth-rate`, `beta`, `session-gap` mean here what
/// they mean there. With an `end-date` the number of events is not limited.
///
/// Errors: kInvalidArgument (not a JSON object, or a value of one of these keys that is not usable,
/// with its key). Source: the README of Interana's EventSim, "Config File".
Result<EventSimConfig> ReadEventSimConfig(std::string_view json_text, const SimOptions& base);

}  // namespace playhead::sim
