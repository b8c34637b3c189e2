#include "playhead/http/http_server.h"

#include "playhead/base/logging.h"
#include "playhead/http/http_session.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace playhead::http {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

// Connections beyond the limit that are told so at the same time; further ones wait in the backlog.
constexpr int kRefusalsMax = 64;
constexpr std::chrono::milliseconds kRefusalPause(10);
constexpr std::chrono::milliseconds kErrorPause(100);

class BeastServer final : public HttpServer {
 public:
  BeastServer(HttpHandler& handler, InFlightBudget& budget, HttpServerMetrics metrics,
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
      ForEachSession([](HttpSession& session) { session.OnStopping(); });
    });
    const auto is_quiet = [&] { return shared_.sessions.empty(); };
    {
      std::unique_lock lock(shared_.mutex);
      shared_.changed.wait_for(lock, shared_.options.stop_timeout, is_quiet);
    }
    ForEachSession([](HttpSession& session) { session.Abort(); });
    {
      std::unique_lock lock(shared_.mutex);
      // Without a time limit: every operation on a closed socket ends at once, and the handlers owe
      // their answers.
      shared_.changed.wait(lock, [&] { return is_quiet() && shared_.owed_answers == 0; });
    }
    work_.reset();
    context_.stop();
    threads_.clear();
    // The threads may have ended before they came to it; a client must not wait in the backlog.
    error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  template <typename Call>
  void ForEachSession(const Call& call) {
    // Kept alive until the lock is gone, since a session's end takes it.
    std::vector<std::shared_ptr<HttpSession>> alive;
    {
      const std::lock_guard lock(shared_.mutex);
      for (HttpSession* session : shared_.sessions) {
        if (auto kept = session->weak_from_this().lock()) alive.push_back(std::move(kept));
      }
    }
    for (const auto& session : alive) call(*session);
  }

  void Accept() {
    if (Connections() >= shared_.options.connections_max + kRefusalsMax) {
      return AcceptAfter(kRefusalPause);
    }
    acceptor_.async_accept(asio::make_strand(context_),
                           [this](const error_code& error, tcp::socket socket) {
                             if (!acceptor_.is_open() || shared_.is_stopping) return;
                             if (error) return OnAcceptError(error);
                             Take(std::move(socket));
                             Accept();
                           });
  }

  void OnAcceptError(const error_code& error) {
    logging::Warn("http", "cannot accept a connection", {{"error", error.message()}});
    // Out of file descriptors, most likely: they come back as connections end.
    AcceptAfter(kErrorPause);
  }

  void AcceptAfter(std::chrono::milliseconds pause) {
    accept_timer_.expires_after(pause);
    accept_timer_.async_wait([this](const error_code& cancelled) {
      if (!cancelled && acceptor_.is_open()) Accept();
    });
  }

  int Connections() {
    const std::lock_guard lock(shared_.mutex);
    return static_cast<int>(shared_.sessions.size());
  }

  void Take(tcp::socket socket) {
    const int connections = Connections();
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    const auto session = std::make_shared<HttpSession>(std::move(socket), shared_);
    if (connections < shared_.options.connections_max) return session->Serve();
    shared_.metrics.metrics.Add(shared_.metrics.refused_connections, 1);
    session->Refuse();
  }

  HttpServerState shared_;
  asio::io_context context_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  ListenAddress address_;
  std::vector<std::jthread> threads_;
};

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpHandler& handler, InFlightBudget& budget,
                                                      HttpServerMetrics metrics,
                                                      HttpServerOptions options) {
  auto server = std::make_unique<BeastServer>(handler, budget, metrics, std::move(options));
  PH_RETURN_IF_ERROR(server->Listen());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace playhead::http
