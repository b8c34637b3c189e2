#pragma once

#include "playhead/sim/event_stream.h"

#include <memory>

namespace playhead::sim {

/// Viewers of the project `content`: stream `media_events`.
///
/// A viewer comes back after a while of the weekly curve's clock and has one session at a time:
///
///     session: { [ad: play … stop]  work: play { pause play } stop }  once or more
///
/// Between play and the next event the position advances by exactly the time that passes; while
/// paused it stands. It never passes the duration, and every stop has a play before it in its
/// session. A stop short of the end may be picked up from there in the next session. An end cut off
/// by `events` or `to_us` leaves sessions open.
///
/// Size     `users` 0: so many that `events` take three days (or `from_us` to `to_us`).
/// Start    2025-03-03 00:00 UTC, a Monday, unless `from_us` says otherwise.
/// Memory   about 600 bytes a user.
std::unique_ptr<EventSource> MakeContentSource(const SimOptions& options);

}  // namespace playhead::sim
