#include "playhead/cli/live_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace playhead::cli {
namespace {

TEST(LiveStatus, SumsStreamsAndNamesWhatIsHeld) {
  ingest::StatusBoard board;
  EXPECT_EQ(StatusText(TotalsOf(board.States()), 0), "0 events/s, 0 committed, 0 dead");
  board.Add({.stream = "plays", .read = 1'000, .good = 990, .dead = 10});
  board.SetLag("plays", 1'500);
  board.Add({.stream = "users", .good = 500, .files = 2});
  EXPECT_EQ(StatusText(TotalsOf(board.States()), 1234.6),
            "1,235 events/s, 1,500 committed, lag 1,500, 10 dead, 2 files");
  board.Hold("users", "no room");
  board.SetLag("plays", 0);
  EXPECT_EQ(StatusText(TotalsOf(board.States()), 0),
            "0 events/s, 1,500 committed, lag 0, 10 dead, 2 files; held: users");
}

// What goes to stderr until there is something.
std::string Said(bool is_terminal) {
  ingest::StatusBoard board;
  std::string said;
  testing::internal::CaptureStderr();
  {
    const LiveStatus status(board, is_terminal, std::chrono::milliseconds(1));
    // What is written between two captures is lost, so there is always more to say.
    while (said.empty()) {
      board.Add({.stream = "plays", .good = 1});
      said = testing::internal::GetCapturedStderr();
      testing::internal::CaptureStderr();
    }
  }
  return said + testing::internal::GetCapturedStderr();
}

TEST(LiveStatus, IsOneLineOnATerminalAndIsTakenAway) {
  const std::string said = Said(true);
  EXPECT_THAT(said, testing::HasSubstr(" committed, 0 dead"));
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("\n")));
  EXPECT_THAT(said, testing::EndsWith("\r\x1b[K"));
}

TEST(LiveStatus, IsALogLineElsewhere) {
  EXPECT_THAT(Said(false), testing::ContainsRegex("level=info in=ingest msg=\"[0-9,]+ events/s, "
                                                  "[0-9,]+ committed, 0 dead\"\n"));
}

}  // namespace
}  // namespace playhead::cli
