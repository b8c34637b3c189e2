#pragma once

#include "playhead/sim/truth.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

/// A good event of `streampro` as the questions see it; a repeat is not told twice.
struct AppEvent {
  enum class Kind : uint8_t { kFirstLogin, kSessionStart, kWatchTime, kOther };
  uint32_t user = 0;
  uint32_t session = 0;  ///< a number for each session id
  int64_t time_ms = 0;   ///< no two of a user's events share one
  int32_t genre = -1;    ///< of the video, -1: no video
  int32_t client = 0;    ///< index of (device_os, app_version)
  int64_t quarter_seconds = 0;
  Kind kind = Kind::kOther;
};

struct AppClient {
  std::string_view os;
  std::string_view app_version;
};

/// The answers of projects/streampro/analyses.
std::vector<Answer> StreamproAnswers(std::vector<AppEvent> events,
                                     const std::vector<std::string_view>& genres,
                                     const std::vector<AppClient>& clients);

}  // namespace playhead::sim
