#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead {

/// Every metric of the program. Name, kind, labels and help are one row each of the table in
/// metrics.cc, in this order; docs and tests read that table.
enum class Metric : size_t {
  kCollectorRequests,
  kCollectorRequestSeconds,
  kCollectorRecords,
  kCollectorDeadRecords,
  kCollectorRecordBytes,
  kCollectorRepeatedRequests,
  kCollectorConnections,
  kCollectorRefusedConnections,
  kCollectorInFlightBytes,
  kLogCommits,
  kLogCommitSeconds,
  kLogCommitFailures,
  kLogRecords,
  kLogRecordBytes,
  kLogQueueBytes,
  kLogWalBytes,
  kLogSegments,
  kLogDamagedSegments,
  kIngestRecords,
  kIngestDeadRecords,
  kIngestCommits,
  kIngestHeld,
  kCount,
};

enum class MetricKind { kCounter, kGauge, kHistogram };

/// One row of the table.
struct MetricDecl {
  Metric id;
  MetricKind kind;
  std::string_view name;  ///< `playhead_<folder>_<noun>_<unit>`, counters end in `_total`
  std::string_view help;
  /// Names of the labels. Their values come only from bounded sets: streams, reasons, status codes.
  std::vector<std::string_view> labels;
  std::vector<double> buckets;  ///< upper bounds of a histogram
};

std::span<const MetricDecl> AllMetrics();

/// The values of all metrics. A call with the wrong kind or number of labels is a bug and aborts.
/// Each call takes a lock and a lookup: once per request, group or epoch is right, once per record
/// is not. Threads: any.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  using LabelValues = std::initializer_list<std::string_view>;
  /// Raises a counter.
  void Add(Metric metric, double amount, LabelValues labels = {});
  /// Sets a gauge.
  void Set(Metric metric, double value, LabelValues labels = {});
  /// Puts a value into a histogram.
  void Observe(Metric metric, double value, LabelValues labels = {});

  /// Everything in Prometheus' text format. Metrics without labels appear from the start, those
  /// with labels once they have a value.
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace playhead
