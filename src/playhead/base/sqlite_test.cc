#include "playhead/base/sqlite.h"

#include "playhead/base/uuid.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace playhead::sqlite {
namespace {

class SqliteTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name = "a.db") const { return (folder_ / name).string(); }
  Database OpenDb(DatabaseOptions options = {}) {
    Result<Database> db = Database::Open(Path(), options);
    EXPECT_TRUE(db.ok()) << db.status().ToString();
    return *std::move(db);
  }
  int64_t Count(Database& db) {
    Statement count = *db.Prepare("select count(*) from t");
    EXPECT_TRUE(*count.Step());
    return count.ColumnInt(0);
  }

  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / NewUuid();
};

TEST_F(SqliteTest, RoundTripsIntegersTextBlobsAndNulls) {
  Database db = OpenDb();
  ASSERT_TRUE(db.Execute("create table t (i, s, b, n)").ok());
  const std::string blob("\0\xFFz", 3);
  Statement insert = *db.Prepare("insert into t values (?, ?, ?, ?)");
  insert.BindInt(1, -5'000'000'000);
  insert.BindText(2, "");
  insert.BindBlob(3, blob);
  insert.BindNull(4);
  ASSERT_TRUE(insert.Run().ok());

  Statement select = *db.Prepare("select i, s, b, n, typeof(s), typeof(b) from t");
  ASSERT_TRUE(*select.Step());
  EXPECT_EQ(select.ColumnInt(0), -5'000'000'000);
  EXPECT_EQ(select.ColumnText(1), "");
  EXPECT_FALSE(select.ColumnIsNull(1));
  EXPECT_EQ(select.ColumnBlob(2), blob);
  EXPECT_TRUE(select.ColumnIsNull(3));
  EXPECT_EQ(select.ColumnText(4), "text");
  EXPECT_EQ(select.ColumnText(5), "blob");
  EXPECT_FALSE(*select.Step());
}

TEST_F(SqliteTest, ValueThatIsNotBoundFailsTheStep) {
  Database db = OpenDb();
  ASSERT_TRUE(db.Execute("create table t (i)").ok());
  Statement insert = *db.Prepare("insert into t values (?)");
  const auto refused = [&] {
    const Status status = insert.Run();
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument) << status.ToString();
    EXPECT_NE(status.message().find("parameter 2 cannot be bound"), std::string::npos);
    insert.Reset();
  };
  insert.BindInt(2, 1);
  refused();
  insert.BindText(2, "x");
  refused();
  insert.BindBlob(2, "x");
  refused();
  insert.BindNull(2);
  refused();
  EXPECT_EQ(Count(db), 0);
  insert.BindInt(1, 1);
  EXPECT_TRUE(insert.Run().ok());
  EXPECT_EQ(Count(db), 1);
}

TEST_F(SqliteTest, TransactionRollsBackUnlessCommitted) {
  Database db = OpenDb();
  ASSERT_TRUE(db.Execute("create table t (i)").ok());
  {
    Result<Transaction> transaction = Transaction::Begin(db);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(db.Execute("insert into t values (1)").ok());
  }
  EXPECT_EQ(Count(db), 0);
  {
    Result<Transaction> transaction = Transaction::Begin(db);
    ASSERT_TRUE(transaction.ok());
    ASSERT_TRUE(db.Execute("insert into t values (1)").ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  EXPECT_EQ(Count(db), 1);
}

TEST_F(SqliteTest, CodesSayWhatTheCallerDoes) {
  Database db = OpenDb({.busy_timeout_ms = 1});
  ASSERT_TRUE(db.Execute("create table t (i integer primary key)").ok());
  ASSERT_TRUE(db.Execute("insert into t values (1)").ok());
  EXPECT_EQ(db.Execute("insert into t values (1)").code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(db.Execute("no sql").code(), StatusCode::kInvalidArgument);

  Database other = OpenDb({.busy_timeout_ms = 1});
  Result<Transaction> transaction = Transaction::Begin(other);
  ASSERT_TRUE(transaction.ok());
  const Status busy = db.Execute("insert into t values (2)");
  EXPECT_EQ(busy.code(), StatusCode::kUnavailable);
  EXPECT_NE(busy.message().find(Path()), std::string::npos) << busy.message();

  Database reader = OpenDb({.read_only = true});
  EXPECT_EQ(reader.Execute("insert into t values (3)").code(), StatusCode::kPermissionDenied);
}

TEST_F(SqliteTest, FullDatabaseIsResourceExhausted) {
  Database db = OpenDb();
  ASSERT_TRUE(db.Execute("create table t (b)").ok());
  ASSERT_TRUE(db.Execute("pragma max_page_count=3").ok());
  EXPECT_EQ(db.Execute("insert into t values (zeroblob(100000))").code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(Count(db), 0);
}

TEST_F(SqliteTest, DamagedAndMissingFilesAreNamed) {
  std::ofstream(Path()) << std::string(4096, 'x');
  Result<Database> damaged = Database::Open(Path());
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code(), StatusCode::kDataCorrupt);

  Result<Database> missing = Database::Open(Path("none.db"), {.create = false});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), StatusCode::kUnavailable);
  EXPECT_NE(missing.error().message().find("none.db"), std::string::npos);
}

TEST_F(SqliteTest, CheckpointMovesTheWalAndTruncateEmptiesIt) {
  Database db = OpenDb({.wal_autocheckpoint_pages = 0, .page_bytes = 8192});
  ASSERT_TRUE(db.Execute("create table t (b)").ok());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(db.Execute("insert into t values (zeroblob(9000))").ok());
  }
  const std::string wal = Path() + "-wal";
  EXPECT_GT(std::filesystem::file_size(wal), 50U * 8192);
  Result<WalProgress> progress = db.Checkpoint();
  ASSERT_TRUE(progress.ok());
  EXPECT_GT(progress->pages, 50);
  EXPECT_EQ(progress->pages, progress->moved_pages);
  ASSERT_TRUE(db.CheckpointAndTruncate().ok());
  EXPECT_EQ(std::filesystem::file_size(wal), 0U);
}

}  // namespace
}  // namespace playhead::sqlite
