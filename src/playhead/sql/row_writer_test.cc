#include "playhead/sql/row_writer.h"

#include "playhead/sql/result_rows.h"

#include <gtest/gtest.h>

#include <clocale>
#include <optional>
#include <string>

namespace playhead::sql {
namespace {

using Kind = OutputCell::Kind;
using Rows = std::vector<std::vector<OutputCell>>;

class RowWriterTest : public testing::Test {
 protected:
  void SetUp() override { std::setlocale(LC_CTYPE, "C.UTF-8"); }

  static std::string Written(const OutputStyle& style, std::vector<OutputColumn> columns,
                             const Rows& rows) {
    std::string out;
    const auto writer = RowWriter::Make(style, std::move(columns), [&](std::string_view piece) {
      out += piece;
      return OkStatus();
    });
    for (const auto& row : rows) EXPECT_TRUE(writer->Add(row).ok());
    EXPECT_TRUE(writer->Finish().ok());
    return out;
  }

  static OutputCell Text(std::string_view text) { return {.kind = Kind::kText, .text = text}; }
  static OutputCell Number(std::string_view text) { return {.kind = Kind::kLiteral, .text = text}; }
};

TEST_F(RowWriterTest, EveryFormatQuotesWhatItNeedsTo) {
  const std::vector<OutputColumn> columns = {{.name = "a,b"}, {.name = "n", .is_number = true}};
  const Rows rows = {{Text("x\t\"y\"\n\\"), Number("1.5")}, {Text(""), {}}};
  const auto written = [&](OutputFormat format) {
    return Written({.format = format}, columns, rows);
  };
  EXPECT_EQ(written(OutputFormat::kCsv), "\"a,b\",n\n\"x\t\"\"y\"\"\n\\\",1.5\n\"\",\n");
  EXPECT_EQ(written(OutputFormat::kTsv), "a,b\tn\nx\\t\"y\"\\n\\\\\t1.5\n\t\n");
  EXPECT_EQ(written(OutputFormat::kJson),
            "[{\"a,b\":\"x\\t\\\"y\\\"\\n\\\\\",\"n\":1.5},\n{\"a,b\":\"\",\"n\":null}]\n");
  EXPECT_EQ(written(OutputFormat::kNdjson),
            "{\"a,b\":\"x\\t\\\"y\\\"\\n\\\\\",\"n\":1.5}\n{\"a,b\":\"\",\"n\":null}\n");
  EXPECT_EQ(written(OutputFormat::kMarkdown),
            "| a,b | n |\n|---|---:|\n| x\t\"y\"<br>\\ | 1.5 |\n|  |  |\n");
  EXPECT_EQ(written(OutputFormat::kLine), "a,b = x\t\"y\"\n\\\n  n = 1.5\n\na,b = \n  n = NULL\n");
}

TEST_F(RowWriterTest, NoRowsAreWholeOutputToo) {
  const std::vector<OutputColumn> columns = {{.name = "a"}};
  EXPECT_EQ(Written({.format = OutputFormat::kJson}, columns, {}), "[]\n");
  EXPECT_EQ(Written({.format = OutputFormat::kNdjson}, columns, {}), "");
  EXPECT_EQ(Written({.format = OutputFormat::kCsv}, columns, {}), "a\n");
}

TEST_F(RowWriterTest, BytesThatAreNoUtf8BecomeJson) {
  EXPECT_EQ(Written({.format = OutputFormat::kNdjson}, {{.name = "映"}}, {{Text("a\xff")}}),
            "{\"映\":\"a\uFFFD\"}\n");
}

TEST_F(RowWriterTest, BoxesAlignWideCharactersAndNumbers) {
  EXPECT_EQ(Written({.format = OutputFormat::kTable},
                    {{.name = "name", .type = "varchar"},
                     {.name = "n", .type = "int32", .is_number = true}},
                    {{Text("映画\x1b"), Number("12")}, {{}, {}}}),
            "┌──────────┬───────┐\n"
            "│ name     │     n │\n"
            "│ varchar  │ int32 │\n"
            "├──────────┼───────┤\n"
            "│ 映画\\x1B │    12 │\n"
            "│ NULL     │  NULL │\n"
            "└──────────┴───────┘\n");
}

TEST_F(RowWriterTest, BoxesFitTheTerminalByCuttingTheLongestTexts) {
  const OutputStyle style{.format = OutputFormat::kTable, .terminal_columns = 28};
  EXPECT_EQ(Written(style, {{.name = "a_long_name"}, {.name = "n", .is_number = true}},
                    {{Text("abcdefghijklmnop"), Number("123456789")}}),
            "┌──────────────┬───────────┐\n"
            "│ a_long_name  │         n │\n"
            "├──────────────┼───────────┤\n"
            "│ abcdef…lmnop │ 123456789 │\n"
            "└──────────────┴───────────┘\n");
}

TEST_F(RowWriterTest, NamesThatDifferNeverLookAlike) {
  const OutputStyle style{.format = OutputFormat::kTable, .terminal_columns = 20};
  const std::string box = Written(
      style, {{.name = "name"}},
      {{Text("bronze.media_events_eu_raw.parquet")}, {Text("bronze.media_events_us_raw.parquet")}});
  EXPECT_NE(box.find("u_raw"), std::string::npos) << box;
  EXPECT_NE(box.find("s_raw"), std::string::npos) << box;
}

TEST_F(RowWriterTest, BoxesOfManyRowsShowTheFirstAndTheLast) {
  std::vector<std::string> texts;
  for (int i = 0; i < 100; ++i) texts.push_back(std::to_string(i));
  Rows rows;
  for (const std::string& text : texts) rows.push_back({Number(text)});
  const std::string box = Written({.format = OutputFormat::kTable, .rows_max = 3},
                                  {{.name = "n", .is_number = true}}, rows);
  EXPECT_EQ(box,
            "┌────┐\n│  n │\n├────┤\n│  0 │\n│  1 │\n│  · │\n│ 99 │\n└────┘\n"
            "100 rows (3 shown)\n");
}

TEST_F(RowWriterTest, BoxesOfTooManyColumnsShowTheOuterOnes) {
  std::vector<OutputColumn> columns;
  std::vector<OutputCell> row;
  for (int i = 0; i < 9; ++i) {
    columns.push_back({.name = fmt::format("column_{}", i), .type = "varchar"});
    row.push_back(Text("x"));
  }
  const std::string box =
      Written({.format = OutputFormat::kTable, .terminal_columns = 60}, columns, {row});
  EXPECT_NE(box.find("column_0"), std::string::npos) << box;
  EXPECT_NE(box.find("column_8"), std::string::npos) << box;
  EXPECT_EQ(box.find("column_4"), std::string::npos) << box;
  EXPECT_NE(box.find("1 row, 9 columns (5 shown)"), std::string::npos) << box;
}

TEST_F(RowWriterTest, RowsArePassedOnWhileTheyCome) {
  size_t pieces = 0;
  const auto writer =
      RowWriter::Make({.format = OutputFormat::kCsv}, {{.name = "a"}}, [&](std::string_view) {
        ++pieces;
        return pieces < 3 ? OkStatus() : Error(StatusCode::kCancelled, "enough");
      });
  const std::string text(30'000, 'x');
  Status status;
  for (int i = 0; status.ok() && i < 100; ++i) status = writer->Add({Text(text)});
  EXPECT_EQ(status.code(), StatusCode::kCancelled);
  EXPECT_EQ(pieces, 3u);
}

TEST_F(RowWriterTest, CutTextsCountColumnsNotBytes) {
  EXPECT_EQ(CutToColumns("映画 ab", 7), "映画 ab");
  EXPECT_EQ(CutToColumns("映画 ab", 6), "映画 …");
  // The second character would need the column of the sign.
  EXPECT_EQ(CutToColumns("映画", 3), "映…");
  EXPECT_EQ(CutToColumns("", 0), "");
  EXPECT_EQ(CutMiddle("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(CutMiddle("abcdefgh", 5), "ab…gh");
  EXPECT_EQ(CutMiddle("映画映画", 5), "映…画");
  EXPECT_EQ(CutMiddle("ab", 0), "…");
}

TEST_F(RowWriterTest, RoundedNumbersKeepTheirSize) {
  EXPECT_EQ(RoundedText("71.33333333333333", 2), "71.33");
  EXPECT_EQ(RoundedText("71.5", 2), "71.5");
  EXPECT_EQ(RoundedText("0.0012345678", 2), "0.00123");
  EXPECT_EQ(RoundedText("-1234567.891", 2), "-1234567.89");
  EXPECT_EQ(RoundedText("nan", 2), "nan");
  EXPECT_EQ(RoundedText("1e+300", 2), "1e+300");
}

}  // namespace
}  // namespace playhead::sql
