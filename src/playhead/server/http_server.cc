#include "playhead/server/http_server.h"

#include "playhead/base/logging.h"
#include "playhead/base/thread_annotations.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

namespace playhead::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// A client that was refused while it still sends gets this long to read why; closing at once would
// reset the connection and throw the answer away.
constexpr std::chrono::seconds kLinger(2);
constexpr size_t kLingerBytesMax = 64 << 20;
// Pipelined requests wait in the connection's buffer besides the header that is being read.
constexpr size_t kReadAheadBytes = 128 << 10;
// Connections beyond the limit that may be told so at the same time; further ones are just closed.
constexpr int kRefusalsMax = 64;
constexpr std::chrono::milliseconds kAcceptPause(100);

class Session;

// What sessions share; outlives them.
struct Shared {
  Shared(HttpHandler& the_handler, InFlightBudget& the_budget, Metrics& the_metrics,
         HttpServerOptions the_options)
      : handler(the_handler),
        budget(the_budget),
        metrics(the_metrics),
        options(std::move(the_options)) {}

  HttpHandler& handler;
  InFlightBudget& budget;
  Metrics& metrics;
  const HttpServerOptions options;
  std::atomic<bool> is_stopping = false;

  std::mutex mutex;
  std::condition_variable changed;
  std::unordered_set<Session*> sessions PH_GUARDED_BY(mutex);
  int owed_answers PH_GUARDED_BY(mutex) = 0;
};

std::optional<HttpResponse> ResponseToReadError(const error_code& error,
                                                const HttpServerOptions& options) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return ErrorResponse(431, "headers_too_large",
                         fmt::format("the request's header is too large: header_bytes_max={}",
                                     options.header_bytes_max));
  }
  if (error == http::error::body_limit) {
    return ErrorResponse(
        413, "body_too_large",
        fmt::format("the body is too large: body_bytes_max={}", options.body_bytes_max));
  }
  // The client went away in the middle of a request or between two.
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return std::nullopt;
  }
  if (error.category() == http::make_error_code(http::error::bad_method).category()) {
    return ErrorResponse(400, "bad_request",
                         fmt::format("the request is not sound HTTP: {}", error.message()));
  }
  return std::nullopt;
}

// One connection. Everything happens on its strand.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket socket, Shared& shared)
      : socket_(std::move(socket)),
        shared_(shared),
        timer_(socket_.get_executor()),
        buffer_(static_cast<size_t>(shared.options.header_bytes_max) + kReadAheadBytes) {
    const std::lock_guard lock(shared_.mutex);
    shared_.sessions.insert(this);
    CountConnections();
  }
  ~Session() {
    const std::lock_guard lock(shared_.mutex);
    shared_.sessions.erase(this);
    CountConnections();
    shared_.changed.notify_all();
  }

  void Serve() {
    asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->WaitForRequest(); });
  }

  void Refuse() {
    asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
      self->WriteAndClose(RetryLaterResponse(503, "too_many_connections",
                                             fmt::format("too many connections: connections_max={}",
                                                         self->shared_.options.connections_max)));
    });
  }

  // The server stops: a connection without a request ends now, the others with their answer.
  void OnStopping() {
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      if (self->is_idle_) self->Close();
    });
  }
  void Abort() {
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Close(); });
  }

 private:
  void CountConnections() {
    shared_.metrics.Set(Metric::kCollectorConnections,
                        static_cast<double>(shared_.sessions.size()));
  }

  // Cancels what the connection waits for at the end of the time.
  void SetDeadline(std::chrono::milliseconds time) {
    is_timed_out_ = false;
    timer_.expires_after(time);
    timer_.async_wait([weak = weak_from_this()](const error_code& error) {
      const auto self = weak.lock();
      if (error || !self) return;
      // A deadline that was moved while this call was on its way.
      if (self->timer_.expiry() > std::chrono::steady_clock::now()) return;
      self->is_timed_out_ = true;
      error_code ignored;
      self->socket_.cancel(ignored);
    });
  }

  void WaitForRequest() {
    if (shared_.is_stopping) return Close();
    is_head_ = false;
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_.options.header_bytes_max));
    parser_->body_limit(static_cast<uint64_t>(shared_.options.body_bytes_max));
    if (buffer_.size() > 0) return ReadHeader();
    is_idle_ = true;
    SetDeadline(shared_.options.idle_timeout);
    socket_.async_wait(tcp::socket::wait_read,
                       [self = shared_from_this()](const error_code& error) {
                         self->is_idle_ = false;
                         if (error) return self->Close();
                         self->ReadHeader();
                       });
  }

  void ReadHeader() {
    SetDeadline(shared_.options.request_timeout);
    http::async_read_header(socket_, buffer_, *parser_,
                            [self = shared_from_this()](const error_code& error, size_t) {
                              if (error) return self->OnReadError(error);
                              self->OnHeader();
                            });
  }

  void OnReadError(const error_code& error) {
    if (is_timed_out_) {
      return WriteAndClose(
          ErrorResponse(408, "request_too_slow",
                        fmt::format("the request was not complete in time: request_timeout_ms={}",
                                    shared_.options.request_timeout.count())));
    }
    const std::optional<HttpResponse> response = ResponseToReadError(error, shared_.options);
    if (!response) return Close();
    WriteAndClose(*response);
  }

  void OnHeader() {
    const auto& message = parser_->get();
    is_head_ = message.method() == http::verb::head;
    if (message.version() != 10 && message.version() != 11) {
      return WriteAndClose(
          ErrorResponse(400, "bad_request", "only HTTP/1.0 and HTTP/1.1 are served"));
    }
    if (message.version() == 11 && message.count(http::field::host) != 1) {
      return WriteAndClose(ErrorResponse(400, "bad_request", "the request has no single Host"));
    }
    request_ = HttpRequest();
    request_.method = std::string(message.method_string());
    request_.path = std::string(message.target());
    request_.path.resize(std::min(request_.path.find('?'), request_.path.size()));
    for (const auto& field : message) {
      request_.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
    }
    if (std::optional<HttpResponse> refusal = shared_.handler.Refuse(request_)) {
      return WriteAndClose(std::move(*refusal));
    }
    const bool has_length = parser_->content_length().has_value() || parser_->chunked();
    if (request_.method == "POST" && !has_length) {
      return WriteAndClose(ErrorResponse(411, "length_required",
                                         "send Content-Length or Transfer-Encoding: chunked"));
    }
    share_.emplace(shared_.budget);
    if (!share_->GrowTo(static_cast<int64_t>(parser_->content_length_remaining().value_or(0)))) {
      return RefuseForMemory();
    }
    const std::string expect = request_.Field("Expect");
    if (expect.empty() || message.version() == 10) return ReadBody();
    if (!beast::iequals(expect, "100-continue")) {
      return WriteAndClose(ErrorResponse(417, "expectation_failed", "only 100-continue is known"));
    }
    WriteContinue();
  }

  void RefuseForMemory() {
    WriteAndClose(RetryLaterResponse(
        429, "too_many_bytes_in_flight",
        fmt::format("too many request bodies are in memory: in_flight_bytes_max={}",
                    shared_.budget.bytes_max())));
  }

  void WriteContinue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(socket_, asio::buffer(kContinue),
                      [self = shared_from_this()](const error_code& error, size_t) {
                        if (error) return self->Close();
                        self->ReadBody();
                      });
  }

  void ReadBody() {
    // The deadline may have passed just when the last bytes had come.
    if (is_timed_out_) return OnReadError({});
    if (parser_->is_done()) return Handle();
    http::async_read_some(socket_, buffer_, *parser_,
                          [self = shared_from_this()](const error_code& error, size_t) {
                            if (error) return self->OnReadError(error);
                            self->OnBodyBytes();
                          });
  }

  void OnBodyBytes() {
    // The length of a chunked body is known only as it comes.
    if (!share_->GrowTo(static_cast<int64_t>(parser_->get().body().size())))
      return RefuseForMemory();
    ReadBody();
  }

  void Handle() {
    timer_.cancel();
    wants_close_ = !parser_->get().keep_alive();
    received_at_ = std::chrono::steady_clock::now();
    request_.body = std::move(parser_->get().body());
    if (is_head_) request_.method = "GET";
    {
      const std::lock_guard lock(shared_.mutex);
      ++shared_.owed_answers;
    }
    InFlightShare share = std::move(*share_);
    share_.reset();
    shared_.handler.Handle(std::move(request_), std::move(share),
                           [self = shared_from_this()](MakeResponse make) mutable {
                             Deliver(std::move(self), std::move(make));
                           });
  }

  // From any thread. The server may end as soon as no answer is owed, so the session is handed to
  // it before that.
  static void Deliver(std::shared_ptr<Session> self, MakeResponse make) {
    Shared& shared = self->shared_;
    {
      // Gone before the answer is no longer owed: an executor belongs to the server.
      const auto executor = self->socket_.get_executor();
      asio::post(executor,
                 [self = std::move(self), make = std::move(make)] { self->OnAnswer(make()); });
    }
    const std::lock_guard lock(shared.mutex);
    --shared.owed_answers;
    shared.changed.notify_all();
  }

  void OnAnswer(HttpResponse response) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - received_at_;
    shared_.metrics.Observe(Metric::kCollectorRequestSeconds, took.count());
    Write(std::move(response));
  }

  void WriteAndClose(HttpResponse response) {
    share_.reset();
    wants_close_ = true;
    has_unread_input_ = true;
    Write(std::move(response));
  }

  void Write(HttpResponse response) {
    shared_.metrics.Add(Metric::kCollectorRequests, 1, {std::to_string(response.status)});
    if (shared_.is_stopping) wants_close_ = true;
    const unsigned version = parser_ && parser_->is_header_done() ? parser_->get().version() : 11;
    const auto fill = [&](auto& message) {
      message.version(version == 10 ? 10 : 11);
      message.result(static_cast<unsigned>(response.status));
      message.set(http::field::content_type, response.content_type);
      for (const auto& [name, value] : response.fields) message.set(name, value);
      message.content_length(response.body.size());
      message.keep_alive(!wants_close_);
    };
    SetDeadline(shared_.options.request_timeout);
    const auto done = [self = shared_from_this()](const error_code& error, size_t) {
      self->OnWritten(error);
    };
    if (is_head_) {
      auto& message = response_.emplace<http::response<http::empty_body>>();
      fill(message);
      http::async_write(socket_, message, done);
      return;
    }
    auto& message = response_.emplace<http::response<http::string_body>>();
    fill(message);
    message.body() = std::move(response.body);
    http::async_write(socket_, message, done);
  }

  void OnWritten(const error_code& error) {
    response_ = std::monostate();
    if (error) return Close();
    if (!wants_close_) return WaitForRequest();
    if (!has_unread_input_) return Close();
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    SetDeadline(kLinger);
    lingered_ = 0;
    Linger();
  }

  void Linger() {
    if (is_timed_out_) return Close();
    buffer_.clear();
    socket_.async_read_some(buffer_.prepare(kReadAheadBytes),
                            [self = shared_from_this()](const error_code& error, size_t bytes) {
                              self->lingered_ += bytes;
                              if (error || self->lingered_ > kLingerBytesMax) return self->Close();
                              self->Linger();
                            });
  }

  void Close() {
    timer_.cancel();
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

  tcp::socket socket_;
  Shared& shared_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  std::optional<InFlightShare> share_;
  std::variant<std::monostate, http::response<http::string_body>, http::response<http::empty_body>>
      response_;
  std::chrono::steady_clock::time_point received_at_;
  size_t lingered_ = 0;
  bool is_idle_ = false;
  bool is_timed_out_ = false;
  bool is_head_ = false;
  bool wants_close_ = false;
  bool has_unread_input_ = false;
};

class BeastServer final : public HttpServer {
 public:
  BeastServer(HttpHandler& handler, InFlightBudget& budget, Metrics& metrics,
              HttpServerOptions options)
      : shared_(handler, budget, metrics, std::move(options)),
        context_(shared_.options.threads),
        acceptor_(asio::make_strand(context_)),
        accept_timer_(acceptor_.get_executor()),
        address_(shared_.options.listen) {}
  ~BeastServer() override { Stop(); }

  Status Listen() {
    error_code error;
    const auto ip = asio::ip::make_address(address_.ip, error);
    const tcp::endpoint endpoint(ip, address_.port);
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      const bool is_taken = error == asio::error::address_in_use;
      return Error(is_taken ? StatusCode::kAlreadyExists : StatusCode::kUnavailable,
                   "cannot listen: address={} error={}", address_.ToString(), error.message());
    }
    address_.port = acceptor_.local_endpoint().port();
    asio::post(acceptor_.get_executor(), [this] { Accept(); });
    for (int i = 0; i < shared_.options.threads; ++i) {
      threads_.emplace_back([this] { context_.run(); });
    }
    return {};
  }

  const ListenAddress& address() const override { return address_; }

  void Stop() override {
    if (shared_.is_stopping.exchange(true)) return;
    asio::post(acceptor_.get_executor(), [this] {
      error_code ignored;
      acceptor_.close(ignored);
      accept_timer_.cancel();
      ForEachSession([](Session& session) { session.OnStopping(); });
    });
    const auto is_quiet = [&] { return shared_.sessions.empty(); };
    {
      std::unique_lock lock(shared_.mutex);
      shared_.changed.wait_for(lock, shared_.options.stop_timeout, is_quiet);
    }
    ForEachSession([](Session& session) { session.Abort(); });
    {
      std::unique_lock lock(shared_.mutex);
      // Without a time limit: every operation on a closed socket ends at once, and the handlers owe
      // their answers.
      shared_.changed.wait(lock, [&] { return is_quiet() && shared_.owed_answers == 0; });
    }
    work_.reset();
    context_.stop();
    threads_.clear();
  }

 private:
  template <typename Call>
  void ForEachSession(const Call& call) {
    // Kept alive until the lock is gone, since a session's end takes it.
    std::vector<std::shared_ptr<Session>> alive;
    {
      const std::lock_guard lock(shared_.mutex);
      for (Session* session : shared_.sessions) {
        if (auto kept = session->weak_from_this().lock()) alive.push_back(std::move(kept));
      }
    }
    for (const auto& session : alive) call(*session);
  }

  void Accept() {
    acceptor_.async_accept(asio::make_strand(context_),
                           [this](const error_code& error, tcp::socket socket) {
                             if (!acceptor_.is_open() || shared_.is_stopping) return;
                             if (error) return OnAcceptError(error);
                             Take(std::move(socket));
                             Accept();
                           });
  }

  void OnAcceptError(const error_code& error) {
    logging::Warn("server", "cannot accept a connection", {{"error", error.message()}});
    // Out of file descriptors, most likely: they come back as connections end.
    accept_timer_.expires_after(kAcceptPause);
    accept_timer_.async_wait([this](const error_code& cancelled) {
      if (!cancelled && acceptor_.is_open()) Accept();
    });
  }

  void Take(tcp::socket socket) {
    int connections = 0;
    {
      const std::lock_guard lock(shared_.mutex);
      connections = static_cast<int>(shared_.sessions.size());
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    if (connections < shared_.options.connections_max) {
      std::make_shared<Session>(std::move(socket), shared_)->Serve();
      return;
    }
    shared_.metrics.Add(Metric::kCollectorRefusedConnections, 1);
    if (connections < shared_.options.connections_max + kRefusalsMax) {
      std::make_shared<Session>(std::move(socket), shared_)->Refuse();
    }
  }

  Shared shared_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  ListenAddress address_;
  std::vector<std::jthread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpHandler& handler, InFlightBudget& budget,
                                                      Metrics& metrics, HttpServerOptions options) {
  auto server = std::make_unique<BeastServer>(handler, budget, metrics, std::move(options));
  PH_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace playhead::server
