#include "playhead/ingest/epoch_builder.h"

#include "playhead/storage/faulty_store.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace playhead::ingest {
namespace {

namespace fs = std::filesystem;

// Some flushes' worth, so that rows are staged while others are decoded.
constexpr int64_t kRecords = 110'000;

class EpochBuilderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = testing::TempDir() + "/epoch-builder-XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    warehouse_uri_ = "file://" + folder_;
    declaration_.name = declaration_.identifier = "notes";
    declaration_.table_namespace = "bronze";
    declaration_.columns.push_back({.name = "id", .type = arrow::int64(), .not_null = true});
    stream_ = MakeIngestStream(declaration_);
    auto catalog = catalog::OpenSqliteCatalog(folder_ + "/catalog.db", store_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().ToString();
    catalog_ = *std::move(catalog);
    const Status made =
        EnsureStreamTables(*catalog_, store_, warehouse_uri_, stream_, SystemClock()).status();
    ASSERT_TRUE(made.ok()) << made.ToString();
    auto decoder = decode::RecordDecoder::Make(stream_.row_schema);
    ASSERT_TRUE(decoder.ok()) << decoder.error().ToString();
    decoder_ = *std::move(decoder);
    decoder_->SetSource({.topic = "t", .ingested_at_us = 1});
  }
  void TearDown() override { fs::remove_all(folder_); }

  EpochBuilder Open() {
    auto epoch = EpochBuilder::Open(stream_, *catalog_, store_, warehouse_uri_, *decoder_);
    EXPECT_TRUE(epoch.ok()) << epoch.error().ToString();
    return *std::move(epoch);
  }

  /// Every tenth record is no JSON. Stops at the first error.
  Status Fill(EpochBuilder& epoch, int64_t records = kRecords) {
    for (int64_t i = 0; i < records; ++i) {
      const std::string record = i % 10 == 9 ? "{" : fmt::format(R"({{"id":{}}})", i);
      (void)epoch.decoder().Decode({.bytes = record, .offset = i}, 0);
      PH_RETURN_IF_ERROR(epoch.FlushIfFull());
    }
    return {};
  }

  size_t StagedFiles() const {
    size_t count = 0;
    std::error_code error;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/_staging", error)) {
      count += entry.is_regular_file() ? 1 : 0;
    }
    return count;
  }

  std::string folder_;
  std::string warehouse_uri_;
  project::Stream declaration_;
  IngestStream stream_;
  std::unique_ptr<storage::ObjectStore> local_ = storage::MakeLocalStore();
  storage::FaultyStore store_{*local_};
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<decode::RecordDecoder> decoder_;
};

int64_t Rows(const std::vector<table::StagedFile>& files) {
  int64_t rows = 0;
  for (const table::StagedFile& file : files) rows += file.file.record_count;
  return rows;
}

TEST_F(EpochBuilderTest, StagesEveryRowOnce) {
  EpochBuilder epoch = Open();
  ASSERT_TRUE(Fill(epoch).ok());
  const auto staged = epoch.Finish("stem");
  ASSERT_TRUE(staged.ok()) << staged.error().ToString();
  EXPECT_EQ(epoch.good(), kRecords / 10 * 9);
  EXPECT_EQ(epoch.dead(), kRecords / 10);
  EXPECT_EQ(Rows(staged->main_files), kRecords / 10 * 9);
  EXPECT_EQ(Rows(staged->dead_files), kRecords / 10);
  EXPECT_EQ(epoch.dead_by_reason().at("not_json"), kRecords / 10);
}

TEST_F(EpochBuilderTest, ASmallEpochNeedsNoFlush) {
  EpochBuilder epoch = Open();
  ASSERT_TRUE(Fill(epoch, 10).ok());
  const auto staged = epoch.Finish("stem");
  ASSERT_TRUE(staged.ok()) << staged.error().ToString();
  EXPECT_EQ(Rows(staged->main_files), 9);
  EXPECT_EQ(Rows(staged->dead_files), 1);
}

// The store fails from some call on: while rows are decoded, or at the end.
TEST_F(EpochBuilderTest, AFailureOfTheStoreEndsTheEpochAndNothingIsWrittenAfterwards) {
  {
    EpochBuilder epoch = Open();
    store_.Set({});
    ASSERT_TRUE(Fill(epoch).ok());
    ASSERT_TRUE(epoch.Finish("stem").ok());
    ASSERT_TRUE(store_.DeleteTree(epoch.staging_uri()).ok());
  }
  const int64_t calls = store_.calls() - 1;
  ASSERT_GT(calls, 4);
  for (const int64_t call : {int64_t{1}, calls / 2, calls - 1}) {
    EpochBuilder epoch = Open();
    store_.Set({.at_call = call, .calls = 1'000});
    Status status = Fill(epoch);
    if (status.ok())
      status = epoch.Finish("stem").ok() ? Status() : Status(StatusCode::kUnavailable, "");
    EXPECT_EQ(status.code(), StatusCode::kUnavailable) << "call " << call;
    epoch.Abandon();
    EXPECT_EQ(decoder_->buffered_rows(), 0);
    store_.Set({});
    ASSERT_TRUE(store_.DeleteTree(epoch.staging_uri()).ok());
    EXPECT_EQ(StagedFiles(), 0U) << "call " << call;
  }
}

TEST_F(EpochBuilderTest, AnEpochThatIsDroppedHalfWayIsDropped) {
  for (int64_t records : {kRecords / 2, kRecords}) {
    EpochBuilder epoch = Open();
    ASSERT_TRUE(Fill(epoch, records).ok());
    epoch.Abandon();
    ASSERT_TRUE(store_.DeleteTree(epoch.staging_uri()).ok());
    EXPECT_EQ(StagedFiles(), 0U);
  }
}

}  // namespace
}  // namespace playhead::ingest
