#pragma once

#include "playhead/sim/simulator.h"

#include <memory>

namespace playhead::sim {

/// Some days of the short-video app `streampro` as dated landing files, one set a day on which
/// events arrived:
///
///     events_DATE.jsonl   users_DATE.csv   videos_DATE.csv   devices_DATE.csv
///
///     session:  first_login (a new user's first session), session_start,
///               videos: watch_time every few seconds, now and then like, heart, share, comment
///               session_end, unless the app was killed
///
/// `events` is the number of events; two of five users are known from before the first day, the
/// others sign up in its course, and each file of users holds those who had by then. A session that
/// is given up has less than ten seconds of watch time; with Android and app version 4.2.0 that
/// happens often enough to be found. Values are multiples of a quarter of a second, so that sums
/// are exact. A late record stands in the file of the day on which it arrives. Faults are in events
/// only. There are no event streams.
///
/// Size     `users` 0: so many that `events` take five days (or `from_us` to `to_us`).
/// Start    2025-09-08 00:00 UTC unless `from_us` says otherwise.
/// Memory   40 bytes an event, since the questions are about each user's first session.
/// Errors   of WriteLandingFiles: kResourceExhausted (disk full), kUnavailable. It may be called
/// again.
std::unique_ptr<Simulator> MakeStreamproSimulator(const SimOptions& options);

}  // namespace playhead::sim
