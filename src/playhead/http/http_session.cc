#include "playhead/http/http_session.h"

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::http {
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

/// The path of `/a?b`, `http://host/a?b` (which a server must take as well) or `*`, as sent.
std::string PathOfTarget(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!beast::iequals(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(std::min(target.find_first_of("/?", scheme.size()), target.size()));
    if (!target.starts_with('/')) return "/";
    break;
  }
  return std::string(target.substr(0, target.find('?')));
}

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

}  // namespace

HttpSession::HttpSession(tcp::socket socket, HttpServerState& shared)
    : socket_(std::move(socket)),
      shared_(shared),
      timer_(socket_.get_executor()),
      buffer_(static_cast<size_t>(shared.options.header_bytes_max) + kReadAheadBytes) {
  const std::lock_guard lock(shared_.mutex);
  shared_.sessions.insert(this);
  CountConnections();
}

HttpSession::~HttpSession() {
  const std::lock_guard lock(shared_.mutex);
  shared_.sessions.erase(this);
  CountConnections();
  shared_.changed.notify_all();
}

void HttpSession::Serve() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] { self->WaitForRequest(); });
}

void HttpSession::Refuse() {
  // Not at once: a client that is answered before it has asked takes that for noise.
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    self->WaitForByte(kLinger, &HttpSession::RefuseConnection);
  });
}

void HttpSession::OnStopping() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->is_idle_) self->Close();
  });
}

void HttpSession::Abort() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->Close(); });
}

void HttpSession::CountConnections() {
  shared_.metrics.metrics.Set(shared_.metrics.connections,
                              static_cast<double>(shared_.sessions.size()));
}

void HttpSession::SetDeadline(std::chrono::milliseconds time) {
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

void HttpSession::WaitForRequest() {
  if (shared_.is_stopping) return Close();
  is_head_ = false;
  parser_.emplace();
  parser_->header_limit(static_cast<uint32_t>(shared_.options.header_bytes_max));
  parser_->body_limit(static_cast<uint64_t>(shared_.options.body_bytes_max));
  if (buffer_.size() > 0) return ReadHeader();
  WaitForByte(shared_.options.idle_timeout, &HttpSession::ReadHeader);
}

void HttpSession::WaitForByte(std::chrono::milliseconds time, void (HttpSession::*then)()) {
  is_idle_ = true;
  SetDeadline(time);
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this(), then](const error_code& error) {
                       self->is_idle_ = false;
                       if (error) return self->Close();
                       (self.get()->*then)();
                     });
}

void HttpSession::RefuseConnection() {
  WriteAndClose(RetryLaterResponse(
      503, "too_many_connections",
      fmt::format("too many connections: connections_max={}", shared_.options.connections_max)));
}

void HttpSession::ReadHeader() {
  SetDeadline(shared_.options.request_timeout);
  http::async_read_header(socket_, buffer_, *parser_,
                          [self = shared_from_this()](const error_code& error, size_t) {
                            if (error) return self->OnReadError(error);
                            self->OnHeader();
                          });
}

void HttpSession::OnReadError(const error_code& error) {
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

void HttpSession::OnHeader() {
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
  request_.path = PathOfTarget(message.target());
  for (const auto& field : message) {
    request_.fields.emplace_back(std::string(field.name_string()), std::string(field.value()));
  }
  if (std::optional<HttpResponse> refusal = RefuseFraming()) {
    return WriteAndClose(std::move(*refusal));
  }
  if (std::optional<HttpResponse> refusal = shared_.handler.Refuse(request_)) {
    return WriteAndClose(std::move(*refusal));
  }
  const bool has_length = parser_->content_length().has_value() || parser_->chunked();
  if (request_.method == "POST" && !has_length) {
    return WriteAndClose(
        ErrorResponse(411, "length_required", "send Content-Length or Transfer-Encoding: chunked"));
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

std::optional<HttpResponse> HttpSession::RefuseFraming() const {
  const auto& message = parser_->get();
  if (message.count(http::field::transfer_encoding) == 0) return std::nullopt;
  // A proxy in front may have cut the request by the other field, or not know the coding at all.
  // Two readings of the same bytes would let a request hide in another one's body.
  const bool has_length = message.count(http::field::content_length) > 0;
  const auto is_chunked = [](std::string_view coding) { return beast::iequals(coding, "chunked"); };
  const std::string field = request_.Field("Transfer-Encoding");
  if (is_chunked(field) && parser_->chunked() && !has_length && message.version() == 11) {
    return std::nullopt;
  }
  std::vector<std::string_view> codings;
  for (const auto coding : http::token_list(field)) codings.push_back(coding);
  if (!has_length && codings.size() > 1 && is_chunked(codings.back()) &&
      std::ranges::count_if(codings, is_chunked) == 1) {
    return ErrorResponse(501, "unknown_transfer_encoding", "Transfer-Encoding may be chunked");
  }
  return ErrorResponse(400, "bad_request",
                       "where the body ends is ambiguous: send either Content-Length or "
                       "Transfer-Encoding: chunked");
}

void HttpSession::RefuseForMemory() {
  WriteAndClose(RetryLaterResponse(
      429, "too_many_bytes_in_flight",
      fmt::format("too many request bodies are in memory: in_flight_bytes_max={}",
                  shared_.budget.bytes_max())));
}

void HttpSession::WriteContinue() {
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(socket_, asio::buffer(kContinue),
                    [self = shared_from_this()](const error_code& error, size_t) {
                      if (error) return self->Close();
                      self->ReadBody();
                    });
}

void HttpSession::ReadBody() {
  // The deadline may have passed just when the last bytes had come.
  if (is_timed_out_) return OnReadError({});
  if (parser_->is_done()) return Handle();
  http::async_read_some(socket_, buffer_, *parser_,
                        [self = shared_from_this()](const error_code& error, size_t) {
                          if (error) return self->OnReadError(error);
                          self->OnBodyBytes();
                        });
}

void HttpSession::OnBodyBytes() {
  // The length of a chunked body is known only as it comes.
  if (!share_->GrowTo(static_cast<int64_t>(parser_->get().body().size()))) return RefuseForMemory();
  ReadBody();
}

void HttpSession::Handle() {
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

void HttpSession::Deliver(std::shared_ptr<HttpSession> self, MakeResponse make) {
  HttpServerState& shared = self->shared_;
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

void HttpSession::OnAnswer(HttpResponse response) {
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - received_at_;
  shared_.metrics.metrics.Observe(shared_.metrics.request_seconds, took.count());
  Write(std::move(response));
}

void HttpSession::WriteAndClose(HttpResponse response) {
  share_.reset();
  wants_close_ = true;
  has_unread_input_ = true;
  Write(std::move(response));
}

void HttpSession::Write(HttpResponse response) {
  shared_.metrics.metrics.Add(shared_.metrics.requests, 1, {std::to_string(response.status)});
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

void HttpSession::OnWritten(const error_code& error) {
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

void HttpSession::Linger() {
  if (is_timed_out_) return Close();
  buffer_.clear();
  socket_.async_read_some(buffer_.prepare(kReadAheadBytes),
                          [self = shared_from_this()](const error_code& error, size_t bytes) {
                            self->lingered_ += bytes;
                            if (error || self->lingered_ > kLingerBytesMax) return self->Close();
                            self->Linger();
                          });
}

void HttpSession::Close() {
  timer_.cancel();
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace playhead::http
