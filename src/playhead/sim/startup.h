#pragma once

#include "playhead/sim/simulator.h"

#include <memory>

namespace playhead::sim {

/// One December of the project `startup` as landing files:
///
///     internal/users.csv  movies.csv  streams.csv     vendor/authors.json  books.json reviews.json
///
/// `events` is the number of streams; users, movies and the vendor's dumps follow from it. The
/// month is that of 2021, or of the year in which `from_us` lies, on the clock of UTC+1; `users`
/// and `to_us` mean nothing here. There are no event streams. Faults are in streams.csv only:
/// `duplicate`, `ragged_line`, `wrong_type`, `missing_field`, `out_of_range`.
///
/// Memory   does not grow with `events` but for users (80 bytes) and a table of sizes (15 MB).
/// Errors   of WriteLandingFiles: kResourceExhausted (disk full), kUnavailable. It may be called
/// again.
std::unique_ptr<Simulator> MakeStartupSimulator(const SimOptions& options);

}  // namespace playhead::sim
