#include "playhead/collector/record_headers.h"
#include "playhead/config/config.h"

#include <chrono>
#include <string>
#include <string_view>

namespace playhead::config {

sql::EngineOptions EngineOptionsOf(const ResolvedConfig& config) {
  return {.memory_bytes_max = config.settings.Integer("sql.memory_bytes_max"),
          .threads = static_cast<int32_t>(config.settings.Integer("sql.threads")),
          .temp_folder = config.temp_folder};
}

log::JournalOptions JournalOptionsOf(const ResolvedConfig& config) {
  constexpr int64_t kMicrosPerHour = 3600LL * 1'000'000;
  return {.retention_us = config.settings.Integer("journal.retention_hours") * kMicrosPerHour,
          .segment_bytes = config.settings.Integer("journal.segment_bytes_max"),
          .queue_bytes_max = config.settings.Integer("journal.queue_bytes_max")};
}

collector::CollectorOptions CollectorOptionsOf(const ResolvedConfig& config) {
  const Settings& settings = config.settings;
  auto record_headers = collector::ParseRecordHeaders(settings.Text("collector.record_headers"));
  PH_CHECK(record_headers.ok());  // checked with the settings
  const auto millis = [&](std::string_view key) {
    return std::chrono::milliseconds(settings.Integer(key));
  };
  return {.listen = settings.Text("listen"),
          .threads = static_cast<int>(settings.Integer("collector.threads")),
          .header_bytes_max = settings.Integer("collector.header_bytes_max"),
          .body_bytes_max = settings.Integer("collector.body_bytes_max"),
          .decompressed_bytes_max = settings.Integer("collector.decompressed_bytes_max"),
          .decompression_ratio_max = settings.Integer("collector.decompression_ratio_max"),
          .records_max = settings.Integer("collector.records_max"),
          .in_flight_bytes_max = settings.Integer("collector.in_flight_bytes_max"),
          .connections_max = static_cast<int>(settings.Integer("collector.connections_max")),
          .record_headers = *std::move(record_headers),
          .request_timeout = millis("collector.request_timeout_ms"),
          .idle_timeout = millis("collector.idle_timeout_ms"),
          .stop_timeout = millis("collector.stop_timeout_ms")};
}

}  // namespace playhead::config
