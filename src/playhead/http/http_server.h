#pragma once

#include "playhead/base/metrics.h"
#include "playhead/base/status.h"
#include "playhead/http/http_message.h"
#include "playhead/http/in_flight_budget.h"
#include "playhead/http/listen_address.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace playhead::http {

struct HttpServerOptions {
  ListenAddress listen;
  int threads = 2;
  int64_t header_bytes_max = 0;  ///< request line and header fields; more is 431
  int64_t body_bytes_max = 0;    ///< as sent; more is 413
  int connections_max = 0;       ///< requests on further ones get 503
  /// From a request's first byte to its last; later is 408. Also the longest time to take an
  /// answer.
  std::chrono::milliseconds request_timeout{0};
  /// A connection on which no request begins is closed without an answer.
  std::chrono::milliseconds idle_timeout{0};
  /// How long Stop() waits for requests that are still being read or answered.
  std::chrono::milliseconds stop_timeout{0};
};

/// Under which of the process's metrics a server counts.
struct HttpServerMetrics {
  Metrics& metrics;
  Metric connections;          ///< open ones
  Metric refused_connections;  ///< beyond connections_max
  Metric requests;             ///< answered, with the status as label
  Metric request_seconds;      ///< from a request's last byte to its answer
};

/// What a server does with requests. Called from the server's threads, several at a time; must not
/// block for long.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  /// Looks at a request before its body is read. An answer refuses it and closes the connection,
  /// since nobody reads the body.
  virtual std::optional<HttpResponse> Refuse(const HttpRequest& head) = 0;
  /// Answers. `share` holds the body's bytes until it is destroyed.
  virtual void Handle(HttpRequest request, InFlightShare share, Respond respond) = 0;
};

/// An HTTP/1.1 server (HTTP/1.0 clients welcome): keep-alive, pipelined requests one after the
/// other, chunked bodies, Expect: 100-continue, HEAD for whatever answers GET.
///
///   per connection: wait for a byte (idle_timeout)
///                   read the header, ask Refuse(), read the body (request_timeout over all)
///                   Handle(); write its answer; again, unless either side wants to close
///
/// Malformed requests get 400, too large ones 413 or 431, too slow ones 408, those without a length
/// 411, transfer codings other than `chunked` 501, too many bodies at once 429, and a connection
/// beyond the limit 503; all as JSON (http_message.h). Then the connection is closed, after the
/// client has had two seconds to read the answer. Threads: any.
class HttpServer {
 public:
  /// Listens and starts the threads. `handler`, `budget` and the metrics must outlive it.
  /// Errors: kAlreadyExists (the port is taken), kUnavailable.
  static Result<std::unique_ptr<HttpServer>> Start(HttpHandler& handler, InFlightBudget& budget,
                                                   HttpServerMetrics metrics,
                                                   HttpServerOptions options);
  virtual ~HttpServer() = default;

  /// With the port that the system chose.
  virtual const ListenAddress& address() const = 0;
  /// Takes no new connections, lets requests in flight finish, closes everything, ends the threads.
  /// Waits for every Respond that is still owed. The second call does nothing.
  virtual void Stop() = 0;
};

}  // namespace playhead::http
