#include "playhead/base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace playhead::logging {
namespace {

TEST(Logging, LineIsKeyValueWithQuotesOnlyWhereNeeded) {
  EXPECT_EQ(FormatLine(Level::kWarn, "ingest", "partition paused",
                       {{"topic", "plays"}, {"queue_rows", 65536}, {"path", "/a b"}}),
            "level=warn in=ingest msg=\"partition paused\" topic=plays queue_rows=65536 "
            "path=\"/a b\"");
}

TEST(Logging, ValueCannotForgeALine) {
  const std::string line =
      FormatLine(Level::kInfo, "server", "bad key",
                 {{"key", "a\nlevel=error \"b\"\\"}, {"empty", ""}, {"bell", std::string("\a")}});
  EXPECT_EQ(line,
            "level=info in=server msg=\"bad key\" key=\"a\\nlevel=error \\\"b\\\"\\\\\" empty=\"\" "
            "bell=\"\\x07\"");
}

TEST(Logging, LinesBelowTheLevelAreDropped) {
  testing::internal::CaptureStderr();
  Info("test", "first", {{"n", 1}});
  Debug("test", "second");
  SetLevel(Level::kError);
  EXPECT_FALSE(IsOn(Level::kWarn));
  Warn("test", "third");
  Error("test", "fourth");
  SetLevel(Level::kInfo);
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::MatchesRegex("time=[-0-9]+T[:.0-9]+Z level=info in=test msg=\"first\" n=1\n"
                                    "time=[-0-9]+T[:.0-9]+Z level=error in=test msg=\"fourth\"\n"));
}

}  // namespace
}  // namespace playhead::logging
