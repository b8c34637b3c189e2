#include "playhead/base/status.h"

#include "playhead/base/arrow_status.h"

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/io_util.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace playhead {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) return Error(StatusCode::kInvalidArgument, "odd number: value={}", number);
  return number / 2;
}

Result<int> Quarter(int number) {
  PH_ASSIGN_OR_RETURN(const int half, Half(number));
  PH_ASSIGN_OR_RETURN(const int quarter, Half(half));
  return quarter;
}

Status FromArrow(const arrow::Status& status) {
  PH_RETURN_IF_ERROR(status);
  return {};
}

TEST(Status, IsOkWithoutMessage) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.ToString(), "OK");
}

TEST(Status, ContextGoesBeforeTheMessageAndKeepsTheCode) {
  const Status status = Error(StatusCode::kNotFound, "no such table: name={}", "plays");
  EXPECT_EQ(status.WithContext("ask").ToString(), "NotFound: ask: no such table: name=plays");
  EXPECT_TRUE(OkStatus().WithContext("ask").ok());
}

TEST(Status, EveryCodeHasItsOwnName) {
  std::set<std::string_view> names;
  for (int code = 0; code <= static_cast<int>(StatusCode::kInternal); ++code) {
    names.insert(StatusCodeName(static_cast<StatusCode>(code)));
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(StatusCode::kInternal) + 1);
  EXPECT_FALSE(names.contains("Unknown"));
}

TEST(Result, PassesTheFirstFailureOn) {
  EXPECT_EQ(*Quarter(12), 3);
  const Result<int> failed = Quarter(6);
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().message(), "odd number: value=3");
}

TEST(ArrowStatus, CodesSayWhatTheCallerDoes) {
  EXPECT_TRUE(FromArrow(arrow::Status::OK()).ok());
  const auto code_of = [](const arrow::Status& status) { return FromArrow(status).code(); };
  EXPECT_EQ(code_of(arrow::Status::Invalid("x")), StatusCode::kInvalidArgument);
  EXPECT_EQ(code_of(arrow::Status::OutOfMemory("x")), StatusCode::kResourceExhausted);
  EXPECT_EQ(code_of(arrow::Status::Cancelled("x")), StatusCode::kCancelled);
  EXPECT_EQ(code_of(arrow::Status::IOError("x")), StatusCode::kUnavailable);
  EXPECT_EQ(code_of(arrow::internal::IOErrorFromErrno(ENOSPC, "x")),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(code_of(arrow::internal::IOErrorFromErrno(ENOENT, "x")), StatusCode::kNotFound);
}

TEST(ResultDeathTest, OkIsNoReason) {
  EXPECT_DEATH((void)Result<int>{OkStatus()}, "broken invariant at .*status.h");
}

TEST(StatusDeathTest, BrokenInvariantNamesThePlace) {
  EXPECT_DEATH(PH_CHECK(1 == 2), "broken invariant at .*status_test.cc:[0-9]+: 1 == 2");
}

}  // namespace
}  // namespace playhead
