#include "playhead/collector/collector.h"

#include "playhead/base/json_text.h"
#include "playhead/base/logging.h"
#include "playhead/collector/event_receipt.h"
#include "playhead/collector/record_headers.h"
#include "playhead/collector/stream_judge.h"
#include "playhead/decode/record_splitter.h"
#include "playhead/http/gzip_body.h"
#include "playhead/http/http_message.h"
#include "playhead/http/http_router.h"
#include "playhead/http/http_server.h"
#include "playhead/http/in_flight_budget.h"
#include "playhead/http/listen_address.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

namespace playhead::collector {
namespace {

using http::ErrorResponse;
using http::HttpRequest;
using http::HttpResponse;
using http::InFlightShare;
using http::Respond;
using http::RetryLaterResponse;

constexpr size_t kIdempotencyKeyBytesMax = 255;
// Memory that a record needs besides its bytes, for the in-flight budget.
constexpr int64_t kRecordOverheadBytes = 32;

// What a body may call itself, besides `application/…+json`; its bytes decide what it is. The form
// type is what curl and many clients send unasked, and a browser's beacon sends text.
constexpr std::array<std::string_view, 8> kContentTypes = {
    "",
    "application/json",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "text/plain",
};

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

bool IsKnownContentType(const std::string& field) {
  const std::string type = Lowered(Trimmed(std::string_view(field).substr(0, field.find(';'))));
  return std::ranges::find(kContentTypes, type) != kContentTypes.end() ||
         (type.starts_with("application/") && type.ends_with("+json"));
}

enum class Coding { kNone, kGzip, kUnknown };

Coding CodingOf(const HttpRequest& request) {
  const std::string coding = Lowered(Trimmed(request.Field("Content-Encoding")));
  if (coding.empty() || coding == "identity") return Coding::kNone;
  return coding == "gzip" || coding == "x-gzip" ? Coding::kGzip : Coding::kUnknown;
}

bool IsSoundKey(std::string_view key) {
  return key.size() <= kIdempotencyKeyBytesMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

HttpResponse AppendFailure(const Status& status) {
  switch (status.code()) {
    case StatusCode::kConflict:
      return ErrorResponse(422, "idempotency_key_reused", status.message());
    case StatusCode::kResourceExhausted:
      return RetryLaterResponse(429, "journal_queue_full", status.message());
    case StatusCode::kUnavailable:
      return RetryLaterResponse(503, "journal_unavailable", status.message());
    case StatusCode::kCancelled:
      return RetryLaterResponse(503, "stopping", "the collector is stopping");
    default:
      logging::Error("collector", "append failed", {{"error", status.ToString()}});
      return ErrorResponse(500, "internal", "the events could not be kept");
  }
}

struct Stream {
  CollectorStream decl;
  std::unique_ptr<StreamJudge> judge;
};

// A request on its way to the journal; the records are views into its body.
struct Delivery {
  Delivery(HttpRequest the_request, const Stream& the_stream, InFlightShare the_share,
           Respond the_respond)
      : request(std::move(the_request)),
        stream(the_stream),
        share(std::move(the_share)),
        respond(std::move(the_respond)) {}

  HttpRequest request;
  const Stream& stream;
  InFlightShare share;
  Respond respond;
  std::string unpacked;
  std::vector<std::string_view> records;
  std::vector<DeadRecord> dead;
  int64_t record_bytes = 0;
};

class EventCollector final : public Collector {
 public:
  EventCollector(log::Journal& journal, const Clock& clock, Metrics& metrics,
                 CollectorOptions options)
      : journal_(journal),
        clock_(clock),
        metrics_(metrics),
        options_(std::move(options)),
        budget_(options_.in_flight_bytes_max) {
    options_.readiness_checks.push_back({"journal", [this] { return journal_.Health(); }});
  }
  ~EventCollector() override { Stop(); }

  Status Open(std::vector<CollectorStream> streams) {
    PH_ASSIGN_OR_RETURN(http::ListenAddress listen, http::ParseListenAddress(options_.listen));
    for (CollectorStream& decl : streams) {
      auto judge = StreamJudge::Make(decl.topic, decl.schema);
      if (!judge.ok()) return judge.status().WithContext(fmt::format("stream {}", decl.name));
      const std::string name = decl.name;
      streams_.emplace(name, Stream{.decl = std::move(decl), .judge = *std::move(judge)});
    }
    http::HttpServerOptions server{.listen = std::move(listen),
                                   .threads = options_.threads,
                                   .header_bytes_max = options_.header_bytes_max,
                                   .body_bytes_max = options_.body_bytes_max,
                                   .connections_max = options_.connections_max,
                                   .request_timeout = options_.request_timeout,
                                   .idle_timeout = options_.idle_timeout,
                                   .stop_timeout = options_.stop_timeout};
    const http::HttpServerMetrics counted{
        .metrics = metrics_,
        .connections = Metric::kCollectorConnections,
        .refused_connections = Metric::kCollectorRefusedConnections,
        .requests = Metric::kCollectorRequests,
        .request_seconds = Metric::kCollectorRequestSeconds};
    PH_ASSIGN_OR_RETURN(server_,
                        http::HttpServer::Start(router_, budget_, counted, std::move(server)));
    return {};
  }

  std::string address() const override { return server_->address().ToString(); }
  int port() const override { return server_->address().port; }
  void Stop() override {
    if (server_) server_->Stop();
  }

 private:
  std::vector<http::HttpRoute> Routes() {
    const auto get = [](std::string pattern, std::function<HttpResponse()> make) {
      return http::HttpRoute{
          .method = "GET",
          .pattern = std::move(pattern),
          .refuse = {},
          .handle = [make = std::move(make)](HttpRequest, const std::vector<std::string>&,
                                             InFlightShare,
                                             const Respond& respond) { respond(make); }};
    };
    return {
        {.method = "POST",
         .pattern = "/v1/events/{stream}",
         .refuse = [this](const HttpRequest& head,
                          const auto& arguments) { return RefuseEvents(head, arguments[0]); },
         .handle =
             [this](HttpRequest request, const auto& arguments, InFlightShare share,
                    Respond respond) {
               TakeEvents(std::move(request), streams_.at(arguments[0]), std::move(share),
                          std::move(respond));
             }},
        get("/healthz", [] { return HttpResponse{.body = "{\"status\":\"ok\"}\n"}; }),
        get("/readyz", [this] { return Readiness(); }),
        get("/metrics", [this] { return MetricsText(); }),
    };
  }

  std::optional<HttpResponse> RefuseEvents(const HttpRequest& head,
                                           const std::string& stream) const {
    if (!streams_.contains(stream)) {
      return ErrorResponse(404, "unknown_stream",
                           fmt::format("no such stream; there are: {}", StreamNames()));
    }
    if (CodingOf(head) == Coding::kUnknown) {
      return ErrorResponse(415, "unknown_content_encoding", "Content-Encoding may be gzip");
    }
    if (!IsKnownContentType(head.Field("Content-Type"))) {
      return ErrorResponse(415, "unknown_content_type",
                           "Content-Type may be application/json or application/x-ndjson");
    }
    if (!IsSoundKey(head.Field("Idempotency-Key"))) {
      return ErrorResponse(
          400, "bad_idempotency_key",
          fmt::format("Idempotency-Key must be at most {} printable ASCII characters",
                      kIdempotencyKeyBytesMax));
    }
    return std::nullopt;
  }

  void TakeEvents(HttpRequest request, const Stream& stream, InFlightShare share, Respond respond) {
    auto delivery = std::make_shared<Delivery>(std::move(request), stream, std::move(share),
                                               std::move(respond));
    if (std::optional<HttpResponse> refusal = Prepare(*delivery)) {
      return delivery->respond([refusal = *std::move(refusal)] { return refusal; });
    }
    log::JournalAppend append{.topic = stream.decl.topic,
                              .records = std::move(delivery->records),
                              .idempotency_key = delivery->request.Field("Idempotency-Key")};
    append.headers_json = RecordHeadersJson(delivery->request, options_.record_headers);
    if (!append.idempotency_key.empty()) append.note = DeadRecordsNote(delivery->dead);
    // The delivery moves on with its answer: nothing of it may stay with the journal, which can
    // outlive this collector.
    journal_.AppendAsync(std::move(append), [this, delivery = std::move(delivery)](
                                                Result<log::JournalReceipt> receipt) mutable {
      const Respond respond = std::move(delivery->respond);
      respond([this, delivery = std::move(delivery), receipt = std::move(receipt)] {
        return Answer(*delivery, receipt);
      });
    });
  }

  std::string StreamNames() const {
    std::string names;
    for (const auto& [name, stream] : streams_) names += (names.empty() ? "" : ", ") + name;
    return names;
  }

  HttpResponse Readiness() const {
    std::string reasons;
    for (const ReadinessCheck& check : options_.readiness_checks) {
      const Status status = check.check();
      if (status.ok()) continue;
      if (!reasons.empty()) reasons += ',';
      reasons += "{\"check\":";
      AppendJsonBytes(check.name, &reasons);
      reasons += ",\"message\":";
      AppendJsonBytes(status.message(), &reasons);
      reasons += '}';
    }
    if (reasons.empty()) return {.body = "{\"status\":\"ready\"}\n"};
    return {.status = 503,
            .body = "{\"status\":\"not_ready\",\"reasons\":[" + reasons + "]}\n",
            .fields = {{"Retry-After", "1"}}};
  }

  HttpResponse MetricsText() {
    metrics_.Set(Metric::kCollectorInFlightBytes, static_cast<double>(budget_.bytes()));
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.Text()};
  }

  // Everything up to the journal; an answer refuses the request.
  std::optional<HttpResponse> Prepare(Delivery& delivery) {
    if (CodingOf(delivery.request) == Coding::kGzip) {
      if (auto refusal = Unpack(delivery)) return refusal;
    }
    const std::string_view body =
        CodingOf(delivery.request) == Coding::kGzip ? delivery.unpacked : delivery.request.body;
    Result<std::vector<std::string_view>> records = decode::CutBody(body, options_.records_max);
    if (records.status().code() == StatusCode::kResourceExhausted) {
      return ErrorResponse(413, "too_many_records", records.status().message());
    }
    if (!records.ok()) return ErrorResponse(400, "no_records", records.status().message());
    delivery.records = *std::move(records);
    const auto count = static_cast<int64_t>(delivery.records.size());
    if (!delivery.share.GrowTo(delivery.share.bytes() + count * kRecordOverheadBytes)) {
      return TooManyBytes();
    }
    for (const std::string_view record : delivery.records) {
      delivery.record_bytes += static_cast<int64_t>(record.size());
    }
    auto dead = delivery.stream.judge->Judge(delivery.records, clock_.NowMicros());
    if (!dead.ok()) return AppendFailure(dead.status());
    delivery.dead = *std::move(dead);
    return std::nullopt;
  }

  std::optional<HttpResponse> Unpack(Delivery& delivery) {
    const int64_t packed_bytes = delivery.share.bytes();
    const http::GunzipLimits limits{
        .bytes_max = options_.decompressed_bytes_max,
        .ratio_max = options_.decompression_ratio_max,
        .may_grow_to = [&](int64_t bytes) { return delivery.share.GrowTo(packed_bytes + bytes); }};
    Result<std::string> unpacked = http::Gunzip(delivery.request.body, limits);
    if (unpacked.ok()) {
      delivery.unpacked = *std::move(unpacked);
      return std::nullopt;
    }
    switch (unpacked.status().code()) {
      case StatusCode::kResourceExhausted:
        return ErrorResponse(413, "decompressed_body_too_large", unpacked.status().message());
      case StatusCode::kUnavailable:
        return TooManyBytes();
      default:
        return ErrorResponse(400, "bad_gzip", unpacked.status().message());
    }
  }

  HttpResponse TooManyBytes() const {
    return RetryLaterResponse(429, "too_many_bytes_in_flight",
                              fmt::format("too many request bodies are in memory:"
                                          " in_flight_bytes_max={}",
                                          options_.in_flight_bytes_max));
  }

  HttpResponse Answer(const Delivery& delivery, const Result<log::JournalReceipt>& receipt) {
    if (!receipt.ok()) return AppendFailure(receipt.status());
    const std::string& stream = delivery.stream.decl.name;
    if (receipt->is_repeat) {
      metrics_.Add(Metric::kCollectorRepeatedRequests, 1, {stream});
      Result<std::string> json = RepeatedReceiptJson(*receipt);
      if (!json.ok()) return AppendFailure(json.status());
      return {.body = *std::move(json), .fields = {{"Idempotency-Replayed", "true"}}};
    }
    metrics_.Add(Metric::kCollectorRecords, static_cast<double>(receipt->count), {stream});
    metrics_.Add(Metric::kCollectorRecordBytes, static_cast<double>(delivery.record_bytes),
                 {stream});
    std::map<std::string_view, int64_t> dead_by_reason;
    for (const DeadRecord& dead : delivery.dead) ++dead_by_reason[decode::ReasonName(dead.reason)];
    for (const auto& [reason, count] : dead_by_reason) {
      metrics_.Add(Metric::kCollectorDeadRecords, static_cast<double>(count), {stream, reason});
    }
    return {.body = ReceiptJson(*receipt, delivery.dead)};
  }

  log::Journal& journal_;
  const Clock& clock_;
  Metrics& metrics_;
  CollectorOptions options_;
  http::InFlightBudget budget_;
  std::map<std::string, Stream, std::less<>> streams_;
  http::HttpRouter router_{Routes()};
  std::unique_ptr<http::HttpServer> server_;  // last: its threads use all of the above
};

}  // namespace

Result<std::unique_ptr<Collector>> Collector::Start(std::vector<CollectorStream> streams,
                                                    log::Journal& journal, const Clock& clock,
                                                    Metrics& metrics, CollectorOptions options) {
  auto collector = std::make_unique<EventCollector>(journal, clock, metrics, std::move(options));
  PH_RETURN_IF_ERROR(collector->Open(std::move(streams)));
  return std::unique_ptr<Collector>(std::move(collector));
}

}  // namespace playhead::collector
