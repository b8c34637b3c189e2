#include "playhead/base/crash_point.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace playhead {
namespace {

class CrashPointDeathTest : public testing::Test {
 protected:
  // "threadsafe" runs each death test in a fresh process, where no crash point was passed yet.
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

void PassWith(const char* crash_at, int passings) {
  setenv("PLAYHEAD_CRASH_AT", crash_at, 1);
  for (int i = 0; i < passings; ++i) CrashPoint("here");
  CrashPoint("elsewhere");
  _exit(7);
}

TEST_F(CrashPointDeathTest, KillsAtTheNamedPassing) {
  EXPECT_EXIT(PassWith("here", 1), testing::KilledBySignal(SIGKILL), "");
  EXPECT_EXIT(PassWith("here:3", 3), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(CrashPointDeathTest, DoesNothingElsewhere) {
  EXPECT_EXIT(PassWith("here:3", 2), testing::ExitedWithCode(7), "");
  EXPECT_EXIT(PassWith("there", 2), testing::ExitedWithCode(7), "");
  EXPECT_EXIT(PassWith("", 2), testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace playhead
