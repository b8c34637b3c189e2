#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/metrics.h"
#include "playhead/base/status.h"
#include "playhead/decode/row_schema.h"
#include "playhead/log/journal.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::collector {

/// A stream that events may be sent to.
struct CollectorStream {
  std::string name;   ///< in `POST /v1/events/{stream}`
  std::string topic;  ///< of the log it is fed by
  std::shared_ptr<const decode::RowSchema> schema;
};

/// One thing without which `/readyz` says no. `check` is called for each request and must not
/// block.
struct ReadinessCheck {
  std::string name;
  std::function<Status()> check;
};

/// The settings `collector.<field>` and `listen`.
struct CollectorOptions {
  /// Loopback only (http/listen_address.h); port 0 is one that the system chooses.
  std::string listen = "127.0.0.1:8090";
  int threads = 2;                              ///< for connections; the journal has its own
  int64_t header_bytes_max = 16LL << 10;        ///< of a request; beyond 431
  int64_t body_bytes_max = 16LL << 20;          ///< as sent; beyond 413
  int64_t decompressed_bytes_max = 64LL << 20;  ///< of a gzip body; beyond 413
  int64_t decompression_ratio_max = 200;        ///< for results over 1 MiB; beyond 413
  int64_t records_max = 100'000;                ///< in one body; beyond 413
  int64_t in_flight_bytes_max = 256LL << 20;    ///< of all bodies in memory; beyond 429
  int connections_max = 512;                    ///< beyond 503
  /// Request headers kept with the records (collector/record_headers.h), in lower case.
  std::vector<std::string> record_headers = {"user-agent", "x-request-id"};
  /// From a request's first byte to its last; beyond 408.
  std::chrono::milliseconds request_timeout{30'000};
  std::chrono::milliseconds idle_timeout{60'000};  ///< of a connection between requests
  std::chrono::milliseconds stop_timeout{10'000};  ///< for requests in flight when stopping
  /// Besides the journal's health.
  std::vector<ReadinessCheck> readiness_checks;
};

/// Takes events over HTTP and answers once they are durable. docs/reference/collector.md is the
/// manual.
///
///   POST /v1/events/{stream}   one JSON object, an array or lines; optionally gzip-compressed
///     cut the body into records       (no records: 400, nothing is journaled)
///     ask the stream's decoder for verdicts
///     append to the journal, and when it is durable answer with receipt and verdicts
///   GET /healthz, /readyz, /metrics
///
/// Threads: any.
class Collector {
 public:
  /// Listens and serves at once. `journal`, `clock` and `metrics` must outlive it.
  /// Errors: kPermissionDenied (not a loopback address), kInvalidArgument (address, or a stream's
  /// schema), kAlreadyExists (the port is taken), kUnavailable.
  static Result<std::unique_ptr<Collector>> Start(std::vector<CollectorStream> streams,
                                                  log::Journal& journal, const Clock& clock,
                                                  Metrics& metrics, CollectorOptions options = {});
  virtual ~Collector() = default;

  /// `127.0.0.1:8090`, with the port that the system chose.
  virtual std::string address() const = 0;
  virtual int port() const = 0;
  /// Takes nothing new, answers what is in flight, ends. The second call does nothing.
  virtual void Stop() = 0;
};

}  // namespace playhead::collector
