#include "playhead/project/project.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace playhead::project {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kPlayheadYml[] = R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    epoch: {interval_ms: 500}
)";
constexpr char kDbtProjectYml[] = R"(name: cinema
version: "1.0"
profile: cinema
)";
constexpr char kSourcesYml[] = R"(version: 2
sources:
  - name: bronze
    tables:
      - name: plays
        config:
          event_time: at
          meta:
            playhead:
              topic: plays
              format: json
              partition_by: [kind, day(at) as date]
        columns:
          - {name: at, data_type: TIMESTAMPTZ, data_tests: [not_null]}
          - name: kind
            data_type: VARCHAR
            data_tests:
              - accepted_values: {arguments: {values: [play, stop]}}
)";

/// A project in a folder of its own, whole and right until a file is replaced.
class ReadProjectTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "project_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    Write("playhead.yml", kPlayheadYml);
    Write("dbt_project.yml", kDbtProjectYml);
    Write("models/sources.yml", kSourcesYml);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& file, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(folder_) / file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  /// The sources with the first `from` replaced.
  void EditSources(const std::string& from, const std::string& to) {
    std::string text = kSourcesYml;
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    Write("models/sources.yml", text.replace(at, from.size(), to));
  }
  std::string Problems(const Environment& environment = {}) {
    auto outcome = ReadProject(folder_, environment);
    return outcome.ok() ? DescribeProblems(outcome->problems) : outcome.error().ToString();
  }
  Project Read(const Environment& environment = {}) {
    auto outcome = ReadProject(folder_, environment);
    EXPECT_TRUE(outcome.ok());
    EXPECT_EQ(DescribeProblems(outcome->problems), "");
    return outcome->project;
  }

  std::string folder_;
};

TEST_F(ReadProjectTest, ReadsTargetsAndStreams) {
  const Project project = Read();
  EXPECT_EQ(project.name, "cinema");
  ASSERT_EQ(project.targets.size(), 1u);
  EXPECT_EQ(project.targets[0].warehouse, "./lake");
  EXPECT_EQ(project.targets[0].settings.at("epoch.interval_ms").value, "500");
  EXPECT_EQ(project.targets[0].settings.at("epoch.interval_ms").place.line, 6);
  const Stream* plays = project.FindStream("plays");
  ASSERT_NE(plays, nullptr);
  EXPECT_EQ(plays->table_namespace, "bronze");
  EXPECT_EQ(plays->topic, "plays");
  EXPECT_EQ(plays->event_time, "at");
  ASSERT_EQ(plays->columns.size(), 2u);
  EXPECT_TRUE(plays->columns[0].not_null);
  EXPECT_THAT(plays->columns[1].accepted_values, ElementsAre("play", "stop"));
  ASSERT_EQ(plays->partition_by.size(), 2u);
  EXPECT_EQ(plays->partition_by[1].source_column, "at");
  EXPECT_EQ(plays->partition_by[1].transform, PartitionTransform::kDay);
  EXPECT_EQ(plays->partition_by[1].name, "date");
}

TEST_F(ReadProjectTest, LandingTablesHaveTheDefaultPatternsAndTheVirtualDate) {
  EditSources(
      "topic: plays\n              format: json\n              partition_by: [kind, day(at) as "
      "date]",
      "format: csv\n              partition_by: [ingestion_date]");
  const Project project = Read();
  EXPECT_THAT(project.streams[0].landing,
              ElementsAre("**/plays.csv{,.gz,.zst}", "**/plays_YYYY-MM-DD.csv{,.gz,.zst}"));
  EXPECT_TRUE(project.streams[0].has_ingestion_date);
  EXPECT_EQ(project.streams[0].columns.size(), 2u);
}

TEST_F(ReadProjectTest, EveryMistakeIsReportedAtOnceWithItsLine) {
  Write("playhead.yml",
        "name: cinema\ndefault_target: prod\ntargets:\n  dev:\n    warehose: ./x\n");
  EditSources("data_type: TIMESTAMPTZ", "data_type: TIMESTAMPZ");
  const std::string problems = Problems();
  EXPECT_THAT(problems, HasSubstr("playhead.yml:2: default_target: no target is named 'prod'"));
  EXPECT_THAT(problems, HasSubstr("playhead.yml:5: targets.dev.warehouse: missing"));
  EXPECT_THAT(problems,
              HasSubstr("models/sources.yml:14: sources[bronze].tables[plays].columns[at]."
                        "data_type: column at: unknown type TIMESTAMPZ"));
}

TEST_F(ReadProjectTest, NamesThatIcebergReservesAreRefusedInAnyCase) {
  for (const char* name :
       {"_file", "_pos", "_deleted", "_spec_id", "_partition", "_row_id",
        "_last_updated_sequence_number", "_change_type", "_change_ordinal", "_commit_snapshot_id",
        "file_path", "pos", "row", "File_Path", "ROW", "_Partition"}) {
    EditSources("{name: at,",
                std::string("{name: ") + name + ", data_type: INTEGER}\n          - {name: at,");
    EXPECT_THAT(
        Problems(),
        HasSubstr(std::string("models/sources.yml:14: sources[bronze].tables[plays].columns[") +
                  name + "].name: '" + name + "': Iceberg reserves this name"));
  }
  for (const char* name : {"file_paths", "position", "rows", "partition", "deleted"}) {
    EditSources("{name: at,",
                std::string("{name: ") + name + ", data_type: INTEGER}\n          - {name: at,");
    EXPECT_EQ(Problems(), "");
  }
}

TEST_F(ReadProjectTest, TheSameTransformOfAColumnIsDeclaredOnce) {
  EditSources("[kind, day(at) as date]", "[day(at) as date, hour(at) as hour, kind]");
  EXPECT_EQ(Problems(), "");
  EditSources("[kind, day(at) as date]", "[day(at) as date, kind, day(at) as at_day]");
  EXPECT_THAT(
      Problems(),
      HasSubstr("'date' and 'at_day' partition by the same transform of 'at'; leave one out"));
  EditSources("[kind, day(at) as date]", "[kind, identity(kind) as sort]");
  EXPECT_THAT(Problems(), HasSubstr("models/sources.yml:12: "));
  EXPECT_THAT(Problems(), HasSubstr("partition by the same transform of 'kind'"));
}

TEST_F(ReadProjectTest, UnknownKeysComeWithTheNearestName) {
  Write("playhead.yml", std::string(kPlayheadYml) + "default_targets: dev\n");
  EXPECT_THAT(
      Problems(),
      HasSubstr("playhead.yml:7: default_targets: unknown key (did you mean default_target?)"));
  Write("playhead.yml", kPlayheadYml);
  EditSources("topic: plays", "topics: plays");
  EXPECT_THAT(Problems(), HasSubstr("playhead.topics: unknown key (did you mean topic?)"));
}

TEST_F(ReadProjectTest, KeysOfDbtPassWithoutAWord) {
  EditSources("      - name: plays", "      - name: plays\n        quoting: {identifier: true}");
  EXPECT_EQ(Problems(), "");
}

TEST_F(ReadProjectTest, KeysGivenTwiceAndWrongKindsAreMistakes) {
  Write("playhead.yml", std::string(kPlayheadYml) + "name: other\n");
  EXPECT_THAT(Problems(), HasSubstr("playhead.yml:7: name: given twice"));
  Write("playhead.yml", "name: cinema\ndefault_target: dev\ntargets: [dev]\n");
  EXPECT_THAT(Problems(), HasSubstr("targets: expected a map, got a list"));
  Write("playhead.yml", "name: [a\n");
  EXPECT_THAT(Problems(), HasSubstr("playhead.yml:2: not valid YAML"));
}

TEST_F(ReadProjectTest, OwnedKafkaPropertiesAreRefusedByName) {
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    log:
      type: kafka
      properties:
        bootstrap.servers: 127.0.0.1:9092
        group.id: mine
)");
  EXPECT_THAT(Problems(), HasSubstr("playhead.yml:10: targets.dev.log.properties.group.id: belongs "
                                    "to playhead"));
}

TEST_F(ReadProjectTest, ReadsKafkaPropertiesVerbatim) {
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    log:
      type: kafka
      properties:
        bootstrap.servers: 127.0.0.1:9092
        acks: all
)");
  EXPECT_THAT(Read().targets[0].kafka_properties,
              ElementsAre(testing::Pair("acks", "all"),
                          testing::Pair("bootstrap.servers", "127.0.0.1:9092")));
}

TEST_F(ReadProjectTest, ResolvesEnvironmentVariables) {
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: "{{ env_var('LAKE', './lake') }}/a"
)");
  EXPECT_EQ(Read().targets[0].warehouse, "./lake/a");
  EXPECT_EQ(Read({{"LAKE", "/data"}}).targets[0].warehouse, "/data/a");
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: "{{ env_var('LAKE') }}"
)");
  EXPECT_THAT(Problems(), HasSubstr("playhead.yml:5: environment variable LAKE is not set"));
}

TEST_F(ReadProjectTest, EventTimeMustBeInConfigAndATimestamptz) {
  EditSources("        config:", "        event_time: at\n        config:");
  EXPECT_THAT(Problems(),
              HasSubstr("models/sources.yml:6: sources[bronze].tables[plays].event_time: "
                        "dbt 1.11 wants it in config.event_time"));
  EditSources("event_time: at", "event_time: kind");
  EXPECT_THAT(Problems(),
              HasSubstr("got 'kind', expected a column of type TIMESTAMPTZ, not VARCHAR"));
}

TEST_F(ReadProjectTest, ReservedAndRepeatedColumnsAreMistakes) {
  EditSources("name: kind", "name: _topic");
  EXPECT_THAT(Problems(), HasSubstr("'_topic': names that begin with _"));
  EditSources("name: kind", "name: AT");
  EXPECT_THAT(Problems(), HasSubstr("column 'AT' is declared twice, first in line 14"));
}

TEST_F(ReadProjectTest, PartitionFieldsAreChecked) {
  const std::string good = "[kind, day(at) as date]";
  EditSources(good, "[month(at)]");
  EXPECT_THAT(Problems(), HasSubstr("models/sources.yml:12: "));
  EXPECT_THAT(Problems(), HasSubstr("unknown transform 'month'; expected identity, day or hour"));
  EditSources(good, "[day(kind)]");
  EXPECT_THAT(Problems(), HasSubstr("column kind of type VARCHAR does not go with that transform"));
  EditSources(good, "[kid]");
  EXPECT_THAT(Problems(), HasSubstr("no column is named 'kid' (did you mean kind?)"));
  EditSources(good, "[day(at) as kind]");
  EXPECT_THAT(Problems(), HasSubstr("'kind' is a column"));
  EditSources(good, "[kind, day(at) as d, hour(at) as d]");
  EXPECT_THAT(Problems(), HasSubstr("the name 'd' is given twice"));
  EditSources(good, "[day at]");
  EXPECT_THAT(Problems(), HasSubstr("got 'day at', expected COLUMN, day(COLUMN)"));
}

TEST_F(ReadProjectTest, TopicAndLandingExcludeEachOther) {
  EditSources("topic: plays", "topic: plays\n              landing: '*.json'");
  EXPECT_THAT(Problems(), HasSubstr("playhead.landing: not together with topic"));
  EditSources("format: json", "format: csv");
  EXPECT_THAT(Problems(), HasSubstr("playhead.format: expected json for a table with a topic"));
  EditSources("format: json", "format: xml");
  EXPECT_THAT(Problems(), HasSubstr("got 'xml', expected one of json, jsonl, csv, parquet"));
  EditSources("              format: json\n", "");
  EXPECT_THAT(Problems(), HasSubstr("playhead.format: missing"));
}

TEST_F(ReadProjectTest, EndlessNamesAreMistakes) {
  const std::string endless(1'000'000, 'a');
  EditSources("name: plays", "name: " + endless);
  EXPECT_THAT(Problems(), HasSubstr("expected lower-case letters, digits and _"));
  EditSources("name: kind", "name: " + endless);
  EXPECT_THAT(Problems(), HasSubstr("expected letters, digits and _"));
  EditSources("[kind, day(at) as date]", "[" + endless + "]");
  EXPECT_THAT(Problems(), HasSubstr("expected COLUMN, day(COLUMN)"));
}

TEST_F(ReadProjectTest, AcceptedValuesOfAPartitionAreOfItsType) {
  const std::string column = "name: kind\n            data_type: ";
  for (const auto& [type, value] :
       {std::pair{"BIGINT", "7"}, {"INTEGER", "-7"}, {"BOOLEAN", "true"}, {"DATE", "2026-01-02"}}) {
    std::string text = kSourcesYml;
    const auto replace = [&](const std::string& from, const std::string& to) {
      text.replace(text.find(from), from.size(), to);
    };
    replace(column + "VARCHAR", column + type);
    Write("models/sources.yml", text);
    EXPECT_THAT(Problems(),
                HasSubstr(fmt::format("partition_by: accepted value 'play' of column kind is not a "
                                      "{}",
                                      type)));
    replace("[play, stop]", fmt::format("[{}]", value));
    Write("models/sources.yml", text);
    EXPECT_EQ(Problems(), "");
  }
}

TEST_F(ReadProjectTest, ClocksAreChecked) {
  EditSources("format: json", "format: json\n              event_time_ahead_days: 4000");
  EXPECT_THAT(Problems(), HasSubstr("event_time_ahead_days: got '4000', expected 0 … 3660 days"));
  EditSources("format: json", "format: json\n              event_time_ahead_days: 7");
  EXPECT_EQ(Read().streams[0].event_time_ahead_us, 7LL * 86'400 * 1'000'000);
  if (std::filesystem::exists("/usr/share/zoneinfo/Europe")) {
    EditSources("format: json", "format: json\n              timezone: Europe/Berlon");
    EXPECT_THAT(Problems(), HasSubstr("timezone: got 'Europe/Berlon', expected an IANA time zone"));
  }
}

TEST_F(ReadProjectTest, TestsThatOnlyWarnAreDbtsAlone) {
  EditSources("values: [play, stop]}}", "values: [play, stop]}, config: {severity: warn}}");
  EXPECT_TRUE(Read().streams[0].columns[1].accepted_values.empty());
}

TEST_F(ReadProjectTest, ATableIsDeclaredOnce) {
  Write("models/more.yml", kSourcesYml);
  EXPECT_THAT(Problems(), HasSubstr("models/sources.yml:5: sources[bronze].tables[plays].name: "
                                    "'plays' is declared twice, first at models/more.yml:5"));
}

TEST_F(ReadProjectTest, SourcesWithoutPlayheadAreDbtsAlone) {
  Write("models/sources.yml", "sources:\n  - name: crm\n    tables:\n      - name: Customers\n");
  EXPECT_TRUE(Read().streams.empty());
}

TEST_F(ReadProjectTest, QuestionsNeedTheirSqlAndRivals) {
  Write("analyses/viewers.sql", "select 1");
  Write("analyses/rivals/viewers_per_day.sql", "select 2");
  const std::string questions = R"(analyses:
  - name: viewers
    config:
      meta:
        playhead:
          question: How many?
          definition: All of them.
          chart: {type: number, y: n}
          rivals:
            - {name: viewers_per_day, definition: Per day.}
)";
  Write("analyses/q.yml", questions);
  const Project project = Read();
  const Question* viewers = project.FindQuestion("viewers");
  ASSERT_NE(viewers, nullptr);
  EXPECT_EQ(viewers->sql, "select 1");
  EXPECT_EQ(viewers->sql_file, "analyses/viewers.sql");
  ASSERT_EQ(viewers->rivals.size(), 1u);
  EXPECT_EQ(viewers->rivals[0].definition, "Per day.");

  std::filesystem::remove(folder_ + "/analyses/rivals/viewers_per_day.sql");
  EXPECT_THAT(Problems(), HasSubstr("analyses/q.yml:10: "));
  EXPECT_THAT(Problems(), HasSubstr("no file viewers_per_day.sql below the analysis paths"));
  Write("analyses/q.yml",
        "analyses:\n  - name: viewers\n    config: {meta: {playhead: {charts: 1}}}\n");
  EXPECT_THAT(Problems(), HasSubstr("question: missing; expected the question in words"));
  EXPECT_THAT(Problems(), HasSubstr("definition: missing"));
  EXPECT_THAT(Problems(), HasSubstr("charts: unknown key (did you mean chart?)"));
}

TEST_F(ReadProjectTest, NamesOfBothFilesMustAgree) {
  Write("dbt_project.yml", "name: theatre\n");
  EXPECT_EQ(Problems(),
            "dbt_project.yml:1: name: got 'theatre', expected 'cinema' as in "
            "playhead.yml\n");
  std::filesystem::remove(folder_ + "/dbt_project.yml");
  EXPECT_THAT(Problems(), HasSubstr("dbt_project.yml:1: missing"));
}

TEST_F(ReadProjectTest, VarsArePrintedAsJinjaDoes) {
  Write("dbt_project.yml", R"(name: cinema
vars:
  zone: Europe/Berlin
  flag: yes
  text: "yes"
  count: 10
  nothing:
  other_package: {zone: UTC}
  cinema: {count: 11}
)");
  const Vars vars = Read().vars;
  EXPECT_EQ(vars.at("zone"), "Europe/Berlin");
  EXPECT_EQ(vars.at("flag"), "True");
  EXPECT_EQ(vars.at("text"), "yes");
  EXPECT_EQ(vars.at("nothing"), "None");
  EXPECT_EQ(vars.at("count"), "11");
  EXPECT_FALSE(vars.contains("other_package"));
}

TEST_F(ReadProjectTest, SeedsHaveATypeForEveryColumn) {
  Write("seeds/networks.csv", "id,\"the, name\"\n1,x\n");
  EXPECT_THAT(Problems(), HasSubstr("seeds/networks.csv:1: no types"));
  Write(
      "seeds/s.yml",
      "seeds:\n  - name: networks\n    config:\n      column_types: {id: INTEGER, nam: VARCHAR}\n");
  EXPECT_THAT(Problems(), HasSubstr("the, name: missing; seeds/networks.csv has the column"));
  EXPECT_THAT(Problems(), HasSubstr("nam: seeds/networks.csv has no such column"));
  Write("seeds/s.yml",
        "seeds:\n  - name: networks\n    config:\n      column_types: {id: INTEGER, \"the, name\": "
        "VARCHAR}\n");
  const Project project = Read();
  ASSERT_EQ(project.seeds.size(), 1u);
  ASSERT_EQ(project.seeds[0].columns.size(), 2u);
  EXPECT_EQ(project.seeds[0].columns[1].name, "the, name");
}

TEST_F(ReadProjectTest, FindsTheNearestParent) {
  std::filesystem::create_directories(folder_ + "/models/deep");
  EXPECT_EQ(*FindProjectFolder(folder_ + "/models/deep"),
            std::filesystem::canonical(folder_).string());
  EXPECT_EQ(FindProjectFolder("/").error().code(), StatusCode::kNotFound);
  EXPECT_EQ(ReadProject(folder_ + "/models").error().code(), StatusCode::kNotFound);
}

TEST(ParseVars, TakesYamlAndJson) {
  EXPECT_EQ(ParseVars("a: 2025-09-09")->at("a"), "2025-09-09");
  EXPECT_EQ(ParseVars(R"({"a": "x", "b": true})")->at("b"), "True");
  EXPECT_TRUE(ParseVars("")->empty());
  EXPECT_EQ(ParseVars("just text").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseVars("a: [1]").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(ParseVars("{").error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::project
