#include "playhead/base/retry.h"

#include <gtest/gtest.h>

namespace playhead {
namespace {

using std::chrono::milliseconds;

const RetryOptions kQuick = {.backoff_first = milliseconds(1),
                             .backoff_max = milliseconds(2),
                             .give_up_after = milliseconds(10'000)};

TEST(Retry, OnlyUnavailableIsTriedAgain) {
  int tries = 0;
  const Status status = Retry(kQuick, {}, [&]() -> Status {
    if (++tries < 3) return Status(StatusCode::kUnavailable, "away");
    return Status(StatusCode::kConflict, "moved");
  });
  EXPECT_EQ(tries, 3);
  EXPECT_EQ(status.code(), StatusCode::kConflict);
  EXPECT_EQ(status.message(), "moved");
}

TEST(Retry, ReturnsTheValue) {
  int tries = 0;
  const Result<int> value = RetryResult<int>(kQuick, {}, [&]() -> Result<int> {
    if (++tries < 2) return Status(StatusCode::kUnavailable, "away");
    return 42;
  });
  EXPECT_EQ(*value, 42);
}

TEST(Retry, GivesUpWithTheLastErrorAndTheNumberOfTries) {
  RetryOptions options = kQuick;
  options.give_up_after = milliseconds(20);
  int tries = 0;
  const Status status =
      Retry(options, {}, [&] { return Error(StatusCode::kUnavailable, "away: try={}", ++tries); });
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_GT(tries, 1);
  EXPECT_EQ(status.message(), fmt::format("gave up after {} tries: away: try={}", tries, tries));
}

TEST(Retry, NoTimeIsOneTry) {
  RetryOptions options = kQuick;
  options.give_up_after = milliseconds(0);
  int tries = 0;
  const Status status = Retry(options, {}, [&] {
    ++tries;
    return Status(StatusCode::kUnavailable, "away");
  });
  EXPECT_EQ(tries, 1);
  EXPECT_EQ(status.message(), "away");
}

TEST(Retry, StopIsCancelled) {
  std::stop_source stop;
  const RetryOptions patient = {.backoff_first = milliseconds(60'000),
                                .backoff_max = milliseconds(60'000),
                                .give_up_after = milliseconds(3'600'000)};
  const Status status = Retry(patient, stop.get_token(), [&] {
    stop.request_stop();
    return Status(StatusCode::kUnavailable, "away");
  });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
}

}  // namespace
}  // namespace playhead
