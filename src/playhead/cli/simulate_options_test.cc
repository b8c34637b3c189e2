#include "playhead/cli/simulate_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace playhead::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kNowUs = 1'767'225'600LL * 1'000'000;  // 2026-01-01
constexpr int64_t kSecondUs = 1'000'000;

sim::SimOptions Read(const SimulateFlags& flags, std::string_view project = "listening") {
  const auto read = ReadSimulateFlags(flags, project, kNowUs);
  EXPECT_TRUE(read.ok()) << read.status().ToString();
  return read.ok() ? read->sim : sim::SimOptions();
}

std::string Refusal(const SimulateFlags& flags, std::string_view project) {
  const auto read = ReadSimulateFlags(flags, project, kNowUs);
  EXPECT_EQ(read.status().code(), StatusCode::kInvalidArgument);
  return read.status().message();
}

TEST(SimulateOptions, NothingGivenIsTheDefault) {
  const sim::SimOptions options = Read({}, "startup");
  EXPECT_EQ(options.events, 10'000);
  EXPECT_EQ(options.seed, 1U);
  EXPECT_EQ(options.from_us, 0);
  EXPECT_EQ(options.to_us, 0);
}

TEST(SimulateOptions, TimesAreUtcUnlessTheySayOtherwise) {
  const sim::SimOptions options =
      Read({.from = "2025-09-08", .to_time = "2025-09-08T20:00:00+02:00"}, "content");
  EXPECT_EQ(options.from_us, 1'757'289'600 * kSecondUs);
  EXPECT_EQ(options.to_us, (1'757'289'600 + 18 * 3600) * kSecondUs);
}

TEST(SimulateOptions, ASpanIsFilledUnlessEventsAreCounted) {
  EXPECT_EQ(Read({.from = "2025-09-08", .to_time = "2025-09-09"}).events, 0);
  EXPECT_EQ(Read({.events = 7, .from = "2025-09-08", .to_time = "2025-09-09"}).events, 7);
  EXPECT_EQ(Read({.eventsim_text = R"({"end-date":"2025-05-03"})"}).events, 0);
  EXPECT_EQ(Read({.events = 7, .eventsim_text = R"({"end-date":"2025-05-03"})"}).events, 7);
}

TEST(SimulateOptions, FlagsWinOverTheConfiguration) {
  const auto read = ReadSimulateFlags(
      {.seed = 9,
       .from = "2025-05-02",
       .faults = 0.5,
       .eventsim_text =
           R"({"seed":4,"n-users":20,"start-date":"2025-05-01","beta":600,"alpha":1})"},
      "listening", kNowUs);
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->sim.seed, 9U);
  EXPECT_EQ(read->sim.users, 20);
  EXPECT_EQ(read->sim.from_us, 1'746'144'000 * kSecondUs);
  EXPECT_EQ(read->sim.faults, 0.5);
  EXPECT_EQ(read->sim.listening.session_interval_ms, 600'000);
  EXPECT_THAT(read->ignored_keys, ElementsAre("alpha"));
}

TEST(SimulateOptions, WhatAProjectDoesNotKnowIsRefused) {
  EXPECT_THAT(Refusal({.eventsim_text = "{}"}, "content"), HasSubstr("--eventsim"));
  EXPECT_THAT(Refusal({.users = 5}, "campaigns"), HasSubstr("--users"));
  EXPECT_THAT(Refusal({.users = 5}, "startup"), HasSubstr("--users"));
  EXPECT_THAT(Refusal({.to_time = "2025-01-01"}, "startup"), HasSubstr("--to-time"));
  EXPECT_THAT(Refusal({.rate = 10}, "streampro"), HasSubstr("--rate"));
  EXPECT_THAT(Refusal({.events = 0}, "startup"), HasSubstr("--events 0"));
  EXPECT_THAT(Refusal({.events = 0}, "streampro"), HasSubstr("--to-time"));
  EXPECT_EQ(Read({.events = 0, .to_time = "2025-10-01"}, "streampro").events, 0);
}

TEST(SimulateOptions, SpansThatTheLakeWouldRefuseAreRefused) {
  EXPECT_THAT(Refusal({.from = "yesterday"}, "content"), HasSubstr("--from yesterday: expected"));
  EXPECT_THAT(Refusal({.to_time = "2025-02-30"}, "content"), HasSubstr("--to-time 2025-02-30"));
  EXPECT_THAT(Refusal({.from = "1999-12-31T23:59:59Z"}, "content"), HasSubstr("2000-01-01"));
  EXPECT_THAT(Refusal({.from = "2026-01-03"}, "content"), HasSubstr("two days ahead"));
  EXPECT_THAT(Refusal({.to_time = "2026-01-03T00:00:00.000001"}, "content"),
              HasSubstr("two days ahead"));
  EXPECT_EQ(Read({.to_time = "2026-01-03"}, "content").to_us, kNowUs + 172'800 * kSecondUs);
  EXPECT_THAT(Refusal({.from = "2025-01-02", .to_time = "2025-01-02"}, "content"),
              HasSubstr("does not lie after"));
}

TEST(SimulateOptions, AnUnusableConfigurationNamesItsKey) {
  EXPECT_THAT(Refusal({.eventsim_text = R"({"n-users":0})"}, "listening"),
              HasSubstr("key=n-users"));
}

}  // namespace
}  // namespace playhead::cli
