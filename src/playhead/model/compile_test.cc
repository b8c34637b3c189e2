#include "playhead/model/compile.h"

#include <gtest/gtest.h>

namespace playhead::model {
namespace {

project::Project SmallProject() {
  project::Project project;
  project.streams.push_back({.source_name = "bronze",
                             .name = "plays",
                             .table_namespace = "raw",
                             .identifier = "media_plays"});
  project.seeds.push_back({.name = "campaigns", .file = "seeds/campaigns.csv", .columns = {}});
  return project;
}

Result<std::string> Compile(std::string_view sql, const project::Vars& vars = {}) {
  return CompileSql(SmallProject(), vars, "analyses/a.sql", sql);
}

TEST(CompileSql, ResolvesSourcesSeedsAndVariables) {
  EXPECT_EQ(Compile("select {{ source('bronze', 'plays') }}").value(),
            "select \"raw\".\"media_plays\"");
  EXPECT_EQ(Compile("{{ref(\"campaigns\")}}").value(), "\"seeds\".\"campaigns\"");
  EXPECT_EQ(Compile("'{{ var('month', '') }}' {{ var('n', 7) }} {{ var('x', none) }}").value(),
            "'' 7 None");
  EXPECT_EQ(Compile("{{ var('n', 7) }}", {{"n", "8"}}).value(), "8");
  EXPECT_EQ(Compile(R"({{ var('a', 'it\'s') }})").value(), "it's");
}

TEST(CompileSql, DropsCommentsAndTrims) {
  EXPECT_EQ(Compile("a {# {{ nothing }} #}b").value(), "a b");
  EXPECT_EQ(Compile("a {#- x -#} b").value(), "ab");
  EXPECT_EQ(Compile("a {{- var('n', 1) -}} b").value(), "a1b");
  EXPECT_EQ(Compile("select {'a': 1}, '}}'").value(), "select {'a': 1}, '}}'");
}

TEST(CompileSql, RefusesByPlace) {
  const auto unknown = Compile("\n\n{{ source('bronze', 'play') }}");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(unknown.error().message().starts_with("analyses/a.sql:3: no such source"));
  EXPECT_NE(unknown.error().message().find("did you mean plays"), std::string::npos);

  const auto statement = Compile("{% for x in y %}{% endfor %}");
  ASSERT_FALSE(statement.ok());
  EXPECT_EQ(statement.error().code(), StatusCode::kNotSupported);
  EXPECT_NE(statement.error().message().find("run it with dbt"), std::string::npos);

  EXPECT_EQ(Compile("{{ x + 1 }}").error().code(), StatusCode::kNotSupported);
  EXPECT_EQ(Compile("{{ var('x') | upper }}").error().code(), StatusCode::kNotSupported);
  EXPECT_EQ(Compile("{{ var('unset') }}").error().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Compile("{{ var('x'").error().code(), StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace playhead::model
