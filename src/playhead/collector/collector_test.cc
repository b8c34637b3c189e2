#include "playhead/collector/collector.h"

#include "playhead/base/uuid.h"
#include "playhead/http/gzip_testing.h"
#include "playhead/http/raw_http_client.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace playhead::collector {
namespace {

using http::RawHttpClient;

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

std::shared_ptr<const decode::RowSchema> PlaysSchema() {
  auto schema = std::make_shared<decode::RowSchema>();
  schema->columns = {
      {.name = "id", .type = arrow::utf8(), .is_required = true, .accepted_values = {}},
      {.name = "seconds", .type = arrow::float64(), .accepted_values = {}},
  };
  return schema;
}

// The journal behind the collector, which can be told to fail.
class FailingJournal final : public log::Journal {
 public:
  explicit FailingJournal(std::unique_ptr<log::Journal> journal) : journal_(std::move(journal)) {}
  const std::string& id() const override { return journal_->id(); }
  Result<log::JournalReceipt> Append(log::JournalAppend append) override {
    return journal_->Append(std::move(append));
  }
  void AppendAsync(log::JournalAppend append, log::AppendDone done) override {
    if (failure != StatusCode::kOk) return done(Status(failure, "the journal's disk is full"));
    journal_->AppendAsync(std::move(append), std::move(done));
  }
  Result<int64_t> EndOffset(const std::string& topic) override {
    return journal_->EndOffset(topic);
  }
  Status Health() const override {
    return failure == StatusCode::kOk ? Status() : Status(failure, "the journal's disk is full");
  }
  void Close() override { journal_->Close(); }

  std::atomic<StatusCode> failure = StatusCode::kOk;

 private:
  std::unique_ptr<log::Journal> journal_;
};

class CollectorTest : public testing::Test {
 protected:
  void SetUp() override {
    journal_ = std::make_unique<FailingJournal>(*log::Journal::Open(folder_, SystemClock()));
  }
  void TearDown() override {
    collector_.reset();
    journal_.reset();
    fs::remove_all(folder_);
  }

  void Start(CollectorOptions options = {}) {
    options.listen = "127.0.0.1:0";
    auto collector =
        Collector::Start({{.name = "plays", .topic = "media-events", .schema = PlaysSchema()}},
                         *journal_, SystemClock(), metrics_, std::move(options));
    ASSERT_TRUE(collector.ok()) << collector.status().ToString();
    collector_ = *std::move(collector);
  }

  RawHttpClient::Answer Post(std::string_view body, std::string_view fields = "",
                             std::string_view path = "/v1/events/plays") {
    RawHttpClient client(collector_->port());
    const auto answer = client.Post(path, body, fields);
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(RawHttpClient::Answer{});
  }
  RawHttpClient::Answer Get(std::string_view path) {
    RawHttpClient client(collector_->port());
    const auto answer = client.Get(path);
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(RawHttpClient::Answer{});
  }
  void ExpectError(const RawHttpClient::Answer& answer, int status, const std::string& code) {
    EXPECT_EQ(answer.status, status) << answer.body;
    const json body = json::parse(answer.body, nullptr, false);
    ASSERT_TRUE(body.is_object()) << answer.body;
    EXPECT_EQ(body["error"]["code"], code);
    EXPECT_FALSE(body["error"]["message"].get<std::string>().empty());
  }

  std::vector<std::string> Journaled() {
    std::vector<std::string> records;
    auto reader = *log::OpenJournalReader(folder_, "media-events");
    EXPECT_TRUE(reader->Seek(reader->Partitions()->at(0), 0).ok());
    while (const log::LogBatch* batch = *reader->Read(0, 1 << 20)) {
      for (const auto& record : batch->records) records.emplace_back(record.bytes);
    }
    return records;
  }

  const std::string folder_ = (fs::temp_directory_path() / NewUuid()).string();
  Metrics metrics_;
  std::unique_ptr<FailingJournal> journal_;
  std::unique_ptr<Collector> collector_;
};

TEST_F(CollectorTest, ReceiptNamesWhereEachRecordIsAndItsVerdict) {
  Start();
  EXPECT_EQ(Post(R"({"id":"a"})").status, 200);
  const auto answer =
      Post(R"([{"id":"b","seconds":1.5}, {"seconds":2}, {"id":"c","seconds":"x"}])");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.at("content-type"), "application/json");
  const json receipt = json::parse(answer.body);
  EXPECT_EQ(receipt["log_id"], journal_->id() + "/media-events");
  EXPECT_EQ(receipt["partition"], 0);
  EXPECT_EQ(receipt["first_offset"], 1);
  EXPECT_EQ(receipt["count"], 3);
  EXPECT_EQ(receipt["ok"], 1);
  EXPECT_EQ(receipt["dead"], 2);
  ASSERT_EQ(receipt["results"].size(), 3U);
  EXPECT_EQ(receipt["results"][0], (json{{"offset", 1}, {"verdict", "ok"}}));
  EXPECT_EQ(receipt["results"][1]["verdict"], "dead");
  EXPECT_EQ(receipt["results"][1]["reason"], "missing_field");
  EXPECT_EQ(receipt["results"][2]["offset"], 3);
  EXPECT_EQ(receipt["results"][2]["reason"], "wrong_type");
  EXPECT_THAT(receipt["results"][2]["detail"].get<std::string>(), HasSubstr("seconds"));
  EXPECT_THAT(Journaled(), ElementsAre(R"({"id":"a"})", R"({"id":"b","seconds":1.5})",
                                       R"({"seconds":2})", R"({"id":"c","seconds":"x"})"));
}

TEST_F(CollectorTest, LinesAreCutWhateverTheyHoldAndKeptByteForByte) {
  Start();
  const std::string broken("{\"id\":\"\xFF", 8);
  const auto answer = Post("{\"id\":\"a\"}\n\n" + broken + "\r\n{\"id\":\"b\"}",
                           "Content-Type: application/x-ndjson; charset=utf-8\r\n");
  const json receipt = json::parse(answer.body);
  EXPECT_EQ(receipt["count"], 3);
  EXPECT_EQ(receipt["dead"], 1);
  EXPECT_EQ(receipt["results"][1]["reason"], "not_utf8");
  EXPECT_THAT(Journaled(), ElementsAre(R"({"id":"a"})", broken, R"({"id":"b"})"));
}

TEST_F(CollectorTest, NamedHeadersAreKeptWithEveryRecord) {
  CollectorOptions options;
  options.record_headers = {"user-agent", "x-request-id"};
  Start(std::move(options));
  EXPECT_EQ(Post("{\"id\":\"a\"}\n{}\n",
                 "User-Agent: player/4.2\r\nAuthorization: Bearer s\r\nX-Request-Id: r1\r\n")
                .status,
            200);
  auto reader = *log::OpenJournalReader(folder_, "media-events");
  ASSERT_TRUE(reader->Seek(reader->Partitions()->at(0), 0).ok());
  const log::LogBatch* batch = *reader->Read(0, 1 << 20);
  ASSERT_NE(batch, nullptr);
  ASSERT_EQ(batch->records.size(), 2U);
  for (const auto& record : batch->records) {
    EXPECT_EQ(record.headers_json, R"({"user-agent":"player/4.2","x-request-id":"r1"})");
  }
}

TEST_F(CollectorTest, GzipIsUnpacked) {
  Start();
  const auto answer =
      Post(http::Gzip("{\"id\":\"a\"}\n{\"id\":\"b\"}\n"), "Content-Encoding: gzip\r\n");
  EXPECT_EQ(json::parse(answer.body)["ok"], 2);
  EXPECT_THAT(Journaled(), ElementsAre(R"({"id":"a"})", R"({"id":"b"})"));
}

TEST_F(CollectorTest, WhatCannotBeCutIsRefusedAndJournalsNothing) {
  Start();
  for (const char* body : {"", " \n ", "[{\"id\":\"a\"},", "[1,2", "hello", "[]"}) {
    ExpectError(Post(body), 400, "no_records");
  }
  EXPECT_EQ(*journal_->EndOffset("media-events"), 0);
}

TEST_F(CollectorTest, PathsMethodsAndTypesAreChecked) {
  Start();
  const auto unknown = Post("{}", "", "/v1/events/views");
  ExpectError(unknown, 404, "unknown_stream");
  EXPECT_THAT(unknown.body, HasSubstr("plays"));
  ExpectError(Post("{}", "", "/v2"), 404, "not_found");
  ExpectError(Get("/"), 404, "not_found");
  const auto get = Get("/v1/events/plays");
  ExpectError(get, 405, "method_not_allowed");
  EXPECT_EQ(get.fields.at("allow"), "POST");
  ExpectError(Post("{}", "", "/healthz"), 405, "method_not_allowed");
  ExpectError(Post("{}", "Content-Type: text/xml\r\n"), 415, "unknown_content_type");
  ExpectError(Post("{}", "Content-Encoding: br\r\n"), 415, "unknown_content_encoding");
  ExpectError(Post("{}", "Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n"), 415,
              "unknown_content_encoding");
  EXPECT_EQ(*journal_->EndOffset("media-events"), 0);
}

TEST_F(CollectorTest, StreamsAndTypesMayBeSpeltInManyWays) {
  Start();
  for (const char* type : {"Application/JSON", "application/vnd.player.event+json",
                           "application/cloudevents+JSON; charset=utf-8"}) {
    EXPECT_EQ(Post("{\"id\":1}", fmt::format("content-type: {}\r\n", type)).status, 200) << type;
  }
  for (const char* path : {"/v1/events/plays/", "/v1/events/%70lays", "/v1/events/plays?x=/y",
                           "http://collector:8090/v1/events/plays"}) {
    EXPECT_EQ(Post("{\"id\":1}", "", path).status, 200) << path;
  }
  ExpectError(Post("{}", "", "/v1/events/plays%2F"), 404, "unknown_stream");
  ExpectError(Post("{}", "Content-Type: text/x+json\r\n"), 415, "unknown_content_type");
  EXPECT_EQ(*journal_->EndOffset("media-events"), 7);
}

TEST_F(CollectorTest, BombsDamageAndMassesAreRefused) {
  Start({.decompressed_bytes_max = 2 << 20, .decompression_ratio_max = 50, .records_max = 3});
  const std::string_view gzip = "Content-Encoding: gzip\r\n";
  ExpectError(Post("{\"id\":1}", gzip), 400, "bad_gzip");
  ExpectError(Post(http::Gzip("{\"id\":1}").substr(0, 15), gzip), 400, "bad_gzip");
  ExpectError(Post(http::Gzip(std::string(3 << 20, ' ')), gzip), 413,
              "decompressed_body_too_large");
  ExpectError(Post("{}\n{}\n{}\n{}\n"), 413, "too_many_records");
  EXPECT_EQ(*journal_->EndOffset("media-events"), 0);
}

TEST_F(CollectorTest, RepeatedKeyIsAnsweredWithTheFirstReceipt) {
  Start();
  const std::string_view key = "Idempotency-Key: \"k-1\"\r\n";
  const std::string body = "{\"id\":\"a\"}\n{\"id\":7,\"seconds\":\"\xC3\xA9\"}\n";
  const auto first = Post(body, key);
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(json::parse(first.body)["results"][1]["reason"], "wrong_type");
  EXPECT_FALSE(first.fields.contains("idempotency-replayed"));
  Post("{\"id\":\"z\"}");
  const auto second = Post(body, key);
  EXPECT_EQ(second.status, 200);
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(second.fields.at("idempotency-replayed"), "true");
  ExpectError(Post("{\"id\":\"b\"}", key), 422, "idempotency_key_reused");
  ExpectError(Post("{}", "Idempotency-Key: \xFF\r\n"), 400, "bad_idempotency_key");
  ExpectError(Post("{}", "Idempotency-Key: " + std::string(256, 'k') + "\r\n"), 400,
              "bad_idempotency_key");
  EXPECT_EQ(*journal_->EndOffset("media-events"), 3);
}

TEST_F(CollectorTest, FullDiskIsSaidAndForgottenWhenItIsOver) {
  Start();
  EXPECT_EQ(Get("/readyz").status, 200);
  journal_->failure = StatusCode::kUnavailable;
  const auto refused = Post("{\"id\":\"a\"}");
  ExpectError(refused, 503, "journal_unavailable");
  EXPECT_EQ(refused.fields.at("retry-after"), "1");
  const auto not_ready = Get("/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_THAT(not_ready.body,
              HasSubstr(R"({"check":"journal","message":"the journal's disk is full"})"));
  EXPECT_EQ(Get("/healthz").status, 200);
  journal_->failure = StatusCode::kResourceExhausted;
  ExpectError(Post("{\"id\":\"a\"}"), 429, "journal_queue_full");
  journal_->failure = StatusCode::kOk;
  EXPECT_EQ(Post("{\"id\":\"a\"}").status, 200);
  EXPECT_EQ(Get("/readyz").status, 200);
}

TEST_F(CollectorTest, ReadinessNamesEveryCheckThatSaysNo) {
  CollectorOptions options;
  options.readiness_checks.push_back(
      {"ingest", [] { return Status(StatusCode::kUnavailable, "behind"); }});
  Start(std::move(options));
  const auto answer = Get("/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(json::parse(answer.body)["reasons"][0],
            (json{{"check", "ingest"}, {"message", "behind"}}));
}

TEST_F(CollectorTest, MetricsCountStreamsAndReasons) {
  Start();
  Post("{\"id\":\"a\"}\n{\"seconds\":1}\n{\"seconds\":2}\n");
  Get("/none");
  const auto answer = Get("/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.fields.at("content-type"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(answer.body, HasSubstr("playhead_collector_records_total{stream=\"plays\"} 3\n"));
  EXPECT_THAT(answer.body,
              HasSubstr("playhead_collector_dead_records_total{reason=\"missing_field\","
                        "stream=\"plays\"} 2\n"));
  EXPECT_THAT(answer.body, HasSubstr("playhead_collector_requests_total{status=\"404\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("playhead_collector_request_seconds_count "));
}

TEST_F(CollectorTest, ManyClientsAtOnceLoseNothing) {
  Start();
  constexpr int kClients = 8;
  constexpr int kRequests = 30;
  std::atomic<int> acknowledged = 0;
  {
    std::vector<std::jthread> clients;
    for (int client = 0; client < kClients; ++client) {
      clients.emplace_back([&] {
        RawHttpClient http(collector_->port());
        for (int i = 0; i < kRequests; ++i) {
          const auto answer = http.Post("/v1/events/plays", "{\"id\":\"a\"}\n{\"id\":\"b\"}\n");
          if (answer && answer->status == 200)
            acknowledged += json::parse(answer->body)["ok"].get<int>();
        }
      });
    }
  }
  EXPECT_EQ(acknowledged, kClients * kRequests * 2);
  EXPECT_EQ(static_cast<int>(Journaled().size()), acknowledged);
}

TEST_F(CollectorTest, JournalClosedUnderItAnswers503) {
  Start();
  journal_->Close();
  ExpectError(Post("{\"id\":\"a\"}"), 503, "stopping");
}

TEST_F(CollectorTest, OnlyLoopbackIsServed) {
  const auto refused = Collector::Start({}, *journal_, SystemClock(), metrics_,
                                        {.listen = "0.0.0.0:8090", .readiness_checks = {}});
  EXPECT_EQ(refused.status().code(), StatusCode::kPermissionDenied);
}

TEST_F(CollectorTest, StreamThatCannotBeDecodedIsNamed) {
  auto schema = std::make_shared<decode::RowSchema>();
  schema->timezone = "Mars/Olympus";
  const auto refused =
      Collector::Start({{.name = "plays", .topic = "t", .schema = schema}}, *journal_,
                       SystemClock(), metrics_, {.listen = "127.0.0.1:0", .readiness_checks = {}});
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("plays"));
}

}  // namespace
}  // namespace playhead::collector
