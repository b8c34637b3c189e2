#include "playhead/base/metrics.h"

#include "playhead/base/status.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <sstream>

namespace playhead {
namespace {

using enum MetricKind;

const std::vector<double> kLatencySeconds = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02,
                                             0.05,   0.1,   0.2,   0.5,   1,    5};

}  // namespace

std::span<const MetricDecl> AllMetrics() {
  // Not destroyed, since threads may count while the process ends.
  static const auto& table = *new std::vector<MetricDecl>{
      {Metric::kCollectorRequests,
       kCounter,
       "playhead_collector_requests_total",
       "HTTP requests answered, by status code.",
       {"status"},
       {}},
      {Metric::kCollectorRequestSeconds,
       kHistogram,
       "playhead_collector_request_seconds",
       "From a request's last byte to its answer.",
       {},
       kLatencySeconds},
      {Metric::kCollectorRecords,
       kCounter,
       "playhead_collector_records_total",
       "Records acknowledged as durable, dead ones included.",
       {"stream"},
       {}},
      {Metric::kCollectorDeadRecords,
       kCounter,
       "playhead_collector_dead_records_total",
       "Acknowledged records whose verdict was dead, by reason.",
       {"stream", "reason"},
       {}},
      {Metric::kCollectorRecordBytes,
       kCounter,
       "playhead_collector_record_bytes_total",
       "Bytes of acknowledged records.",
       {"stream"},
       {}},
      {Metric::kCollectorRepeatedRequests,
       kCounter,
       "playhead_collector_repeated_requests_total",
       "Requests answered with the receipt of an earlier one (Idempotency-Key).",
       {"stream"},
       {}},
      {Metric::kCollectorConnections,
       kGauge,
       "playhead_collector_connections",
       "Open connections.",
       {},
       {}},
      {Metric::kCollectorRefusedConnections,
       kCounter,
       "playhead_collector_refused_connections_total",
       "Connections beyond collector.connections_max, answered 503.",
       {},
       {}},
      {Metric::kCollectorInFlightBytes,
       kGauge,
       "playhead_collector_in_flight_bytes",
       "Request bodies in memory.",
       {},
       {}},
      {Metric::kLogCommits,
       kCounter,
       "playhead_log_commits_total",
       "Transactions of the journal; each makes a group of appends durable.",
       {},
       {}},
      {Metric::kLogCommitSeconds,
       kHistogram,
       "playhead_log_commit_seconds",
       "Duration of one journal transaction.",
       {},
       kLatencySeconds},
      {Metric::kLogCommitFailures,
       kCounter,
       "playhead_log_commit_failures_total",
       "Journal transactions that failed and were rolled back.",
       {},
       {}},
      {Metric::kLogRecords,
       kCounter,
       "playhead_log_records_total",
       "Records made durable in the journal.",
       {"topic"},
       {}},
      {Metric::kLogRecordBytes,
       kCounter,
       "playhead_log_record_bytes_total",
       "Bytes of records made durable in the journal.",
       {"topic"},
       {}},
      {Metric::kLogQueueBytes,
       kGauge,
       "playhead_log_queue_bytes",
       "Bytes of appends that wait for the journal.",
       {},
       {}},
      {Metric::kLogWalBytes,
       kGauge,
       "playhead_log_wal_bytes",
       "Pages in the journal's write-ahead log, in bytes.",
       {},
       {}},
      {Metric::kLogSegments,
       kGauge,
       "playhead_log_segments",
       "Segment files of the journal.",
       {},
       {}},
      {Metric::kLogDamagedSegments,
       kGauge,
       "playhead_log_damaged_segments",
       "Segments of the journal with records that cannot be read.",
       {},
       {}},
      {Metric::kIngestRecords,
       kCounter,
       "playhead_ingest_records_total",
       "Records committed to tables, by stream and verdict (good, dead, skipped).",
       {"stream", "verdict"},
       {}},
      {Metric::kIngestDeadRecords,
       kCounter,
       "playhead_ingest_dead_records_total",
       "Dead letters committed, by stream and reason.",
       {"stream", "reason"},
       {}},
      {Metric::kIngestCommits,
       kCounter,
       "playhead_ingest_commits_total",
       "Epochs committed.",
       {"stream"},
       {}},
      {Metric::kIngestHeld,
       kGauge,
       "playhead_ingest_held",
       "1 while a stream cannot go on; /readyz says why.",
       {"stream"},
       {}},
  };
  return table;
}

namespace {

const MetricDecl& DeclOf(Metric metric, MetricKind kind, size_t labels) {
  const MetricDecl& decl = AllMetrics()[static_cast<size_t>(metric)];
  PH_CHECK(decl.kind == kind && decl.labels.size() == labels);
  return decl;
}

prometheus::Labels LabelsOf(const MetricDecl& decl, Metrics::LabelValues values) {
  prometheus::Labels labels;
  auto name = decl.labels.begin();
  for (const std::string_view value : values) {
    labels.emplace(std::string(*name++), std::string(value));
  }
  return labels;
}

}  // namespace

struct Metrics::State {
  // One of the three, by the metric's kind.
  struct Family {
    prometheus::Family<prometheus::Counter>* counter = nullptr;
    prometheus::Family<prometheus::Gauge>* gauge = nullptr;
    prometheus::Family<prometheus::Histogram>* histogram = nullptr;
  };

  prometheus::Registry registry;
  std::vector<Family> families;
};

Metrics::Metrics() : state_(std::make_unique<State>()) {
  for (const MetricDecl& decl : AllMetrics()) {
    PH_CHECK(static_cast<size_t>(decl.id) == state_->families.size());
    State::Family& family = state_->families.emplace_back();
    const std::string name(decl.name);
    const std::string help(decl.help);
    const bool is_plain = decl.labels.empty();
    switch (decl.kind) {
      case kCounter:
        family.counter =
            &prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
        if (is_plain) family.counter->Add({});
        break;
      case kGauge:
        family.gauge = &prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
        if (is_plain) family.gauge->Add({});
        break;
      case kHistogram:
        family.histogram =
            &prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
        if (is_plain) family.histogram->Add({}, decl.buckets);
        break;
    }
  }
  PH_CHECK(state_->families.size() == static_cast<size_t>(Metric::kCount));
}

Metrics::~Metrics() = default;

void Metrics::Add(Metric metric, double amount, LabelValues labels) {
  const MetricDecl& decl = DeclOf(metric, kCounter, labels.size());
  state_->families[static_cast<size_t>(metric)]
      .counter->Add(LabelsOf(decl, labels))
      .Increment(amount);
}

void Metrics::Set(Metric metric, double value, LabelValues labels) {
  const MetricDecl& decl = DeclOf(metric, kGauge, labels.size());
  state_->families[static_cast<size_t>(metric)].gauge->Add(LabelsOf(decl, labels)).Set(value);
}

void Metrics::Observe(Metric metric, double value, LabelValues labels) {
  const MetricDecl& decl = DeclOf(metric, kHistogram, labels.size());
  state_->families[static_cast<size_t>(metric)]
      .histogram->Add(LabelsOf(decl, labels), decl.buckets)
      .Observe(value);
}

std::string Metrics::Text() const {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, state_->registry.Collect());
  return text.str();
}

}  // namespace playhead
