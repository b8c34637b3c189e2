#include "playhead/config/config.h"

#include <gtest/gtest.h>

namespace playhead::config {
namespace {

// One truth about each default: a program that is set up without settings behaves as one with them.
TEST(Options, DefaultsOfTheSettingsAreThoseOfTheStructs) {
  const ResolvedConfig config;

  const sql::EngineOptions engine = EngineOptionsOf(config);
  EXPECT_EQ(engine.memory_bytes_max, sql::EngineOptions().memory_bytes_max);
  EXPECT_EQ(engine.threads, sql::EngineOptions().threads);

  const log::JournalOptions journal = JournalOptionsOf(config);
  EXPECT_EQ(journal.retention_us, log::JournalOptions().retention_us);
  EXPECT_EQ(journal.segment_bytes, log::JournalOptions().segment_bytes);
  EXPECT_EQ(journal.queue_bytes_max, log::JournalOptions().queue_bytes_max);

  const collector::CollectorOptions set = CollectorOptionsOf(config);
  const collector::CollectorOptions own;
  EXPECT_EQ(set.listen, own.listen);
  EXPECT_EQ(set.threads, own.threads);
  EXPECT_EQ(set.header_bytes_max, own.header_bytes_max);
  EXPECT_EQ(set.body_bytes_max, own.body_bytes_max);
  EXPECT_EQ(set.decompressed_bytes_max, own.decompressed_bytes_max);
  EXPECT_EQ(set.decompression_ratio_max, own.decompression_ratio_max);
  EXPECT_EQ(set.records_max, own.records_max);
  EXPECT_EQ(set.in_flight_bytes_max, own.in_flight_bytes_max);
  EXPECT_EQ(set.connections_max, own.connections_max);
  EXPECT_EQ(set.record_headers, own.record_headers);
  EXPECT_EQ(set.request_timeout, own.request_timeout);
  EXPECT_EQ(set.idle_timeout, own.idle_timeout);
  EXPECT_EQ(set.stop_timeout, own.stop_timeout);
}

}  // namespace
}  // namespace playhead::config
