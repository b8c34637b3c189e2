#include "playhead/sim/json_text.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace playhead::sim {
namespace {

template <typename Append, typename... Args>
std::string Appended(Append append, const Args&... args) {
  std::string text;
  append(args..., text);
  return text;
}

TEST(JsonText, NumbersAreWholePaddedOrThousandths) {
  EXPECT_EQ(Appended(AppendInt, INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(Appended(AppendPadded, 7, 3), "007");
  EXPECT_EQ(Appended(AppendPadded, 1234, 3), "1234");
  EXPECT_EQ(Appended(AppendThousandths, 0), "0.0");
  EXPECT_EQ(Appended(AppendThousandths, 1'234'500), "1234.5");
  EXPECT_EQ(Appended(AppendThousandths, 1'050), "1.05");
  EXPECT_EQ(Appended(AppendThousandths, -1), "-0.001");
}

TEST(JsonText, QuotedIsWhatAParserReadsBack) {
  const std::string text = "a\"b\\c\nd\te\x01 é–";
  EXPECT_EQ(nlohmann::json::parse(Appended(AppendQuoted, text)).get<std::string>(), text);
}

TEST(JsonText, CsvFieldsAreQuotedOnlyWhereNeeded) {
  EXPECT_EQ(Appended(AppendCsvField, "plain text"), "plain text");
  EXPECT_EQ(Appended(AppendCsvField, "one, two"), "\"one, two\"");
  EXPECT_EQ(Appended(AppendCsvField, "a \"b\""), "\"a \"\"b\"\"\"");
}

}  // namespace
}  // namespace playhead::sim
