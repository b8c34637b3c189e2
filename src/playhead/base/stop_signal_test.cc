#include "playhead/base/stop_signal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace playhead {
namespace {

TEST(StopSignal, FirstSignalIsAStopRequest) {
  for (const int number : {SIGTERM, SIGINT}) {
    const StopSignal signal;
    EXPECT_FALSE(signal.token().stop_requested());
    kill(getpid(), number);
    signal.Wait();
    EXPECT_TRUE(signal.token().stop_requested());
  }
}

TEST(StopSignal, EndsWithoutASignal) { const StopSignal signal; }

TEST(StopSignalDeathTest, SecondSignalEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const int first : {SIGTERM, SIGINT}) {
    for (const int second : {SIGTERM, SIGINT}) {
      EXPECT_EXIT(
          {
            const StopSignal signal;
            kill(getpid(), first);
            signal.Wait();
            kill(getpid(), second);
            _exit(1);
          },
          testing::KilledBySignal(second), "")
          << first << " " << second;
    }
  }
}

TEST(StopSignalDeathTest, OldHandlersComeBack) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        {
          const StopSignal signal;
        }
        kill(getpid(), SIGINT);
        _exit(1);
      },
      testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace playhead
