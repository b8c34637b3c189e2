#include "playhead/http/client.h"

#include "playhead/http/http_server.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace playhead::http {
namespace {

// Answers `<status> <body's size> <X-Key>`; the path is the status.
class StatusHandler final : public HttpHandler {
 public:
  std::optional<HttpResponse> Refuse(const HttpRequest& /*head*/) override { return std::nullopt; }
  void Handle(HttpRequest request, InFlightShare /*share*/, Respond respond) override {
    const int status = std::stoi(request.path.substr(1));
    const std::string body =
        fmt::format("{} {} {}", status, request.body.size(), request.Field("X-Key"));
    respond([status, body] { return HttpResponse{.status = status, .body = body}; });
  }
};

class ClientTest : public testing::Test {
 protected:
  std::string Url(std::string_view path) const {
    return fmt::format("http://{}{}", server_->address().ToString(), path);
  }

  InFlightBudget budget_{4 << 20};
  Metrics metrics_;
  StatusHandler handler_;
  std::unique_ptr<HttpServer> server_ =
      *HttpServer::Start(handler_, budget_,
                         {.metrics = metrics_,
                          .connections = Metric::kCollectorConnections,
                          .refused_connections = Metric::kCollectorRefusedConnections,
                          .requests = Metric::kCollectorRequests,
                          .request_seconds = Metric::kCollectorRequestSeconds},
                         {.listen = {.ip = "127.0.0.1", .port = 0},
                          .header_bytes_max = 2048,
                          .body_bytes_max = 4 << 20,
                          .connections_max = 1,
                          .request_timeout = std::chrono::seconds(10),
                          .idle_timeout = std::chrono::seconds(10)});
};

TEST_F(ClientTest, EveryStatusIsAnAnswerAndTheConnectionIsKept) {
  // The server takes one connection only.
  Client client;
  for (const int status : {200, 404, 503}) {
    const auto answer = client.Post(Url(fmt::format("/{}", status)), "abc", {{"X-Key", "k"}});
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    EXPECT_EQ(answer->status, status);
    EXPECT_EQ(answer->body, fmt::format("{} 3 k", status));
  }
  // No header of an earlier request stays; a large body does not wait for "100 Continue".
  EXPECT_EQ(client.Post(Url("/200"), std::string(2 << 20, 'x'), {})->body, "200 2097152 ");
}

TEST_F(ClientTest, NobodyThereAndNoUrlAreErrors) {
  const std::string url = Url("/200");
  server_->Stop();
  Client client;
  EXPECT_EQ(client.Post(url, "", {}).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(client.Post("ftp://127.0.0.1/", "", {}).status().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::http
