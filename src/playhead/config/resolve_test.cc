#include "playhead/config/config.h"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace playhead::config {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ResolveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "config_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = std::filesystem::canonical(name).string();
    std::filesystem::create_directories(folder_ + "/elsewhere");
    Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    epoch: {interval_ms: 500}
  prod:
    warehouse: /data/lake
    catalog: sqlite:./own.db
    landing: in
)");
    Write("dbt_project.yml", "name: cinema\nvars: {zone: UTC, month: none}\n");
    inputs_.current_folder = folder_;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& file, const std::string& text) {
    std::ofstream(folder_ + "/" + file) << text;
  }
  ResolvedConfig Resolved() {
    auto config = Resolve(inputs_);
    EXPECT_TRUE(config.ok()) << config.status().message();
    return config.ok() ? *config : ResolvedConfig();
  }
  std::string Refusal() {
    auto config = Resolve(inputs_);
    return config.ok() ? "resolved" : config.error().ToString();
  }

  std::string folder_;
  Inputs inputs_;
};

TEST_F(ResolveTest, PlacesOfTheFileAreRelativeToTheProject) {
  inputs_.current_folder = folder_ + "/elsewhere";
  const ResolvedConfig config = Resolved();
  EXPECT_EQ(config.target.name, "dev");
  EXPECT_EQ(config.warehouse_uri, "file://" + folder_ + "/lake");
  EXPECT_EQ(config.catalog_path, folder_ + "/lake/catalog.db");
  EXPECT_EQ(config.catalog_uri, "sqlite:" + folder_ + "/lake/catalog.db");
  EXPECT_EQ(config.journal_folder, folder_ + "/lake/journal");
  EXPECT_EQ(config.landing_folder, folder_ + "/landing");
}

TEST_F(ResolveTest, LockJournalAndSpillHavePlacesOfTheirOwn) {
  ResolvedConfig config = Resolved();
  EXPECT_EQ(config.lock_file, folder_ + "/lake/ingest.lock");
  EXPECT_EQ(config.temp_folder, folder_ + "/lake/_staging/duckdb");

  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    journal: {folder: ../disk2/journal}
    lock_file: locks/ingest
    sql: {temp_folder: /var/tmp/spill}
)");
  inputs_.environment["PLAYHEAD_LOCK_FILE"] = "mine";
  inputs_.current_folder = folder_ + "/elsewhere";
  config = Resolved();
  EXPECT_EQ(config.journal_folder,
            std::filesystem::path(folder_).parent_path().string() + "/disk2/journal");
  EXPECT_EQ(config.lock_file, folder_ + "/elsewhere/mine");
  EXPECT_EQ(config.temp_folder, "/var/tmp/spill");
  EXPECT_EQ(EngineOptionsOf(config).temp_folder, "/var/tmp/spill");
  EXPECT_EQ(config.settings.Text("lock_file"), config.lock_file);

  // What the target says belongs to the target's warehouse.
  inputs_.flags.values["warehouse"] = "w";
  config = Resolved();
  EXPECT_EQ(config.journal_folder, folder_ + "/elsewhere/w/journal");
  EXPECT_EQ(config.temp_folder, folder_ + "/elsewhere/w/_staging/duckdb");
  EXPECT_EQ(config.lock_file, folder_ + "/elsewhere/mine");
}

TEST_F(ResolveTest, PlacesOfFlagsAndVariablesAreRelativeToTheCurrentFolder) {
  inputs_.current_folder = folder_ + "/elsewhere";
  inputs_.flags.values["warehouse"] = "w";
  inputs_.environment["PLAYHEAD_LANDING"] = "l";
  const ResolvedConfig config = Resolved();
  EXPECT_EQ(config.warehouse_uri, "file://" + folder_ + "/elsewhere/w");
  EXPECT_EQ(config.catalog_path, folder_ + "/elsewhere/w/catalog.db");
  EXPECT_EQ(config.landing_folder, folder_ + "/elsewhere/l");
}

TEST_F(ResolveTest, AnotherWarehouseHasItsOwnCatalogUnlessOneIsGiven) {
  inputs_.flags.values["target"] = "prod";
  EXPECT_EQ(Resolved().catalog_path, folder_ + "/own.db");
  inputs_.flags.values["warehouse"] = "/other";
  EXPECT_EQ(Resolved().catalog_path, "/other/catalog.db");
  inputs_.flags.values["catalog"] = "sqlite:c.db";
  EXPECT_EQ(Resolved().catalog_path, folder_ + "/c.db");
}

TEST_F(ResolveTest, FlagOverVariableOverFileOverDefault) {
  const auto origin = [&](const ResolvedConfig& config, const char* key) {
    return config.settings.values().find(key)->second.origin;
  };
  EXPECT_EQ(Resolved().settings.Integer("epoch.rows_max"), 1'000'000);
  EXPECT_EQ(origin(Resolved(), "epoch.rows_max"), Origin::kDefault);
  EXPECT_EQ(Resolved().settings.Integer("epoch.interval_ms"), 500);
  EXPECT_EQ(origin(Resolved(), "epoch.interval_ms"), Origin::kFile);
  inputs_.environment["PLAYHEAD_EPOCH_INTERVAL_MS"] = "600";
  EXPECT_EQ(Resolved().settings.Integer("epoch.interval_ms"), 600);
  EXPECT_EQ(origin(Resolved(), "epoch.interval_ms"), Origin::kVariable);
  inputs_.flags.assignments = {"epoch.interval_ms=700"};
  EXPECT_EQ(Resolved().settings.Integer("epoch.interval_ms"), 700);
  EXPECT_EQ(origin(Resolved(), "epoch.interval_ms"), Origin::kFlag);
}

TEST_F(ResolveTest, AllMistakesOfAllSourcesComeAtOnce) {
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    epoch: {interval_ms: soon}
    epok: {rows_max: 1}
)");
  Write("dbt_project.yml", "name: theatre\n");
  inputs_.environment["PLAYHEAD_WAREHUOSE"] = "x";
  inputs_.flags.assignments = {"sql.thread=1", "listen"};
  EXPECT_THAT(
      Refusal(),
      AllOf(HasSubstr("dbt_project.yml:1: name: got 'theatre'"),
            HasSubstr("playhead.yml:6: epoch.interval_ms: got 'soon', expected a whole"),
            HasSubstr("playhead.yml:7: epok.rows_max: unknown setting (did you mean "
                      "epoch.rows_max?)"),
            HasSubstr("PLAYHEAD_WAREHUOSE: unknown variable (did you mean PLAYHEAD_WAREHOUSE?)"),
            HasSubstr("--set sql.thread: unknown setting (did you mean sql.threads?)"),
            HasSubstr("--set listen: expected KEY=VALUE")));
}

TEST_F(ResolveTest, SettingsOfOtherTargetsAreCheckedToo) {
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev: {warehouse: ./lake}
  prod:
    warehouse: ./lake
    epoch: {interval_ms: soon}
)");
  EXPECT_THAT(Refusal(), HasSubstr("playhead.yml:7: epoch.interval_ms"));
}

TEST_F(ResolveTest, VariablesOfOthersAreLeftAlone) {
  inputs_.environment["PLAYHEAD_BUILD_JOBS"] = "2";
  inputs_.environment["PLAYHEAD_WAREHOUSE"] = "";
  EXPECT_EQ(Resolved().warehouse_uri, "file://" + folder_ + "/lake");
}

TEST_F(ResolveTest, UnknownTargetsComeWithTheNearest) {
  inputs_.flags.values["target"] = "prd";
  EXPECT_THAT(Refusal(), HasSubstr("no target is named 'prd' (did you mean prod?)"));
}

TEST_F(ResolveTest, VarsOfTheCommandLineWin) {
  inputs_.flags.values["vars"] = "{month: 2021-12}";
  const ResolvedConfig config = Resolved();
  EXPECT_EQ(config.vars.at("month"), "2021-12");
  EXPECT_EQ(config.vars.at("zone"), "UTC");
  inputs_.flags.values["vars"] = "nonsense";
  EXPECT_THAT(Refusal(), HasSubstr("--vars: vars: expected a map"));
}

TEST_F(ResolveTest, WhatThisBuildLacksIsNamed) {
  inputs_.flags.values["catalog"] = "postgresql://u:secret@db/x";
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("NotSupported"), HasSubstr("catalog=postgresql"),
                               testing::Not(HasSubstr("secret"))));
  inputs_.flags.values.erase("catalog");
  inputs_.flags.values["warehouse"] = "s3://bucket/lake";
  EXPECT_THAT(Refusal(), HasSubstr("NotSupported"));
}

TEST_F(ResolveTest, FlagsAreNamedAsTheyAreSpelt) {
  inputs_.flags.values["epoch.interval_ms"] = "soon";
  EXPECT_THAT(Refusal(), HasSubstr("--epoch-interval-ms: epoch.interval_ms: got 'soon'"));
}

TEST_F(ResolveTest, WhatTheLogWouldRefuseIsRefused) {
  inputs_.flags.assignments = {"listen=abc"};
  EXPECT_THAT(Refusal(), HasSubstr("--set: listen: got 'abc', expected HOST:PORT"));
  inputs_.flags.assignments.clear();
  Write("playhead.yml", R"(name: cinema
default_target: dev
targets:
  dev:
    warehouse: ./lake
    log: {type: kafka, properties: {bootstrap.servers: "127.0.0.1:1", fetch.wait: 3}}
)");
  EXPECT_THAT(Refusal(), HasSubstr("playhead.yml:4: log.properties: fetch.wait: "));
}

TEST_F(ResolveTest, NoProjectIsSaidSo) {
  inputs_.current_folder = "/";
  EXPECT_THAT(Refusal(), HasSubstr("NotFound: no playhead.yml in / or a folder above it"));
  inputs_.flags.values["project"] = folder_;
  EXPECT_EQ(Resolved().project.folder, folder_);
}

TEST(Flags, FillTheSettingsTheyName) {
  CLI::App app;
  Flags flags;
  AddCommonFlags(app, flags);
  AddSettingFlag(app, flags, "listen");
  app.parse("--env prod --warehouse /w --vars '{a: 1}' --listen 127.0.0.1:1 --set a=b --set c=d");
  EXPECT_EQ(flags.values.at("target"), "prod");
  EXPECT_EQ(flags.values.at("vars"), "{a: 1}");
  EXPECT_EQ(flags.values.at("listen"), "127.0.0.1:1");
  EXPECT_THAT(flags.assignments, testing::ElementsAre("a=b", "c=d"));
}

}  // namespace
}  // namespace playhead::config
