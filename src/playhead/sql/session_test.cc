#include "playhead/sql/session.h"

#include "playhead/sql/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <thread>

namespace playhead::sql {
namespace {

using iceberg::TypeKind;
using testing::HasSubstr;

const catalog::TableId kPlays{.table_namespace = "bronze", .name = "plays"};

std::string LongBytes(int64_t value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof(value));
}

class SessionTest : public testing::Test {
 protected:
  std::unique_ptr<Session> OpenSession(SessionOptions options = {}) {
    options.threads = 2;
    auto session = Session::Open(lake_.catalog(), lake_.store(), options);
    EXPECT_TRUE(session.ok()) << session.status().ToString();
    return *std::move(session);
  }
  /// The result as CSV, or the failure.
  static std::string Csv(Session& session, const std::string& sql) {
    auto table = session.Query(sql);
    return table.ok() ? (*table)->Render(OutputFormat::kCsv, 0) : table.error().ToString();
  }
  std::string Csv(const std::string& sql) { return Csv(*OpenSession(), sql); }

  void MakePlays() {
    lake_.MakeTable(kPlays, {Field(1, "title", TypeKind::kString), Field(2, "n", TypeKind::kLong)});
  }

  TestLake lake_;
};

TEST_F(SessionTest, EveryStatementSeesWhatIsCommittedBeforeIt) {
  MakePlays();
  const auto session = OpenSession();
  EXPECT_EQ(Csv(*session, "select count(*) as n from bronze.plays"), "n\n0\n");
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  EXPECT_EQ(Csv(*session, "select * from bronze.plays"), "title,n\nx,1\n");
  lake_.Append(kPlays,
               {lake_.WriteFile("b", "select 'y' as title, 2::bigint as n", "{title: 1, n: 2}")});
  EXPECT_EQ(Csv(*session, "select * from bronze.plays order by n"), "title,n\nx,1\ny,2\n");
}

TEST_F(SessionTest, ATransactionSeesOneMoment) {
  MakePlays();
  const auto session = OpenSession();
  const std::string count = "select count(*) as n from bronze.plays";
  ASSERT_TRUE(session->Query("begin").ok());
  EXPECT_EQ(Csv(*session, count), "n\n0\n");
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  EXPECT_EQ(Csv(*session, count), "n\n0\n");
  ASSERT_TRUE(session->Query("commit").ok());
  EXPECT_EQ(Csv(*session, count), "n\n1\n");
}

TEST_F(SessionTest, ColumnsAreFoundByFieldId) {
  MakePlays();
  const auto session = OpenSession();
  // Another order, another name, a narrower type than the table has now.
  lake_.Append(kPlays, {lake_.WriteFile("a", "select 7::int as old_n, 'x' as old_title",
                                        "{old_n: 2, old_title: 1}")});
  EXPECT_EQ(Csv(*session, "select title, n from bronze.plays"), "title,n\nx,7\n");
  lake_.Evolve(kPlays, {Field(1, "name", TypeKind::kString), Field(2, "n", TypeKind::kLong),
                        Field(3, "added", TypeKind::kDouble)});
  EXPECT_EQ(Csv(*session, "select * from bronze.plays"), "name,n,added\nx,7,\n");
}

TEST_F(SessionTest, NestedFieldsAreFoundByFieldIdToo) {
  auto inner = std::make_shared<iceberg::Type>();
  inner->kind = TypeKind::kStruct;
  inner->fields = {Field(11, "label", TypeKind::kString), Field(12, "slug", TypeKind::kString)};
  auto list = std::make_shared<iceberg::Type>();
  list->kind = TypeKind::kList;
  list->fields = {{.id = 10, .name = "element", .is_required = false, .type = inner, .doc = {}}};
  lake_.MakeTable(kPlays,
                  {{.id = 1, .name = "tags", .is_required = false, .type = list, .doc = {}}});
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select [{'old_label': 'x'}, NULL] as tags",
                                "{tags: {__duckdb_field_id: 1, element: {__duckdb_field_id: 10, "
                                "old_label: 11}}}")});
  auto table = OpenSession()->Query("select tags from bronze.plays");
  ASSERT_TRUE(table.ok()) << table.error().ToString();
  EXPECT_EQ((*table)->CellJson(0, 0), R"([{"label":"x","slug":null},null])");
}

TEST_F(SessionTest, FilesWithoutFieldIdsGoByName) {
  lake_.MakeTable(
      kPlays, {Field(1, "title", TypeKind::kString), Field(2, "n", TypeKind::kLong)},
      {{"schema.name-mapping.default",
        R"([{"field-id":1,"names":["title","old_title"]},{"field-id":2,"names":["n"]}])"}});
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 1::bigint as n, 'x' as old_title", ""),
                lake_.WriteFile("b", "select 2::bigint as n, 'y' as title", ""),
                lake_.WriteFile("c", "select 3::bigint as n, 'z' as title", "{n: 2, title: 1}")});
  EXPECT_EQ(Csv("select * from bronze.plays order by n"), "title,n\nx,1\ny,2\nz,3\n");
}

TEST_F(SessionTest, FilesThatCannotHoldARowAreNotOpened) {
  MakePlays();
  iceberg::DataFile here =
      lake_.WriteFile("a", "select 'x' as title, 5::bigint as n", "{title: 1, n: 2}");
  here.lower_bounds = {{1, "x"}, {2, LongBytes(5)}};
  here.upper_bounds = here.lower_bounds;
  here.null_value_counts = {{1, 0}, {2, 0}};
  iceberg::DataFile gone = here;
  gone.path = "file://" + lake_.folder() + "/gone.parquet";
  gone.lower_bounds = {{1, "a"}, {2, LongBytes(100)}};
  gone.upper_bounds = {{1, "b"}, {2, LongBytes(200)}};
  iceberg::DataFile all_null = gone;
  all_null.path = "file://" + lake_.folder() + "/all_null.parquet";
  all_null.lower_bounds.erase(2);
  all_null.upper_bounds.erase(2);
  all_null.null_value_counts[2] = all_null.record_count;
  lake_.Append(kPlays, {here, gone, all_null});
  const auto session = OpenSession();
  EXPECT_EQ(Csv(*session, "select n from bronze.plays where n < 100"), "n\n5\n");
  EXPECT_EQ(Csv(*session, "select n from bronze.plays where n = 5"), "n\n5\n");
  EXPECT_EQ(Csv(*session, "select n from bronze.plays where n between 1 and 99"), "n\n5\n");
  EXPECT_EQ(Csv(*session, "select n from bronze.plays where title > 'c'"), "n\n5\n");
  EXPECT_EQ(Csv(*session, "select n from bronze.plays where title in ('x', 'y')"), "n\n5\n");
  EXPECT_EQ(Csv(*session, "select n from bronze.plays where n > 1000"), "n\n");
  // These need the file that is gone.
  for (const char* sql : {"select n from bronze.plays", "select n from bronze.plays where n > 99",
                          "select n from bronze.plays where title < 'c'"}) {
    auto table = session->Query(sql);
    ASSERT_FALSE(table.ok()) << sql;
    EXPECT_EQ(table.error().code(), StatusCode::kUnavailable) << table.error().ToString();
  }
}

TEST_F(SessionTest, RowsAreCountedWithoutOpeningFiles) {
  MakePlays();
  const iceberg::DataFile here =
      lake_.WriteFile("a", "select 'x' as title, range as n from range(5)", "{title: 1, n: 2}");
  iceberg::DataFile gone = here;
  gone.path = "file://" + lake_.folder() + "/gone.parquet";
  lake_.Append(kPlays, {here, gone});
  const auto session = OpenSession();
  EXPECT_EQ(Csv(*session, "select count(*) as n from bronze.plays"), "n\n10\n");
  EXPECT_EQ(Csv(*session, "select count(*) * 2 as n from (select title from bronze.plays)"),
            "n\n20\n");
  for (const char* sql :
       {"select count(*) from bronze.plays where n < 3", "select count(n) from bronze.plays",
        "select count(*), min(n) from bronze.plays", "select max(n) from bronze.plays",
        "select count(*) from (select distinct n from bronze.plays)",
        "select n, count(*) from bronze.plays group by n"}) {
    EXPECT_FALSE(session->Query(sql).ok()) << sql;
  }
}

TEST_F(SessionTest, FilteredAndGroupedCountsAreThoseOfTheRows) {
  MakePlays();
  const std::string query = "select 'x' as title, nullif(range, 4) as n from range(5)";
  lake_.Append(kPlays, {lake_.WriteFile("a", query, "{title: 1, n: 2}"),
                        lake_.WriteFile("b", query, "{title: 1, n: 2}")});
  const auto session = OpenSession();
  EXPECT_EQ(Csv(*session, "select count(*) as a, count(n) as b, max(n) as c from bronze.plays"),
            "a,b,c\n10,8,3\n");
  EXPECT_EQ(Csv(*session, "select count(*) as n from bronze.plays where n < 3"), "n\n6\n");
  EXPECT_EQ(Csv(*session, "select count(*) as n from bronze.plays where random() < 2 and n = 1"),
            "n\n2\n");
  EXPECT_EQ(Csv(*session, "select count(*) as n from (select * from bronze.plays limit 7)"),
            "n\n7\n");
}

TEST_F(SessionTest, BoundsOfFloatsDoNotRuleOutNan) {
  lake_.MakeTable(kPlays, {Field(1, "x", TypeKind::kDouble)});
  iceberg::DataFile file =
      lake_.WriteFile("a", "select unnest([1.0::double, 'nan'::double]) as x", "{x: 1}");
  const double one = 1.0;
  file.lower_bounds = {{1, std::string(reinterpret_cast<const char*>(&one), sizeof(one))}};
  file.upper_bounds = file.lower_bounds;
  lake_.Append(kPlays, {file});
  EXPECT_EQ(Csv("select x from bronze.plays where x > 5"), "x\nnan\n");
}

TEST_F(SessionTest, DroppedManifestsAreNamed) {
  MakePlays();
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  auto state = lake_.catalog().Load(kPlays);
  ASSERT_TRUE(state.ok());
  const std::string list = state->metadata->CurrentSnapshot()->manifest_list;
  ASSERT_TRUE(lake_.store().Delete(list).ok());
  const auto session = OpenSession();
  auto table = session->Query("select * from bronze.plays");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(table.error().message(), HasSubstr(*storage::LocalPath(list)));
  // The session goes on.
  EXPECT_EQ(Csv(*session, "select 1 as a"), "a\n1\n");
}

TEST_F(SessionTest, ErrorsHaveDuckdbsWordsAndOurCodes) {
  const auto session = OpenSession();
  auto syntax = session->Query("select 1 frm x");
  ASSERT_FALSE(syntax.ok());
  EXPECT_EQ(syntax.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(syntax.error().message(), HasSubstr("^"));
  EXPECT_EQ(session->Query("select * from nowhere").error().code(), StatusCode::kNotFound);
  EXPECT_EQ(session->Query("-- nothing").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(session->Query("select 1; select nonsense").error().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(SessionTest, ExtensionsAreRefused) {
  const auto session = OpenSession();
  for (const char* sql : {"install httpfs", "load httpfs", "force install httpfs"}) {
    EXPECT_EQ(session->Query(sql).error().code(), StatusCode::kNotSupported) << sql;
  }
  EXPECT_FALSE(session->Query("select * from read_parquet('s3://bucket/x.parquet')").ok());
}

TEST_F(SessionTest, RunGivesEveryResultWithRows) {
  std::string text;
  const Status status = OpenSession()->Run(
      "create table t as select 1 as a; select a from t; select a + 1 as b from t",
      [&](const ResultTable& table) {
        text += table.Render(OutputFormat::kCsv, 0);
        return OkStatus();
      });
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(text, "a\n1\nb\n2\n");
}

TEST_F(SessionTest, RunStopsWhereTheReceiverDoes) {
  int calls = 0;
  const Status status = OpenSession()->Run("select 1; select 2", [&](const ResultTable&) {
    ++calls;
    return Error(StatusCode::kCancelled, "enough");
  });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(SessionTest, RunningStatementsCanBeInterrupted) {
  const auto session = OpenSession();
  std::atomic<bool> is_done = false;
  // The statement may not have begun when the first interrupt comes, so there are more of them.
  std::jthread interrupter([&] {
    while (!is_done) {
      session->Interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  auto table = session->Query(
      "select count(*) from range(10000000) a, range(10000000) b "
      "where a.range + b.range = -1");
  is_done = true;
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code(), StatusCode::kCancelled);
}

TEST_F(SessionTest, CompletesNamesOfTheLake) {
  MakePlays();
  const auto session = OpenSession();
  bool is_found = false;
  for (const Completion& completion : session->Complete("select * from bronze.pl")) {
    is_found |= completion.text.starts_with("plays") && completion.start == 21;
  }
  EXPECT_TRUE(is_found);
}

TEST_F(SessionTest, KnowsWhereAStatementEnds) {
  const auto session = OpenSession();
  EXPECT_TRUE(session->IsIncomplete("select 1"));
  EXPECT_FALSE(session->IsIncomplete("select 1;"));
  EXPECT_FALSE(session->IsIncomplete("select 1; -- that is all"));
  EXPECT_TRUE(session->IsIncomplete("select 1; select"));
  EXPECT_TRUE(session->IsIncomplete("select ';"));
  EXPECT_TRUE(session->IsIncomplete("select ';'"));
  EXPECT_FALSE(session->IsIncomplete("select ';';"));
  EXPECT_FALSE(session->IsIncomplete("  "));
}

TEST_F(SessionTest, TheCatalogsOwnFactsAreTables) {
  MakePlays();
  const auto session = OpenSession();
  EXPECT_EQ(Csv(*session, "select table_name, current_snapshot_id from playhead.tables"),
            "table_name,current_snapshot_id\nplays,\n");
  const iceberg::DataFile file =
      lake_.WriteFile("a", "select 'x' as title, range as n from range(3)", "{title: 1, n: 2}");
  lake_.Append(kPlays, {file});
  EXPECT_EQ(Csv(*session, "select path, rows, bytes from playhead.files"),
            fmt::format("path,rows,bytes\n{},3,{}\n", file.path, file.file_bytes));
  EXPECT_EQ(Csv(*session,
                "select operation, is_current, year(committed_at) as year, "
                "summary['operation'] as word from playhead.snapshots"),
            "operation,is_current,year,word\nappend,true,2023,append\n");
  EXPECT_EQ(Csv(*session, "select count(*) as n from playhead.landing_files"), "n\n0\n");
}

TEST_F(SessionTest, SeedsHaveTheirDeclaredTypes) {
  const std::string path = lake_.folder() + "/networks.csv";
  std::ofstream(path) << "id,name\n007,one\n,\n";
  const auto session = OpenSession();
  ASSERT_TRUE(session
                  ->AddSeed("seeds", "networks", path,
                            {{.name = "id", .data_type = "VARCHAR"},
                             {.name = "name", .data_type = "VARCHAR"}})
                  .ok());
  EXPECT_EQ(Csv(*session, "select id, name is null as is_null from seeds.networks"),
            "id,is_null\n007,false\n,true\n");
}

TEST_F(SessionTest, JsonKeepsTheTypesOfValues) {
  auto table = OpenSession()->Query(
      "select 1.50::decimal(10,2), 170141183460469231731687303715884105727::hugeint, "
      "'nan'::double, 0.1::double, true, null, date '2024-01-31', "
      "timestamp '2024-01-31 12:00:00.5', timestamptz '2024-01-31 12:00:00+02', "
      "'a\"b', [1, null], {'k': 'v', 'n': {'m': 2}}, map {'x': 1}, '\\x00'::blob, "
      "'{\"j\": [1]}'::json");
  ASSERT_TRUE(table.ok()) << table.error().ToString();
  std::vector<std::string> cells;
  for (int c = 0; c < 15; ++c) cells.push_back((*table)->CellJson(0, c));
  EXPECT_THAT(cells, testing::ElementsAre("1.50", "170141183460469231731687303715884105727", "null",
                                          "0.1", "true", "null", "\"2024-01-31\"",
                                          "\"2024-01-31T12:00:00.5\"", "\"2024-01-31T10:00:00Z\"",
                                          "\"a\\\"b\"", "[1,null]", R"({"k":"v","n":{"m":2}})",
                                          R"({"x":1})", R"("\\x00")", "{\"j\": [1]}"));
}

TEST_F(SessionTest, RendersInAllFormats) {
  const auto session = OpenSession();
  auto table = session->Query("select 'a,\"b\"' as \"x y\", null as n, '' as e, 'p|q' as p");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ((*table)->Render(OutputFormat::kCsv, 0), "x y,n,e,p\n\"a,\"\"b\"\"\",,\"\",p|q\n");
  EXPECT_EQ((*table)->Render(OutputFormat::kJson, 0),
            R"([{"x y":"a,\"b\"","n":null,"e":"","p":"p|q"}])"
            "\n");
  EXPECT_THAT((*table)->Render(OutputFormat::kMarkdown, 0), HasSubstr("| p\\|q |"));
  EXPECT_THAT((*table)->Render(OutputFormat::kTable, 0), HasSubstr(" x y "));
  auto empty = session->Query("select 1 as a where false");
  EXPECT_EQ((*empty)->Render(OutputFormat::kJson, 0), "[]\n");
  EXPECT_EQ((*empty)->Render(OutputFormat::kCsv, 0), "a\n");
}

TEST_F(SessionTest, BoxesAreWholeWithoutATerminal) {
  auto table = OpenSession()->Query("select range as n, repeat('w', 300) as w from range(100)");
  ASSERT_TRUE(table.ok());
  const std::string whole = (*table)->Render(OutputFormat::kTable, 0);
  EXPECT_THAT(whole, HasSubstr(std::string(300, 'w')));
  EXPECT_THAT(whole, HasSubstr(" 73 │"));
  EXPECT_THAT((*table)->Render(OutputFormat::kTable, 80), testing::Not(HasSubstr(" 50 │")));
}

TEST_F(SessionTest, StatementsRunOutOfMemoryWithTheirOwnCode) {
  const auto session = OpenSession({.memory_bytes_max = 64 << 20});
  auto table = session->Query("select list(range) from range(100000000)");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code(), StatusCode::kResourceExhausted) << table.error().ToString();
}

}  // namespace
}  // namespace playhead::sql
