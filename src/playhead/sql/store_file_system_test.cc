#include "playhead/sql/store_file_system.h"

#include "playhead/storage/memory_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace playhead::sql {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class StoreFileSystemTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "playhead_duck_XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  // The first value, or the error.
  static std::string Ask(duckdb::Connection& connection, const std::string& sql) {
    auto result = connection.Query(sql);
    if (result->HasError()) return result->GetError();
    return result->RowCount() == 0 ? "no rows" : result->GetValue(0, 0).ToString();
  }
  static std::string Bytes(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::string folder_;
};

TEST_F(StoreFileSystemTest, ReadsParquetFromAStoreThatIsNotADisk) {
  storage::MemoryStore store;
  duckdb::DuckDB database(nullptr);
  RegisterStoreFileSystem(*database.instance, store);
  duckdb::Connection connection(database);
  const std::string path = folder_ + "/x.parquet";
  ASSERT_EQ(Ask(connection, "COPY (SELECT range AS n, 'x' || range AS t FROM range(200000)) TO '" +
                                path + "' (ROW_GROUP_SIZE 20000)"),
            "200000");
  ASSERT_TRUE(store.Put("memory://lake/x.parquet", Bytes(path)).ok());
  fs::remove(path);
  const std::string read = " FROM read_parquet(['memory://lake/x.parquet'])";
  EXPECT_EQ(Ask(connection, "SELECT sum(n)" + read), "19999900000");
  EXPECT_EQ(Ask(connection, "SELECT t" + read + " WHERE n = 123456"), "x123456");
  EXPECT_EQ(
      Ask(connection, "SELECT num_rows FROM parquet_file_metadata(['memory://lake/x.parquet'])"),
      "200000");
  EXPECT_THAT(Ask(connection, "SELECT * FROM read_parquet('memory://lake/none')"),
              HasSubstr("memory://lake/none"));
  ASSERT_TRUE(store.Replace("memory://lake/torn", Bytes("/dev/null") + "PAR1").ok());
  EXPECT_THAT(Ask(connection, "SELECT * FROM read_parquet('memory://lake/torn')"),
              HasSubstr("memory://lake/torn"));
}

TEST_F(StoreFileSystemTest, FileUrisCanDoAllTheyCouldBefore) {
  const auto store = storage::MakeLocalStore();
  duckdb::DuckDB database(nullptr);
  RegisterStoreFileSystem(*database.instance, *store);
  duckdb::Connection connection(database);
  const std::string uri = "file://" + folder_;
  EXPECT_EQ(Ask(connection, "COPY (SELECT 1 AS a) TO '" + uri + "/1.csv'"), "1");
  EXPECT_EQ(Ask(connection, "COPY (SELECT 2 AS a) TO '" + uri + "/2.csv'"), "1");
  EXPECT_EQ(Ask(connection, "SELECT sum(a) FROM read_csv('" + uri + "/*.csv')"), "3");
  EXPECT_EQ(Ask(connection, "SELECT a FROM read_csv('" + uri + "/1.csv')"), "1");
  EXPECT_EQ(Ask(connection, "COPY (SELECT 7 AS a) TO '" + uri + "/7.csv.gz'"), "1");
  EXPECT_EQ(Ask(connection, "SELECT a FROM '" + uri + "/7.csv.gz'"), "7");
  EXPECT_EQ(Ask(connection, "COPY (SELECT 8 AS a, 9 AS b) TO '" + uri +
                                "/parts' (FORMAT parquet, PARTITION_BY (b))"),
            "1");
  EXPECT_EQ(Ask(connection, "SELECT a FROM '" + uri + "/parts/*/*.parquet'"), "8");
  EXPECT_THAT(Ask(connection, "SELECT * FROM read_csv('" + uri + "/none.csv')"),
              HasSubstr("none.csv"));
  EXPECT_EQ(Ask(connection, "SELECT count(*) FROM glob('" + uri + "/*.csv')"), "2");
}

TEST(StorePath, GivesAPathTheSchemeOfItsStore) {
  EXPECT_EQ(StorePath("/lake/x"), "file:///lake/x");
  EXPECT_EQ(StorePath("file:/lake/x"), "file:/lake/x");
  EXPECT_EQ(StorePath("s3://lake/x"), "s3://lake/x");
}

}  // namespace
}  // namespace playhead::sql
