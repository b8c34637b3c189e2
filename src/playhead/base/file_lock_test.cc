#include "playhead/base/file_lock.h"

#include "playhead/base/uuid.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

namespace playhead {
namespace {

class FileLockTest : public testing::Test {
 protected:
  void TearDown() override { std::filesystem::remove(path_); }
  const std::string path_ = (std::filesystem::temp_directory_path() / NewUuid()).string();
};

TEST_F(FileLockTest, SecondHolderIsToldWhoTheFirstIs) {
  std::optional<FileLock> first = *FileLock::Acquire(path_);
  const Result<FileLock> second = FileLock::Acquire(path_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(second.error().message(),
            fmt::format("another process holds the lock: process={} path={}", getpid(), path_));
  first.reset();
  EXPECT_TRUE(FileLock::Acquire(path_).ok());
  EXPECT_TRUE(std::filesystem::exists(path_));
}

TEST_F(FileLockTest, MovesWithItsObject) {
  FileLock first = *FileLock::Acquire(path_);
  {
    const FileLock second = std::move(first);
    EXPECT_FALSE(FileLock::Acquire(path_).ok());
  }
  EXPECT_TRUE(FileLock::Acquire(path_).ok());
}

TEST_F(FileLockTest, MissingFolderIsNamed) {
  const Result<FileLock> lock = FileLock::Acquire(path_ + "/none/lock");
  ASSERT_FALSE(lock.ok());
  EXPECT_EQ(lock.error().code(), StatusCode::kNotFound);
  EXPECT_NE(lock.error().message().find(path_), std::string::npos);
}

}  // namespace
}  // namespace playhead
