#include "playhead/http/http_server.h"

#include "playhead/http/raw_http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace playhead::http {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

// Answers with what it was asked. `/later` answers from another thread, once it is let.
class EchoHandler final : public HttpHandler {
 public:
  std::optional<HttpResponse> Refuse(const HttpRequest& head) override {
    if (head.path == "/refused") return ErrorResponse(403, "refused", "no");
    return std::nullopt;
  }
  void Handle(HttpRequest request, InFlightShare /*share*/, Respond respond) override {
    ++handled;
    const std::string body =
        fmt::format("{} {} {}", request.method, request.path, request.body.size());
    const auto make = [body] { return HttpResponse{.content_type = "text/plain", .body = body}; };
    if (request.path != "/later") return respond(make);
    later.emplace_back([this, respond = std::move(respond), make] {
      while (!may_answer) std::this_thread::sleep_for(milliseconds(1));
      respond(make);
    });
  }

  std::atomic<int> handled = 0;
  std::atomic<bool> may_answer = false;
  std::vector<std::jthread> later;
};

class HttpServerTest : public testing::Test {
 protected:
  void Start(const std::function<void(HttpServerOptions&)>& change = [](HttpServerOptions&) {}) {
    HttpServerOptions options{.listen = {.ip = "127.0.0.1", .port = 0},
                              .threads = 2,
                              .header_bytes_max = 2048,
                              .body_bytes_max = 100'000,
                              .connections_max = 8,
                              .request_timeout = milliseconds(10'000),
                              .idle_timeout = milliseconds(10'000),
                              .stop_timeout = milliseconds(5'000)};
    change(options);
    server_ = *HttpServer::Start(handler_, budget_, counted_, options);
  }
  int port() const { return server_->address().port; }

  // Sends bytes on a connection of their own; the answer, and whether the connection ended after
  // it.
  void ExpectRefusal(std::string_view bytes, int status, std::string_view code) {
    RawHttpClient client(port());
    client.Send(bytes);
    const auto answer = client.Receive();
    ASSERT_TRUE(answer.has_value()) << bytes.substr(0, 100);
    EXPECT_EQ(answer->status, status) << bytes.substr(0, 100);
    EXPECT_THAT(answer->body, HasSubstr(fmt::format("{{\"error\":{{\"code\":\"{}\"", code)));
    EXPECT_EQ(answer->fields.at("content-type"), "application/json");
    client.CloseSending();
    EXPECT_TRUE(client.IsClosed());
    EXPECT_EQ(handler_.handled, 0);
  }

  InFlightBudget budget_{150'000};
  Metrics metrics_;
  const HttpServerMetrics counted_{.metrics = metrics_,
                                   .connections = Metric::kCollectorConnections,
                                   .refused_connections = Metric::kCollectorRefusedConnections,
                                   .requests = Metric::kCollectorRequests,
                                   .request_seconds = Metric::kCollectorRequestSeconds};
  EchoHandler handler_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, KeepsAliveAndAnswersInOrder) {
  Start();
  RawHttpClient client(port());
  EXPECT_EQ(client.Post("/a?query", "12345")->body, "POST /a 5");
  EXPECT_EQ(client.Get("/b")->body, "GET /b 0");
  // Pipelined: three requests in one write.
  client.Send(
      "POST /1 HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
      "GET /2 HTTP/1.1\r\nHost: t\r\n\r\n"
      "POST /3 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive()->body, "POST /1 3");
  EXPECT_EQ(client.Receive()->body, "GET /2 0");
  EXPECT_EQ(client.Receive()->body, "POST /3 5");
}

TEST_F(HttpServerTest, RequestsMayComeByteByByte) {
  Start();
  RawHttpClient client(port());
  const std::string request =
      "POST /slow HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n";
  for (const char c : request) client.Send(std::string(1, c));
  EXPECT_EQ(client.Receive()->body, "POST /slow 4");
}

TEST_F(HttpServerTest, ClosesWhenAskedToAndForOldClients) {
  Start();
  RawHttpClient closing(port());
  closing.Send("GET /a HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(closing.Receive()->fields.at("connection"), "close");
  EXPECT_TRUE(closing.IsClosed());

  RawHttpClient old(port());
  old.Send("GET /b HTTP/1.0\r\n\r\n");
  EXPECT_EQ(old.Receive()->body, "GET /b 0");
  EXPECT_TRUE(old.IsClosed());

  RawHttpClient kept(port());
  kept.Send("GET /c HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.Receive()->body, "GET /c 0");
  EXPECT_EQ(kept.Get("/d")->body, "GET /d 0");
}

TEST_F(HttpServerTest, HeadIsAnsweredLikeGetWithoutItsBody) {
  Start();
  RawHttpClient client(port());
  client.Send("HEAD /a HTTP/1.1\r\nHost: t\r\n\r\n");
  const auto answer = client.Receive(true);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->fields.at("content-length"), "8");
  EXPECT_EQ(client.Get("/b")->body, "GET /b 0");
}

TEST_F(HttpServerTest, ContinuesOnlyWhatItWillTake) {
  Start();
  RawHttpClient client(port());
  client.Send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Receive()->status, 100);
  client.Send("ab");
  EXPECT_EQ(client.Receive()->body, "POST /a 2");

  RawHttpClient large(port());
  large.Send(
      "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(large.Receive()->status, 413);
  RawHttpClient refused(port());
  refused.Send(
      "POST /refused HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(refused.Receive()->status, 403);
}

TEST_F(HttpServerTest, WhatIsNoHttpIsRefused) {
  Start();
  ExpectRefusal("\x16\x03\x01\x02 TLS\r\n\r\n", 400, "bad_request");
  ExpectRefusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "bad_request");
  ExpectRefusal("GET /a HTTP/1.1\r\n\r\n", 400, "bad_request");
  ExpectRefusal("GET /a HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_request");
  ExpectRefusal("GET /a HTTP/1.1\r\nHost: t\r\nbad field\r\n\r\n", 400, "bad_request");
  ExpectRefusal("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n", 400, "bad_request");
  ExpectRefusal("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                400, "bad_request");
  ExpectRefusal("POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n",
                400, "bad_request");
  ExpectRefusal(
      "POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", 400,
      "bad_request");
  ExpectRefusal("POST /a HTTP/1.1\r\nHost: t\r\n\r\n", 411, "length_required");
  ExpectRefusal("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nExpect: tea\r\n\r\n", 417,
                "expectation_failed");
}

// A second request hides in what another reader of these bytes takes for the body.
TEST_F(HttpServerTest, OnlyOneFinalChunkedCodingFramesABody) {
  Start();
  const std::string body = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n";
  const auto expect = [&](std::string_view fields, int status, std::string_view code) {
    ExpectRefusal(fmt::format("POST /a HTTP/1.1\r\nHost: t\r\n{}\r\n{}", fields, body), status,
                  code);
  };
  const std::string length = fmt::format("Content-Length: {}\r\n", body.size());
  for (const char* field : {"xchunked", "chunked, identity", "chunked, chunked", "identity", "gzip",
                            "chunked;x=1", "chunked,", "\"chunked\"", ""}) {
    const std::string coding = fmt::format("Transfer-Encoding: {}\r\n", field);
    expect(coding, 400, "bad_request");
    expect(coding + length, 400, "bad_request");
    expect(length + coding, 400, "bad_request");
  }
  expect("Transfer-Encoding: gzip, chunked\r\n", 501, "unknown_transfer_encoding");
  expect("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501,
         "unknown_transfer_encoding");
  expect("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400, "bad_request");
  expect("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", 400, "bad_request");
  for (const char* coding : {"chunked", "gzip, chunked"}) {
    const std::string field = fmt::format("Transfer-Encoding: {}\r\n", coding);
    expect(field + length, 400, "bad_request");
    expect(length + field, 400, "bad_request");
  }
  ExpectRefusal("POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" + body, 400,
                "bad_request");
  RawHttpClient client(port());
  client.Send("POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: CHUNKED\r\n\r\n" + body);
  EXPECT_EQ(client.Receive()->body, "POST /a 0");
  EXPECT_EQ(client.Receive()->body, "GET /smuggled 0");
}

TEST_F(HttpServerTest, AbsoluteTargetsAreTaken) {
  Start();
  RawHttpClient client(port());
  EXPECT_EQ(client.Get("http://proxied:1/a?b")->body, "GET /a 0");
  EXPECT_EQ(client.Post("HTTPS://[::1]/a/b", "x")->body, "POST /a/b 1");
  EXPECT_EQ(client.Get("http://proxied")->body, "GET / 0");
  EXPECT_EQ(client.Get("http://proxied?b=/c")->body, "GET / 0");
}

TEST_F(HttpServerTest, LimitsAreNamed) {
  Start();
  ExpectRefusal("GET /" + std::string(5'000, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", 431,
                "headers_too_large");
  std::string many = "GET / HTTP/1.1\r\nHost: t\r\n";
  for (int i = 0; i < 1'000; ++i) many += fmt::format("X-{}: y\r\n", i);
  ExpectRefusal(many, 431, "headers_too_large");
  // Without an end, as an attacker sends it.
  ExpectRefusal("GET / HTTP/1.1\r\nX: " + std::string(300'000, 'x'), 431, "headers_too_large");
  // The body is announced and sent; the answer still arrives.
  ExpectRefusal(
      "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'x'),
      413, "body_too_large");
  ExpectRefusal("POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    fmt::format("{:x}\r\n", 200'000) + std::string(200'000, 'x') + "\r\n0\r\n\r\n",
                413, "body_too_large");
}

TEST_F(HttpServerTest, SlowRequestsAre408AndIdleConnectionsEndSilently) {
  Start([](HttpServerOptions& options) {
    options.request_timeout = milliseconds(100);
    options.idle_timeout = milliseconds(300);
  });
  RawHttpClient half_header(port());
  half_header.Send("GET /a HT");
  RawHttpClient half_body(port());
  half_body.Send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  RawHttpClient idle(port());
  for (RawHttpClient* client : {&half_header, &half_body}) {
    const auto answer = client->Receive();
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->status, 408);
    EXPECT_THAT(answer->body, HasSubstr("request_timeout_ms=100"));
    client->CloseSending();
    EXPECT_TRUE(client->IsClosed());
  }
  EXPECT_TRUE(idle.IsClosed());
}

TEST_F(HttpServerTest, DripOfBytesDoesNotMoveTheDeadline) {
  Start([](HttpServerOptions& options) { options.request_timeout = milliseconds(200); });
  RawHttpClient client(port());
  client.Send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n");
  std::jthread drip([&](std::stop_token stop) {
    while (!stop.stop_requested() && client.Send("x")) {
      std::this_thread::sleep_for(milliseconds(10));
    }
  });
  const auto answer = client.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 408);
}

TEST_F(HttpServerTest, ConnectionsBeyondTheLimitAreTold) {
  Start([](HttpServerOptions& options) { options.connections_max = 2; });
  RawHttpClient first(port());
  RawHttpClient second(port());
  EXPECT_EQ(first.Get("/a")->status, 200);
  EXPECT_EQ(second.Get("/a")->status, 200);
  RawHttpClient third(port());
  const auto answer = third.Get("/a");
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->fields.at("retry-after"), "1");
  EXPECT_THAT(answer->body, HasSubstr("connections_max=2"));
  EXPECT_EQ(first.Get("/b")->status, 200);
}

TEST_F(HttpServerTest, EveryConnectionOfACrowdIsTold) {
  Start([](HttpServerOptions& options) { options.connections_max = 1; });
  RawHttpClient served(port());
  EXPECT_EQ(served.Get("/a")->status, 200);
  const std::string request =
      "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n" + std::string(100'000, 'x');
  std::atomic<int> told = 0;
  {
    std::vector<std::jthread> crowd;
    for (int i = 0; i < 300; ++i) {
      crowd.emplace_back([&] {
        RawHttpClient client(port());
        if (!client.Send(request)) return;
        const auto answer = client.Receive();
        if (answer && answer->status == 503) ++told;
      });
    }
  }
  EXPECT_EQ(told, 300);
  EXPECT_EQ(served.Get("/b")->status, 200);
}

TEST_F(HttpServerTest, BodiesInMemoryAreBoundedTogether) {
  Start();
  RawHttpClient holder(port());
  holder.Send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 90000\r\n\r\nx");
  while (budget_.bytes() < 90'000) std::this_thread::sleep_for(milliseconds(1));
  RawHttpClient second(port());
  const auto answer = second.Post("/b", std::string(80'000, 'x'));
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->status, 429);
  EXPECT_THAT(answer->body, HasSubstr("in_flight_bytes_max=150000"));
  RawHttpClient third(port());
  EXPECT_EQ(third.Post("/c", std::string(50'000, 'x'))->status, 200);
  holder.Send(std::string(89'999, 'x'));
  EXPECT_EQ(holder.Receive()->body, "POST /a 90000");
  server_->Stop();
  EXPECT_EQ(budget_.bytes(), 0);
}

TEST_F(HttpServerTest, StopAnswersWhatIsInFlight) {
  Start();
  RawHttpClient idle(port());
  EXPECT_EQ(idle.Get("/a")->status, 200);
  RawHttpClient waiting(port());
  waiting.Send("GET /later HTTP/1.1\r\nHost: t\r\n\r\n");
  while (handler_.handled < 2) std::this_thread::sleep_for(milliseconds(1));
  std::jthread stopper([&] { server_->Stop(); });
  EXPECT_TRUE(idle.IsClosed());
  handler_.may_answer = true;
  const auto answer = waiting.Receive();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->body, "GET /later 0");
  EXPECT_EQ(answer->fields.at("connection"), "close");
}

TEST_F(HttpServerTest, StopDoesNotWaitForeverForAHalfRequest) {
  Start([](HttpServerOptions& options) { options.stop_timeout = milliseconds(100); });
  RawHttpClient half(port());
  half.Send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  while (budget_.bytes() == 0) std::this_thread::sleep_for(milliseconds(1));
  server_->Stop();
  EXPECT_TRUE(half.IsClosed());
}

TEST_F(HttpServerTest, ClientsThatGoAwayHarmNobody) {
  // The server may notice later than the next client comes that one has gone.
  Start([](HttpServerOptions& options) { options.connections_max = 100; });
  for (int i = 0; i < 20; ++i) {
    RawHttpClient client(port());
    client.Send("POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  }
  {
    RawHttpClient client(port());
    client.Send("GET /later HTTP/1.1\r\nHost: t\r\n\r\n");
    while (handler_.handled < 1) std::this_thread::sleep_for(milliseconds(1));
  }
  handler_.may_answer = true;
  RawHttpClient client(port());
  EXPECT_EQ(client.Get("/b")->status, 200);
}

TEST_F(HttpServerTest, TakenPortIsNamed) {
  Start();
  const HttpServerOptions options{.listen = server_->address(), .threads = 1};
  const auto second = HttpServer::Start(handler_, budget_, counted_, options);
  EXPECT_EQ(second.status().code(), StatusCode::kAlreadyExists);
  EXPECT_THAT(second.status().message(), HasSubstr(server_->address().ToString()));
}

}  // namespace
}  // namespace playhead::http
