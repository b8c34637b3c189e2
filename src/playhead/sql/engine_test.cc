#include "playhead/sql/engine.h"

#include "playhead/sql/test_lake.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
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

class EngineTest : public testing::Test {
 protected:
  Connection& Connect(EngineOptions options = {}, ConnectionOptions connection_options = {}) {
    options.threads = 2;
    connection_.reset();
    auto engine = Engine::Open(lake_.catalog(), lake_.store(), options);
    EXPECT_TRUE(engine.ok()) << engine.status().ToString();
    engine_ = *std::move(engine);
    connection_ = *engine_->Connect(std::move(connection_options));
    return *connection_;
  }
  /// The result as CSV, or the failure.
  static std::string Csv(Connection& connection, const std::string& sql) {
    auto table = connection.Query(sql);
    return table.ok() ? (*table)->Render({}) : table.error().ToString();
  }
  std::string Csv(const std::string& sql) { return Csv(Connect(), sql); }

  void MakePlays() {
    lake_.MakeTable(kPlays, {Field(1, "title", TypeKind::kString), Field(2, "n", TypeKind::kLong)});
  }

  TestLake lake_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Connection> connection_;
};

TEST_F(EngineTest, EveryStatementSeesWhatIsCommittedBeforeIt) {
  MakePlays();
  Connection& connection = Connect();
  EXPECT_EQ(Csv(connection, "select count(*) as n from bronze.plays"), "n\n0\n");
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  EXPECT_EQ(Csv(connection, "select * from bronze.plays"), "title,n\nx,1\n");
  lake_.Append(kPlays,
               {lake_.WriteFile("b", "select 'y' as title, 2::bigint as n", "{title: 1, n: 2}")});
  EXPECT_EQ(Csv(connection, "select * from bronze.plays order by n"), "title,n\nx,1\ny,2\n");
}

TEST_F(EngineTest, ATransactionSeesOneMoment) {
  MakePlays();
  Connection& connection = Connect();
  const std::string count = "select count(*) as n from bronze.plays";
  ASSERT_TRUE(connection.Query("begin").ok());
  EXPECT_EQ(Csv(connection, count), "n\n0\n");
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  EXPECT_EQ(Csv(connection, count), "n\n0\n");
  ASSERT_TRUE(connection.Query("commit").ok());
  EXPECT_EQ(Csv(connection, count), "n\n1\n");
}

TEST_F(EngineTest, ColumnsAreFoundByFieldId) {
  MakePlays();
  Connection& connection = Connect();
  // Another order, another name, a narrower type than the table has now.
  lake_.Append(kPlays, {lake_.WriteFile("a", "select 7::int as old_n, 'x' as old_title",
                                        "{old_n: 2, old_title: 1}")});
  EXPECT_EQ(Csv(connection, "select title, n from bronze.plays"), "title,n\nx,7\n");
  lake_.Evolve(kPlays, {Field(1, "name", TypeKind::kString), Field(2, "n", TypeKind::kLong),
                        Field(3, "added", TypeKind::kDouble)});
  EXPECT_EQ(Csv(connection, "select * from bronze.plays"), "name,n,added\nx,7,\n");
}

TEST_F(EngineTest, NestedFieldsAreFoundByFieldIdToo) {
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
  auto table = Connect().Query("select tags from bronze.plays");
  ASSERT_TRUE(table.ok()) << table.error().ToString();
  EXPECT_EQ((*table)->CellJson(0, 0), R"([{"label":"x","slug":null},null])");
}

TEST_F(EngineTest, FilesWithoutFieldIdsGoByName) {
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

TEST_F(EngineTest, FilesThatCannotHoldARowAreNotOpened) {
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
  Connection& connection = Connect();
  EXPECT_EQ(Csv(connection, "select n from bronze.plays where n < 100"), "n\n5\n");
  EXPECT_EQ(Csv(connection, "select n from bronze.plays where n = 5"), "n\n5\n");
  EXPECT_EQ(Csv(connection, "select n from bronze.plays where n between 1 and 99"), "n\n5\n");
  EXPECT_EQ(Csv(connection, "select n from bronze.plays where title > 'c'"), "n\n5\n");
  EXPECT_EQ(Csv(connection, "select n from bronze.plays where title in ('x', 'y')"), "n\n5\n");
  EXPECT_EQ(Csv(connection, "select n from bronze.plays where n > 1000"), "n\n");
  // These need the file that is gone.
  for (const char* sql : {"select n from bronze.plays", "select n from bronze.plays where n > 99",
                          "select n from bronze.plays where title < 'c'"}) {
    auto table = connection.Query(sql);
    ASSERT_FALSE(table.ok()) << sql;
    EXPECT_EQ(table.error().code(), StatusCode::kUnavailable) << table.error().ToString();
  }
}

TEST_F(EngineTest, RowsAreCountedWithoutOpeningFiles) {
  MakePlays();
  const iceberg::DataFile here =
      lake_.WriteFile("a", "select 'x' as title, range as n from range(5)", "{title: 1, n: 2}");
  iceberg::DataFile gone = here;
  gone.path = "file://" + lake_.folder() + "/gone.parquet";
  lake_.Append(kPlays, {here, gone});
  Connection& connection = Connect();
  EXPECT_EQ(Csv(connection, "select count(*) as n from bronze.plays"), "n\n10\n");
  EXPECT_EQ(Csv(connection, "select count(*) * 2 as n from (select title from bronze.plays)"),
            "n\n20\n");
  for (const char* sql :
       {"select count(*) from bronze.plays where n < 3", "select count(n) from bronze.plays",
        "select count(*), min(n) from bronze.plays", "select max(n) from bronze.plays",
        "select count(*) from (select distinct n from bronze.plays)",
        "select n, count(*) from bronze.plays group by n"}) {
    EXPECT_FALSE(connection.Query(sql).ok()) << sql;
  }
}

TEST_F(EngineTest, FilteredAndGroupedCountsAreThoseOfTheRows) {
  MakePlays();
  const std::string query = "select 'x' as title, nullif(range, 4) as n from range(5)";
  lake_.Append(kPlays, {lake_.WriteFile("a", query, "{title: 1, n: 2}"),
                        lake_.WriteFile("b", query, "{title: 1, n: 2}")});
  Connection& connection = Connect();
  EXPECT_EQ(Csv(connection, "select count(*) as a, count(n) as b, max(n) as c from bronze.plays"),
            "a,b,c\n10,8,3\n");
  EXPECT_EQ(Csv(connection, "select count(*) as n from bronze.plays where n < 3"), "n\n6\n");
  EXPECT_EQ(Csv(connection, "select count(*) as n from bronze.plays where random() < 2 and n = 1"),
            "n\n2\n");
  EXPECT_EQ(Csv(connection, "select count(*) as n from (select * from bronze.plays limit 7)"),
            "n\n7\n");
}

TEST_F(EngineTest, BoundsOfFloatsDoNotRuleOutNan) {
  lake_.MakeTable(kPlays, {Field(1, "x", TypeKind::kDouble)});
  iceberg::DataFile file =
      lake_.WriteFile("a", "select unnest([1.0::double, 'nan'::double]) as x", "{x: 1}");
  const double one = 1.0;
  file.lower_bounds = {{1, std::string(reinterpret_cast<const char*>(&one), sizeof(one))}};
  file.upper_bounds = file.lower_bounds;
  lake_.Append(kPlays, {file});
  EXPECT_EQ(Csv("select x from bronze.plays where x > 5"), "x\nnan\n");
}

TEST_F(EngineTest, DroppedManifestsAreNamed) {
  MakePlays();
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  auto state = lake_.catalog().Load(kPlays);
  ASSERT_TRUE(state.ok());
  const std::string list = state->metadata->CurrentSnapshot()->manifest_list;
  ASSERT_TRUE(lake_.store().Delete(list).ok());
  Connection& connection = Connect();
  auto table = connection.Query("select * from bronze.plays");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(table.error().message(), HasSubstr(*storage::LocalPath(list)));
  // A streamed result says the same.
  const Status streamed = connection.Run("select * from bronze.plays", [](ResultStream& result) {
    return result.Write({}, [](std::string_view) { return OkStatus(); });
  });
  EXPECT_EQ(streamed.code(), StatusCode::kDataCorrupt);
  EXPECT_THAT(streamed.message(), HasSubstr(*storage::LocalPath(list)));
  // The session goes on.
  EXPECT_EQ(Csv(connection, "select 1 as a"), "a\n1\n");
}

TEST_F(EngineTest, ErrorsHaveDuckdbsWordsAndOurCodes) {
  Connection& connection = Connect();
  auto syntax = connection.Query("select 1 frm x");
  ASSERT_FALSE(syntax.ok());
  EXPECT_EQ(syntax.error().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(syntax.error().message(), HasSubstr("^"));
  EXPECT_EQ(connection.Query("select * from nowhere").error().code(), StatusCode::kNotFound);
  EXPECT_EQ(connection.Query("-- nothing").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(connection.Query("select 1; select nonsense").error().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(EngineTest, ExtensionsAreRefused) {
  Connection& connection = Connect();
  for (const char* sql : {"install httpfs", "load httpfs", "force install httpfs"}) {
    EXPECT_EQ(connection.Query(sql).error().code(), StatusCode::kNotSupported) << sql;
  }
  EXPECT_FALSE(connection.Query("select * from read_parquet('s3://bucket/x.parquet')").ok());
}

TEST_F(EngineTest, AdviceToInstallIsLeftOut) {
  const Status status = Connect().Query("select * from 's3://bucket/x.parquet'").status();
  EXPECT_THAT(status.message(), HasSubstr("requires the extension httpfs"));
  EXPECT_THAT(status.message(), HasSubstr("neither installed nor loaded here"));
  EXPECT_THAT(status.message(), testing::Not(HasSubstr("INSTALL")));
}

TEST_F(EngineTest, SettingsThatReachOutsideAreLocked) {
  Connection& connection = Connect();
  for (const char* setting :
       {"autoinstall_known_extensions = true", "autoload_known_extensions = true",
        "allow_community_extensions = true", "custom_extension_repository = 'x'",
        "extension_directory = '/x'", "temp_directory = '/x'", "lock_configuration = false",
        "allowed_configs = ['temp_directory']"}) {
    const Status status = connection.Query(fmt::format("set {}", setting)).status();
    EXPECT_FALSE(status.ok()) << setting;
    EXPECT_THAT(status.message(),
                HasSubstr(std::string(setting).substr(0, std::string(setting).find(' '))));
  }
  for (const char* setting :
       {"threads = 1", "memory_limit = '1GB'", "timezone = 'Europe/Berlin'",
        "search_path = 'bronze'", "schema = 'bronze'", "preserve_insertion_order = false",
        "default_order = 'desc'", "default_null_order = 'nulls_first'"}) {
    EXPECT_TRUE(connection.Query(fmt::format("set {}", setting)).ok()) << setting;
  }
  EXPECT_EQ(Csv(connection, "select timestamptz '2024-01-31 12:00:00+00' as t"),
            "t\n2024-01-31 13:00:00+01\n");
}

TEST_F(EngineTest, TablesOfTheLakeNeedNoSchema) {
  MakePlays();
  Connection& connection = Connect();
  EXPECT_EQ(Csv(connection, "from plays"), "title,n\n");
  EXPECT_EQ(Csv(connection, "show tables"), "name\nplays\n");
  EXPECT_EQ(Csv(connection, "create table mine as select 1 as a; show tables"),
            "name\nmine\nplays\n");
}

TEST_F(EngineTest, TheLakeIsOnlyRead) {
  MakePlays();
  Connection& connection = Connect();
  for (const char* sql :
       {"insert into bronze.plays values ('x', 1)", "insert into plays values ('x', 1)",
        "update bronze.plays set n = 1", "delete from PLAYS", "drop view bronze.plays",
        "drop view plays", "drop table bronze.plays", "alter view bronze.plays rename to p",
        "copy bronze.plays from 'x.csv'", "drop schema bronze cascade",
        "create or replace view bronze.plays as select 1", "create table bronze.other (a int)",
        "drop view playhead.tables", "explain insert into plays values ('x', 1)"}) {
    const Status status = connection.Query(sql).status();
    EXPECT_EQ(status.code(), StatusCode::kNotSupported) << sql << ": " << status.ToString();
    EXPECT_THAT(status.message(), HasSubstr("lake")) << sql;
  }
  EXPECT_EQ(Csv(connection, "select count(*) as n from plays"), "n\n0\n");
  // One's own of that name is one's own, and so is one's own database.
  EXPECT_TRUE(connection
                  .Query("attach ':memory:' as q; create schema q.bronze; "
                         "create table q.bronze.plays (a int); drop table q.bronze.plays")
                  .ok());
  EXPECT_EQ(Csv(connection,
                "create table plays (a int); insert into plays values (1); "
                "drop table plays; select count(*) as n from plays"),
            "n\n0\n");
}

TEST_F(EngineTest, OldSnapshotsAreReadByIdAndTime) {
  MakePlays();
  for (const char* title : {"x", "y", "z"}) {
    const std::string query =
        fmt::format("select '{0}' as title, ascii('{0}') - 119::bigint as n", title);
    lake_.Append(kPlays, {lake_.WriteFile(title, query, "{title: 1, n: 2}")});
  }
  lake_.Evolve(kPlays, {Field(1, "name", TypeKind::kString), Field(2, "n", TypeKind::kLong)});
  Connection& connection = Connect();
  auto snapshots = connection.Query(
      "select snapshot_id, committed_at from playhead.snapshots order by committed_at");
  ASSERT_TRUE(snapshots.ok());
  ASSERT_EQ((*snapshots)->rows(), 3);
  const auto id = [&](int64_t row) { return *(*snapshots)->CellText(row, 0); };
  const auto at = [&](int64_t row) {
    return fmt::format("at (timestamp => '{}')", *(*snapshots)->CellText(row, 1));
  };
  // With the schema of that time.
  EXPECT_EQ(Csv(connection, fmt::format("from bronze.plays at (version => {})", id(0))),
            "title,n\nx,1\n");
  EXPECT_EQ(Csv(connection, "select count(*) as n from plays " + at(1)), "n\n2\n");
  EXPECT_EQ(Csv(connection, "select max(plays.n) as n from plays " + at(2)), "n\n3\n");
  EXPECT_EQ(Csv(connection, "select count(*) as n from plays at (timestamp => now())"), "n\n3\n");
  // Everywhere in a statement, also where several versions meet.
  EXPECT_EQ(Csv(connection, fmt::format("with old as (from bronze.plays at (version => {})) "
                                        "select (select count(*) from plays {}) as a, "
                                        "(select count(*) from old) as b, count(*) as c "
                                        "from bronze.plays p join plays q {} using (n)",
                                        id(0), at(1), at(0))),
            "a,b,c\n2,1,1\n");
  EXPECT_EQ(Csv(connection, fmt::format("create table t as from plays {}; from t", at(0))),
            "title,n\nx,1\n");
  const Status unknown = connection.Query("from bronze.plays at (version => 7)").status();
  EXPECT_EQ(unknown.code(), StatusCode::kNotFound);
  EXPECT_THAT(unknown.message(), HasSubstr("bronze.plays has no snapshot 7; it has " + id(2)));
  EXPECT_THAT(unknown.message(), HasSubstr(id(0)));
  const Status early =
      connection.Query("from plays at (timestamp => timestamp '1999-01-01')").status();
  EXPECT_EQ(early.code(), StatusCode::kNotFound);
  EXPECT_THAT(early.message(), HasSubstr(id(0)));
  EXPECT_EQ(connection.Query("from plays at (version => 'main')").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(EngineTest, StreamedRowsAreComputedOnlyAsFarAsTheyAreRead) {
  int pieces = 0;
  const Status status =
      Connect().Run("select range from range(1000000000000)", [&](ResultStream& result) {
        return result.Write({}, [&](std::string_view) {
          return ++pieces < 5 ? OkStatus() : Error(StatusCode::kCancelled, "enough");
        });
      });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(pieces, 5);
  EXPECT_EQ(Csv(*connection_, "select 1 as a"), "a\n1\n");
}

TEST_F(EngineTest, ProgressCanEndAStatement) {
  Connection& connection = Connect({}, {.on_progress = [](double) { return false; }});
  // DuckDB looks for an interrupt between chunks, not inside a join of one.
  for (const char* sql : {"select sum(range) from range(1000000000000)",
                          "select range from range(1000000000000) where range = -1"}) {
    const Status status = connection.Run(sql, [](ResultStream& result) {
      return result.Write({}, [](std::string_view) { return OkStatus(); });
    });
    EXPECT_EQ(status.code(), StatusCode::kCancelled) << sql;
  }
}

TEST_F(EngineTest, ConnectionsSeeTheirOwnMoments) {
  MakePlays();
  Connection& connection = Connect();
  auto other = *engine_->Connect();
  ASSERT_TRUE(connection.Query("begin; from plays").ok());
  lake_.Append(kPlays,
               {lake_.WriteFile("a", "select 'x' as title, 1::bigint as n", "{title: 1, n: 2}")});
  lake_.Evolve(kPlays, {Field(1, "name", TypeKind::kString), Field(2, "n", TypeKind::kLong)});
  EXPECT_EQ(Csv(*other, "from plays"), "name,n\nx,1\n");
  EXPECT_EQ(Csv(connection, "from plays"), "title,n\n");
  ASSERT_TRUE(connection.Query("commit").ok());
  EXPECT_EQ(Csv(connection, "from plays"), "name,n\nx,1\n");
}

TEST_F(EngineTest, EnginesThatSpillAtOnceDoNotMeet) {
  const std::string temp_folder = lake_.folder() + "/spill";
  const EngineOptions options{
      .memory_bytes_max = 40 << 20, .threads = 1, .temp_folder = temp_folder};
  // What a process that died has left.
  std::filesystem::create_directories(temp_folder + "/dead");
  std::ofstream(temp_folder + "/dead/duckdb_temp_storage-0.tmp") << "x";
  std::ofstream(temp_folder + "/dead.lock") << "1\n";
  std::vector<std::string> sums(2);
  {
    std::vector<std::jthread> threads;
    for (std::string& sum : sums) {
      threads.emplace_back([&] {
        auto engine = Engine::Open(lake_.catalog(), lake_.store(), options);
        sum = Csv(**(*engine)->Connect(),
                  "select count(*) as n, sum(i) as s from (select i, row_number() over (order by "
                  "hash(i)) as r from range(2000000) t(i))");
      });
    }
  }
  EXPECT_THAT(sums, testing::Each("n,s\n2000000,1999999000000\n"));
  EXPECT_TRUE(std::filesystem::is_empty(temp_folder));
}

TEST_F(EngineTest, RunGivesEveryResultWithRows) {
  std::string text;
  const Status status =
      Connect().Run("create table t as select 1 as a; select a from t; select a + 1 as b from t",
                    [&](ResultStream& result) {
                      return result.Write({}, [&](std::string_view piece) {
                        text += piece;
                        return OkStatus();
                      });
                    });
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(text, "a\n1\nb\n2\n");
}

TEST_F(EngineTest, RunStopsWhereTheReceiverDoes) {
  int calls = 0;
  const Status status = Connect().Run("select 1; select 2", [&](ResultStream&) {
    ++calls;
    return Error(StatusCode::kCancelled, "enough");
  });
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(calls, 1);
}

TEST_F(EngineTest, RunningStatementsCanBeInterrupted) {
  Connection& connection = Connect();
  std::atomic<bool> is_done = false;
  // The statement may not have begun when the first interrupt comes, so there are more of them.
  std::jthread interrupter([&] {
    while (!is_done) {
      connection.Interrupt();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
  auto table = connection.Query(
      "select count(*) from range(10000000) a, range(10000000) b "
      "where a.range + b.range = -1");
  is_done = true;
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code(), StatusCode::kCancelled);
}

TEST_F(EngineTest, CompletesNamesOfTheLake) {
  MakePlays();
  Connection& connection = Connect();
  bool is_found = false;
  for (const Completion& completion : connection.Complete("select * from bronze.pl")) {
    is_found |= completion.text.starts_with("plays") && completion.start == 21;
  }
  EXPECT_TRUE(is_found);
}

TEST_F(EngineTest, CompletesTheValuesOfAComparedColumn) {
  MakePlays();
  lake_.Append(
      kPlays,
      {lake_.WriteFile("a", "select unnest(['play', 'pause', 'it''s']) as title, 7::bigint as n",
                       "{title: 1, n: 2}")});
  Connection& connection = Connect();
  const auto texts = [&](const std::string& sql) {
    std::vector<std::string> found;
    for (const Completion& completion : connection.Complete(sql)) {
      found.push_back(fmt::format("{}@{}", completion.text, completion.start));
    }
    return found;
  };
  using testing::ElementsAre;
  EXPECT_THAT(texts("from plays where title = "),
              ElementsAre("'it''s'@25", "'pause'@25", "'play'@25"));
  EXPECT_THAT(texts("from bronze.plays p where p.title <> 'pl"), ElementsAre("'play'@37"));
  EXPECT_THAT(texts("from plays where title in ('play', 'pa"), ElementsAre("'pause'@35"));
  EXPECT_THAT(texts("from plays where n = "), ElementsAre("7@21"));
  EXPECT_THAT(texts("from plays where nothing = "), testing::IsEmpty());
}

TEST_F(EngineTest, KnowsWhereAStatementEnds) {
  EXPECT_TRUE(IsIncomplete("select 1"));
  EXPECT_FALSE(IsIncomplete("select 1;"));
  EXPECT_FALSE(IsIncomplete("select 1; -- that is all"));
  EXPECT_TRUE(IsIncomplete("select 1; select"));
  EXPECT_TRUE(IsIncomplete("select ';"));
  EXPECT_TRUE(IsIncomplete("select ';'"));
  EXPECT_FALSE(IsIncomplete("select ';';"));
  EXPECT_FALSE(IsIncomplete("  "));
}

TEST_F(EngineTest, TheCatalogsOwnFactsAreTables) {
  MakePlays();
  Connection& connection = Connect();
  EXPECT_EQ(Csv(connection, "select table_name, current_snapshot_id from playhead.tables"),
            "table_name,current_snapshot_id\nplays,\n");
  const iceberg::DataFile file =
      lake_.WriteFile("a", "select 'x' as title, range as n from range(3)", "{title: 1, n: 2}");
  lake_.Append(kPlays, {file});
  EXPECT_EQ(Csv(connection, "select path, rows, bytes from playhead.files"),
            fmt::format("path,rows,bytes\n{},3,{}\n", file.path, file.file_bytes));
  EXPECT_EQ(Csv(connection,
                "select operation, is_current, year(committed_at) as year, "
                "summary['operation'] as word from playhead.snapshots"),
            "operation,is_current,year,word\nappend,true,2023,append\n");
  EXPECT_EQ(Csv(connection, "select count(*) as n from playhead.landing_files"), "n\n0\n");
}

TEST_F(EngineTest, SeedsHaveTheirDeclaredTypes) {
  const std::string path = lake_.folder() + "/networks.csv";
  std::ofstream(path) << "id,name\n007,one\n,\n";
  Connection& connection = Connect();
  ASSERT_TRUE(engine_
                  ->AddSeed("seeds", "networks", path,
                            {{.name = "id", .data_type = "VARCHAR"},
                             {.name = "name", .data_type = "VARCHAR"}})
                  .ok());
  EXPECT_EQ(Csv(connection, "select id, name is null as is_null from seeds.networks"),
            "id,is_null\n007,false\n,true\n");
}

TEST_F(EngineTest, JsonKeepsTheTypesOfValues) {
  auto table = Connect().Query(
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

TEST_F(EngineTest, RendersInAllFormats) {
  Connection& connection = Connect();
  auto table = connection.Query("select 'a,\"b\"' as \"x y\", null as n, '' as e, 'p|q' as p");
  ASSERT_TRUE(table.ok());
  EXPECT_EQ((*table)->Render({.format = OutputFormat::kCsv}),
            "x y,n,e,p\n\"a,\"\"b\"\"\",,\"\",p|q\n");
  EXPECT_EQ((*table)->Render({.format = OutputFormat::kJson}),
            R"([{"x y":"a,\"b\"","n":null,"e":"","p":"p|q"}])"
            "\n");
  EXPECT_THAT((*table)->Render({.format = OutputFormat::kMarkdown}), HasSubstr("| p\\|q |"));
  EXPECT_THAT((*table)->Render({.format = OutputFormat::kTable}), HasSubstr(" x y "));
  auto empty = connection.Query("select 1 as a where false");
  EXPECT_EQ((*empty)->Render({.format = OutputFormat::kJson}), "[]\n");
  EXPECT_EQ((*empty)->Render({.format = OutputFormat::kCsv}), "a\n");
}

TEST_F(EngineTest, BoxesAreWholeWithoutATerminal) {
  auto table = Connect().Query("select range as n, repeat('w', 300) as w from range(100)");
  ASSERT_TRUE(table.ok());
  const std::string whole = (*table)->Render({.format = OutputFormat::kTable});
  EXPECT_THAT(whole, HasSubstr(std::string(300, 'w')));
  EXPECT_THAT(whole, HasSubstr(" 73 │"));
  EXPECT_THAT(
      (*table)->Render({.format = OutputFormat::kTable, .terminal_columns = 80, .rows_max = 40}),
      testing::Not(HasSubstr(" 50 │")));
}

TEST_F(EngineTest, StatementsRunOutOfMemoryWithTheirOwnCode) {
  Connection& connection = Connect({.memory_bytes_max = 64 << 20});
  auto table = connection.Query("select list(range) from range(100000000)");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().code(), StatusCode::kResourceExhausted) << table.error().ToString();
}

}  // namespace
}  // namespace playhead::sql
