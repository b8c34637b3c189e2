#include "playhead/base/faulty_vfs.h"

#include "playhead/base/sqlite.h"
#include "playhead/base/uuid.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace playhead::sqlite {
namespace {

namespace fs = std::filesystem;

class FaultyVfsTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  static int64_t Rows(const std::string& path) {
    Database db = *Database::Open(path);
    Statement select = *db.Prepare("select count(*) from t");
    EXPECT_TRUE(*select.Step());
    return select.ColumnInt(0);
  }

  const fs::path folder_ = fs::temp_directory_path() / NewUuid();
  const std::string path_ = (folder_ / "a.db").string();
};

TEST_F(FaultyVfsTest, FailsTheChosenCallsOfTheChosenFileOnly) {
  FaultyVfs vfs;
  Database db = *Database::Open(path_);
  ASSERT_TRUE(db.Execute("create table t (i)").ok());
  vfs.Set({.path_suffix = "other.db-wal"});
  EXPECT_TRUE(db.Execute("insert into t values (1)").ok());
  EXPECT_EQ(vfs.calls(), 0);
  vfs.Set({.path_suffix = "a.db-wal", .at_call = 2});
  EXPECT_TRUE(db.Execute("insert into t values (2)").ok());
  EXPECT_EQ(db.Execute("insert into t values (3)").code(), StatusCode::kUnavailable);
  EXPECT_EQ(vfs.failures(), 1);
  EXPECT_TRUE(db.Execute("insert into t values (4)").ok());
}

TEST_F(FaultyVfsTest, FullDiskIsSaidAsSuch) {
  FaultyVfs vfs;
  Database db = *Database::Open(path_);
  ASSERT_TRUE(db.Execute("create table t (i)").ok());
  vfs.Set({.path_suffix = "a.db-wal", .call = VfsCall::kWrite, .is_full = true});
  EXPECT_EQ(db.Execute("insert into t values (1)").code(), StatusCode::kResourceExhausted);
}

// The connection takes a failed sync for "rolled back"; whoever opens the database next, after the
// process was killed, finds the rows committed.
TEST_F(FaultyVfsTest, WhatAFailedSyncLeftIsFoundByTheNextProcess) {
  FaultyVfs vfs;
  Database db = *Database::Open(path_);
  ASSERT_TRUE(db.Execute("create table t (i)").ok());
  vfs.Set({.path_suffix = "a.db-wal"});
  EXPECT_FALSE(db.Execute("insert into t values (1)").ok());
  ASSERT_EQ(vfs.failures(), 1);
  // The files as a kill would leave them.
  const std::string left = (folder_ / "left.db").string();
  fs::copy_file(path_, left);
  fs::copy_file(path_ + "-wal", left + "-wal");
  EXPECT_EQ(Rows(left), 1);
}

}  // namespace
}  // namespace playhead::sqlite
