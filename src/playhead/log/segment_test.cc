#include "playhead/log/segment.h"

#include "playhead/base/uuid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace playhead::log {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<std::string_view> Cut(std::string_view lengths, std::string_view bytes, int64_t count,
                                  bool expected = true) {
  std::vector<std::string_view> records;
  EXPECT_EQ(CutRecords(lengths, bytes, count, records), expected);
  return records;
}

TEST(EntryLengths, AreLeb128) {
  const std::string long_record(300, 'x');
  const std::vector<std::string_view> records = {"a", "", long_record};
  // 300 = 0b10'0101100: the low seven bits first, with the high bit set.
  EXPECT_EQ(EncodeLengths(records), std::string("\x01\x00\xAC\x02", 4));
}

TEST(EntryLengths, CutWhatWasJoined) {
  const std::string long_record(70'000, 'x');
  const std::vector<std::string_view> records = {"", "ab", long_record, "c", ""};
  std::string bytes;
  for (const auto record : records) bytes += record;
  EXPECT_EQ(Cut(EncodeLengths(records), bytes, 5), records);
  EXPECT_THAT(Cut("", "whole", 1), ElementsAre("whole"));
}

TEST(EntryLengths, DamageIsSeen) {
  Cut("", "ab", 2, false);
  Cut("\x01", "ab", 1, false);
  Cut("\x01\x01", "ab", 3, false);
  Cut("\x01\x05", "ab", 2, false);
  Cut("\x01\x81", "ab", 2, false);
  Cut(std::string(10, '\xFF'), "ab", 2, false);
}

class SegmentTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / NewUuid();
  const std::string path_ = (folder_ / "segment-0000000007.db").string();
  const SegmentInfo info_{.journal_id = "log", .number = 7, .created_at_us = 5};
};

TEST_F(SegmentTest, KnowsItsIdentityBasesAndEnds) {
  auto segment = *SegmentWriter::Create(path_, info_, {{"plays", 100}, {"views", 3}});
  EXPECT_FALSE(segment->has_entries());
  const std::vector<std::string_view> records = {"a", "b"};
  ASSERT_TRUE(segment
                  ->InTransaction([&] {
                    return segment->AddEntry(
                        {.topic = "plays", .records = records, .first_offset = 100});
                  })
                  .ok());
  ASSERT_TRUE(
      segment
          ->InTransaction([&] { return segment->AddEntry({.topic = "new", .records = records}); })
          .ok());
  EXPECT_TRUE(segment->has_entries());
  segment.reset();

  auto again = *SegmentWriter::Open(path_, "log", 7);
  EXPECT_TRUE(again->has_entries());
  EXPECT_EQ(again->info().created_at_us, 5);
  EXPECT_THAT(*BaseOffsets(again->db()),
              ElementsAre(Pair("new", 0), Pair("plays", 100), Pair("views", 3)));
  EXPECT_EQ(**EndOffsetIn(again->db(), "plays", kSegmentFormat), 102);
  EXPECT_EQ(**EndOffsetIn(again->db(), "views", kSegmentFormat), 3);
  EXPECT_EQ(**EndOffsetIn(again->db(), "new", kSegmentFormat), 2);
  EXPECT_EQ(*EndOffsetIn(again->db(), "none", kSegmentFormat), std::nullopt);
}

TEST_F(SegmentTest, FailedTransactionLeavesNothing) {
  auto segment = *SegmentWriter::Create(path_, info_, {});
  const std::vector<std::string_view> records = {"a"};
  const auto add = [&] { return segment->AddEntry({.topic = "plays", .records = records}); };
  EXPECT_FALSE(segment
                   ->InTransaction([&]() -> Status {
                     PH_RETURN_IF_ERROR(add());
                     return Status(StatusCode::kInternal, "no");
                   })
                   .ok());
  EXPECT_EQ(*EndOffsetIn(segment->db(), "plays", kSegmentFormat), std::nullopt);
  EXPECT_FALSE(segment->has_entries());
  // The topic's table was rolled back with its first entry, and comes again with the next one.
  ASSERT_TRUE(segment->InTransaction(add).ok());
  EXPECT_EQ(**EndOffsetIn(segment->db(), "plays", kSegmentFormat), 1);
}

TEST_F(SegmentTest, ReceiptsComeBack) {
  auto segment = *SegmentWriter::Create(path_, info_, {});
  int64_t id = 0;
  const StoredReceipt receipt{.key = "k",
                              .topic = "plays",
                              .first_offset = 4,
                              .count = 2,
                              .request_hash = "h",
                              .note = "[1]"};
  ASSERT_TRUE(segment
                  ->InTransaction([&]() -> Status {
                    PH_ASSIGN_OR_RETURN(id, segment->AddReceipt(receipt));
                    return {};
                  })
                  .ok());
  const auto found = *ReadReceipt(segment->db(), id);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->key, "k");
  EXPECT_EQ(found->topic, "plays");
  EXPECT_EQ(found->first_offset, 4);
  EXPECT_EQ(found->count, 2);
  EXPECT_EQ(found->request_hash, "h");
  EXPECT_EQ(found->note, "[1]");
  EXPECT_FALSE(ReadReceipt(segment->db(), id + 1)->has_value());
}

TEST_F(SegmentTest, ForeignAndRenamedFilesAreRefused) {
  (void)*SegmentWriter::Create(path_, info_, {});
  const auto foreign = SegmentWriter::Open(path_, "other log", 7);
  EXPECT_EQ(foreign.status().code(), StatusCode::kDataCorrupt);
  EXPECT_NE(foreign.status().message().find(path_), std::string::npos);
  EXPECT_EQ(SegmentWriter::Open(path_, "log", 8).status().code(), StatusCode::kDataCorrupt);

  const std::string stranger = (folder_ / "stranger.db").string();
  ASSERT_TRUE(sqlite::Database::Open(stranger)->Execute("create table t (i)").ok());
  EXPECT_EQ(SegmentWriter::Open(stranger, "log", 7).status().code(), StatusCode::kDataCorrupt);
}

}  // namespace
}  // namespace playhead::log
