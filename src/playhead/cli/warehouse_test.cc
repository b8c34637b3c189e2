#include "playhead/cli/warehouse.h"

#include "playhead/ingest/landing.h"

#include <gtest/gtest.h>

namespace playhead::cli {
namespace {

TEST(IngestSettings, DefaultsAreThoseOfTheStructs) {
  const config::ResolvedConfig config;
  const ingest::EpochLimits set = EpochLimitsOf(config);
  EXPECT_EQ(set.interval_us, ingest::EpochLimits().interval_us);
  EXPECT_EQ(set.rows_max, ingest::EpochLimits().rows_max);
  EXPECT_EQ(set.bytes_max, ingest::EpochLimits().bytes_max);
  EXPECT_EQ(config.settings.Integer("landing_rest_ms") * 1000, ingest::LandingOptions().still_us);
  EXPECT_EQ(config.settings.Integer("landing_poll_ms") * 1000, ingest::LandingOptions().poll_us);
}

}  // namespace
}  // namespace playhead::cli
