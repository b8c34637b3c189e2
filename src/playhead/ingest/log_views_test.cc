#include "playhead/ingest/log_views.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace playhead::ingest {
namespace {

/// One partition with bounds that the test sets; of its offsets `lost` cannot be read.
class OnePartition final : public log::LogReader {
 public:
  OnePartition(OffsetRange& bounds, OffsetRange lost) : bounds_(bounds), lost_(lost) {}

  Result<std::vector<LogPartition>> Partitions() override { return std::vector{Partition()}; }
  Result<OffsetRange> Bounds(const LogPartition&) override { return bounds_; }
  Status Seek(const LogPartition&, int64_t offset) override {
    if (offset < bounds_.begin) return {StatusCode::kDataCorrupt, "gone"};
    next_ = offset;
    return {};
  }
  Result<const log::LogBatch*> Read(int, int64_t) override {
    const log::LogBatch* nothing = nullptr;
    if (next_ >= bounds_.end) return nothing;
    batch_ = {.from = Partition(), .begin = next_, .next_offset = std::min(next_ + 2, bounds_.end)};
    if (next_ < lost_.begin) batch_.next_offset = std::min(batch_.next_offset, lost_.begin);
    if (next_ >= lost_.begin && next_ < lost_.end) {
      batch_.next_offset = lost_.end;
      batch_.damage = "file=segment-1";
    }
    next_ = batch_.damage.empty() ? batch_.next_offset : bounds_.end;  // until it is sought again
    return &batch_;
  }

  static LogPartition Partition() { return {.log_id = "log", .topic = "plays"}; }

 private:
  OffsetRange& bounds_;
  OffsetRange lost_;
  int64_t next_ = 0;
  log::LogBatch batch_;
};

TEST(LogViews, TrimmingAndGrowthBetweenTheLooksDoNotPutTheLogBehindTheTables) {
  OffsetRange bounds{.begin = 5, .end = 10};
  LogViews views([&](const std::string&) -> Result<std::unique_ptr<log::LogReader>> {
    return std::unique_ptr<log::LogReader>(std::make_unique<OnePartition>(bounds, OffsetRange()));
  });
  views.Look("plays");
  bounds = {.begin = 8, .end = 20};
  views.LookAgain();
  const OffsetRange* seen = views.Of("plays").Find(OnePartition::Partition());
  ASSERT_NE(seen, nullptr);
  EXPECT_EQ(*seen, (OffsetRange{.begin = 5, .end = 20}));
}

TEST(LogViews, ALogThatCannotBeOpenedSaysWhy) {
  LogViews views([](const std::string&) -> Result<std::unique_ptr<log::LogReader>> {
    return Error(StatusCode::kUnavailable, "no broker");
  });
  EXPECT_EQ(views.Of("plays").failure.code(), StatusCode::kUnavailable);
  EXPECT_TRUE(views.Of("plays").bounds.empty());
}

TEST(FindLostOffsets, NamesWhatCannotBeReadAndGoesOnBehindIt) {
  OffsetRange bounds{.begin = 3, .end = 20};
  OnePartition reader(bounds, {.begin = 8, .end = 12});
  // Offset 0 was trimmed since the caller looked.
  const auto lost = FindLostOffsets(reader, OnePartition::Partition(), 0, 20);
  ASSERT_TRUE(lost.ok()) << lost.status().ToString();
  ASSERT_EQ(lost->size(), 1U);
  EXPECT_EQ(lost->front().range, (OffsetRange{.begin = 8, .end = 12}));
  EXPECT_EQ(lost->front().why, "file=segment-1");
}

TEST(FindLostOffsets, ALogThatGivesLessThanItSaysIsNoProof) {
  OffsetRange bounds{.begin = 0, .end = 10};
  OnePartition reader(bounds, {});
  const auto lost = FindLostOffsets(reader, OnePartition::Partition(), 0, 11);
  EXPECT_EQ(lost.status().code(), StatusCode::kUnavailable);
}

TEST(JournalTopicOf, TellsAJournalFromKafkaAndFromAnEarlierRelease) {
  const std::string uuid = "29d38225-bf7e-4cfd-ae15-a2fc5981e5bc";
  EXPECT_EQ(JournalTopicOf(uuid + "/plays/eu"), "plays/eu");
  EXPECT_EQ(JournalTopicOf(uuid), std::nullopt);
  EXPECT_EQ(JournalTopicOf(uuid + "/"), std::nullopt);
  EXPECT_EQ(JournalTopicOf("MkU3OEVBNTcwNTJENDM2Qg/lkCLLoGbQh2GvzwWv2GPSA"), std::nullopt);
}

}  // namespace
}  // namespace playhead::ingest
