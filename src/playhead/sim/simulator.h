#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

/// What only the project `listening` asks for.
struct ListeningOptions {
  int64_t first_user_id = 1;
  int64_t growth_permille_a_year = 300;            ///< listeners who register anew
  int64_t session_interval_ms = 64 * 3'600'000LL;  ///< mean time between a listener's sessions
  int64_t session_gap_ms = 60'000;                 ///< least time between them
};

struct SimOptions {
  int64_t events = 10'000;  ///< records to make in all, faulty and repeated ones too; 0 = no limit
  uint64_t seed = 1;
  int64_t from_us = 0;  ///< first event time; 0 = a fixed day per project
  int64_t to_us = 0;    ///< event times lie before it; 0 = as long as `events` takes
  int32_t users = 0;    ///< 0 = chosen from `events`
  double faults = 0;    ///< share of records made faulty, 0–1
  ListeningOptions listening = {};
};

/// Receives one generated record of a stream. The view lives for the call.
using Sink = std::function<Status(std::string_view stream, std::string_view record)>;

/// Makes believable events of one project and knows the truth about them. The same options give the
/// same bytes on every machine, however the calls are cut. Threads: one at a time.
class Simulator {
 public:
  virtual ~Simulator() = default;
  /// Streams of this project that are event streams (JSON records), in name order.
  virtual std::vector<std::string> streams() const = 0;
  /// Makes up to `count` more records of `stream` (empty: of all streams, in order of arrival);
  /// returns how many were made, 0 at the end. What other streams hold meanwhile is passed over, so
  /// all calls name the same stream. Errors: kNotFound (no such stream), kInvalidArgument (another
  /// than before), and the sink's own: its record is neither in the truth nor lost, the next call
  /// begins with it.
  virtual Result<int64_t> Generate(std::string_view stream, int64_t count, const Sink& sink) = 0;
  /// Writes this project's landing files (csv, json arrays, …) below `folder`; OK and nothing when
  /// the project has none. Errors: kUnavailable, kResourceExhausted (disk full).
  virtual Status WriteLandingFiles(const std::string& folder) = 0;
  /// What was made so far, as a JSON object described in docs/reference/simulate.md: records per
  /// stream and partition, faults per kind, and the answers of the project's questions computed
  /// while making them.
  virtual std::string TruthJson() const = 0;
};

/// Errors: kNotFound lists the projects that have a simulator; kInvalidArgument names the option.
Result<std::unique_ptr<Simulator>> MakeSimulator(std::string_view project,
                                                 const SimOptions& options);

}  // namespace playhead::sim
