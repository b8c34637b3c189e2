#include "playhead/base/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace playhead::logging {

// Counts how often it is printed.
struct Costly {
  int* printed;
};

}  // namespace playhead::logging

template <>
struct fmt::formatter<playhead::logging::Costly> : fmt::formatter<fmt::string_view> {
  auto format(const playhead::logging::Costly& costly, fmt::format_context& context) const {
    ++*costly.printed;
    return fmt::formatter<fmt::string_view>::format("costly", context);
  }
};

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

TEST(Logging, ValuesOfDroppedLinesAreNotPrinted) {
  int printed = 0;
  Debug("test", "dropped", {{"value", Costly{&printed}}});
  EXPECT_EQ(printed, 0);
  testing::internal::CaptureStderr();
  Info("test", "kept", {{"value", Costly{&printed}}});
  EXPECT_THAT(testing::internal::GetCapturedStderr(), testing::HasSubstr("value=costly"));
  EXPECT_EQ(printed, 1);
}

TEST(Logging, StatusLineStaysBelow) {
  testing::internal::CaptureStderr();
  SetStatusLine("busy");
  Info("test", "first");
  SetStatusLine("busy");
  SetStatusLine("");
  Info("test", "second");
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::MatchesRegex("\r\x1b.Kbusy\r\x1b.Ktime=.*msg=\"first\"\n"
                                    "\r\x1b.Kbusy\r\x1b.Ktime=.*msg=\"second\"\n"));
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
