#include "playhead/ingest/folder_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace playhead::ingest {
namespace {

namespace fs = std::filesystem;

// Longer than the test's own limit: who waits for it has not been woken.
constexpr int64_t kHourMicros = 3'600'000'000;

class FolderWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/watch-" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_ + "/in/deep");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Put(const std::string& name) { std::ofstream(folder_ + "/" + name) << "x"; }

  std::string folder_;
  std::stop_source stop_;
};

TEST_F(FolderWatchTest, IsWokenByAFileInAnyFolderBelow) {
  FolderWatch watch(folder_);
  watch.Refresh();
  ASSERT_TRUE(watch.is_complete());
  for (const char* name : {"a.csv", "in/a.csv", "in/deep/a.csv"}) {
    Put(name);
    EXPECT_TRUE(watch.Wait(stop_.get_token(), kHourMicros));
  }
  fs::rename(folder_ + "/a.csv", folder_ + "/in/b.csv");
  EXPECT_TRUE(watch.Wait(stop_.get_token(), kHourMicros));
}

TEST_F(FolderWatchTest, ANewFolderWakesItAndIsWatchedFromTheNextRefreshOn) {
  FolderWatch watch(folder_);
  watch.Refresh();
  fs::create_directory(folder_ + "/new");
  EXPECT_TRUE(watch.Wait(stop_.get_token(), kHourMicros));
  watch.Refresh();
  Put("new/a.csv");
  EXPECT_TRUE(watch.Wait(stop_.get_token(), kHourMicros));
}

TEST_F(FolderWatchTest, AMissingFolderIsLeftToPolling) {
  FolderWatch watch(folder_ + "/none");
  watch.Refresh();
  EXPECT_FALSE(watch.is_complete());
  EXPECT_TRUE(watch.Wait(stop_.get_token(), 1'000));
  fs::create_directory(folder_ + "/none");
  watch.Refresh();
  EXPECT_TRUE(watch.is_complete());
  Put("none/a.csv");
  EXPECT_TRUE(watch.Wait(stop_.get_token(), kHourMicros));
}

TEST_F(FolderWatchTest, AStopWakesIt) {
  FolderWatch watch(folder_);
  watch.Refresh();
  const std::jthread stopper([this] { stop_.request_stop(); });
  EXPECT_FALSE(watch.Wait(stop_.get_token(), kHourMicros));
}

TEST_F(FolderWatchTest, KnowsAFileThatIsBeingWritten) {
  const std::string path = folder_ + "/in/a.csv";
  std::ofstream writer(path);
  writer << "half a li" << std::flush;
  if (!IsOpenForWriting(path)) GTEST_SKIP() << "no leases on this file system";
  writer.close();
  EXPECT_FALSE(IsOpenForWriting(path));
  const std::ifstream reader(path);
  EXPECT_FALSE(IsOpenForWriting(path));
  EXPECT_FALSE(IsOpenForWriting(folder_ + "/none"));
}

}  // namespace
}  // namespace playhead::ingest
