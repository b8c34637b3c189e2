#pragma once

#include "playhead/base/thread_annotations.h"
#include "playhead/http/http_message.h"
#include "playhead/http/http_server.h"
#include "playhead/http/in_flight_budget.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>
#include <variant>

namespace playhead::http {

class HttpSession;

/// What the connections of one server share; outlives them.
struct HttpServerState {
  HttpServerState(HttpHandler& the_handler, InFlightBudget& the_budget,
                  HttpServerMetrics the_metrics, HttpServerOptions the_options)
      : handler(the_handler),
        budget(the_budget),
        metrics(the_metrics),
        options(std::move(the_options)) {}

  HttpHandler& handler;
  InFlightBudget& budget;
  const HttpServerMetrics metrics;
  const HttpServerOptions options;
  std::atomic<bool> is_stopping = false;

  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_set<HttpSession*> sessions PH_GUARDED_BY(mutex);
  int owed_answers PH_GUARDED_BY(mutex) = 0;
};

/// One connection: reads requests, has them answered, writes the answers. It keeps itself alive
/// while it waits for something. Everything happens on its socket's strand.
class HttpSession : public std::enable_shared_from_this<HttpSession> {
 public:
  HttpSession(boost::asio::ip::tcp::socket socket, HttpServerState& shared);
  ~HttpSession();

  /// Takes requests until either side wants to close.
  void Serve();

  /// Answers the first request with "too many connections", and closes.
  void Refuse();

  /// The server stops: a connection without a request ends now, the others with their answer.
  void OnStopping();
  /// Closes whatever is going on.
  void Abort();

 private:
  void CountConnections();

  // Calls `then` once a byte can be read; closes when none comes in time.
  void WaitForByte(std::chrono::milliseconds time, void (HttpSession::*then)());
  // Cancels what the connection waits for at the end of the time.
  void SetDeadline(std::chrono::milliseconds time);
  void WaitForRequest();
  void RefuseConnection();
  void ReadHeader();
  void OnReadError(const boost::system::error_code& error);
  void OnHeader();
  std::optional<HttpResponse> RefuseFraming() const;
  void RefuseForMemory();
  void WriteContinue();
  void ReadBody();
  void OnBodyBytes();
  void Handle();

  // From any thread. The server may end as soon as no answer is owed, so the session is handed to
  // it before that.
  static void Deliver(std::shared_ptr<HttpSession> self, MakeResponse make);
  void OnAnswer(HttpResponse response);
  void WriteAndClose(HttpResponse response);
  void Write(HttpResponse response);
  void OnWritten(const boost::system::error_code& error);
  void Linger();
  void Close();

  boost::asio::ip::tcp::socket socket_;
  HttpServerState& shared_;
  boost::asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<boost::beast::http::request_parser<boost::beast::http::string_body>> parser_;
  HttpRequest request_;
  std::optional<InFlightShare> share_;
  std::variant<std::monostate, boost::beast::http::response<boost::beast::http::string_body>,
               boost::beast::http::response<boost::beast::http::empty_body>>
      response_;
  std::chrono::steady_clock::time_point received_at_;
  size_t lingered_ = 0;
  bool is_idle_ = false;
  bool is_timed_out_ = false;
  bool is_head_ = false;
  bool wants_close_ = false;
  bool has_unread_input_ = false;
};

}  // namespace playhead::http
