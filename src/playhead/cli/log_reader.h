#pragma once

#include "playhead/base/status.h"
#include "playhead/config/config.h"
#include "playhead/log/log.h"

#include <memory>
#include <string>

namespace playhead::cli {

/// Opens a topic of the target's log, Kafka's or the journal's. Errors: kInvalidArgument
/// (properties).
Result<std::unique_ptr<log::LogReader>> OpenLogReader(const config::ResolvedConfig& config,
                                                      const std::string& topic);

}  // namespace playhead::cli
