#include "playhead/cli/output.h"

#include "playhead/cli/progress.h"
#include "playhead/cli/table_facts.h"

#include <gtest/gtest.h>

#include <clocale>
#include <string>

namespace playhead::cli {
namespace {

const Table kTable{.columns = {"name", "n"},
                   .rows = {{std::string("a,\"b\""), int64_t{12}}, {std::string("映画"), {}}}};

TEST(Render, BoxesAlignWideCharactersAndNumbers) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  EXPECT_EQ(Render(kTable, sql::OutputFormat::kTable),
            "┌───────┬────┐\n"
            "│ name  │  n │\n"
            "├───────┼────┤\n"
            "│ a,\"b\" │ 12 │\n"
            "│ 映画  │    │\n"
            "└───────┴────┘\n");
}

TEST(Render, CsvQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(Render(kTable, sql::OutputFormat::kCsv), "name,n\n\"a,\"\"b\"\"\",12\n映画,\n");
}

TEST(Render, JsonIsAnArrayOfObjectsInColumnOrder) {
  EXPECT_EQ(Render(kTable, sql::OutputFormat::kJson),
            "[{\"name\":\"a,\\\"b\\\"\",\"n\":12},\n{\"name\":\"映画\",\"n\":null}]\n");
  EXPECT_EQ(Render({.columns = {"a"}, .rows = {}}, sql::OutputFormat::kJson), "[]\n");
}

TEST(Render, MarkdownEscapesBars) {
  EXPECT_EQ(
      Render({.columns = {"a|b"}, .rows = {{std::string("x\ny")}}}, sql::OutputFormat::kMarkdown),
      "| a\\|b |\n|---|\n| x<br>y |\n");
}

TEST(PartitionPath, AnIdentityOfADateIsADate) {
  iceberg::NestedField day{.id = 3, .name = "ingestion_date"};
  day.type = std::make_shared<iceberg::Type>(iceberg::Type{.kind = iceberg::TypeKind::kDate});
  iceberg::TableMetadata metadata;
  // The column has been dropped since: only the first schema has it.
  metadata.schemas = {{.schema_id = 0, .fields = {day}}, {.schema_id = 1}};
  metadata.current_schema_id = 1;
  metadata.specs = {
      {.spec_id = 0, .fields = {{.source_id = 3, .field_id = 1000, .name = "ingestion_date"}}}};
  catalog::LiveFile file;
  file.file.partition = {int32_t{20'362}};
  EXPECT_EQ(PartitionPath(metadata, file), "ingestion_date=2025-10-01");
}

TEST(Amount, BytesHaveAUnitThatFits) {
  EXPECT_EQ(Amount(1'234'567, "events"), "1,234,567 events");
  EXPECT_EQ(Amount(999'999, "bytes"), "999,999 bytes");
  EXPECT_EQ(Amount(1'234'567, "bytes"), "1.2 MB");
  EXPECT_EQ(Amount(9'999'000'000, "bytes"), "9999.0 MB");
  EXPECT_EQ(Amount(12'345'000'000, "bytes"), "12.3 GB");
}

TEST(IsoMicros, PrintsOnlyTheDigitsThatCount) {
  EXPECT_EQ(IsoMicros(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(IsoMicros(1'704'189'600'123'000), "2024-01-02T10:00:00.123Z");
  EXPECT_EQ(IsoMicros(-1), "1969-12-31T23:59:59.999999Z");
}

}  // namespace
}  // namespace playhead::cli
