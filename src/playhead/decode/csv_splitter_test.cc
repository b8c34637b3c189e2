#include "playhead/decode/csv_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace playhead::decode {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct CutCsv {
  std::vector<std::string> header;
  std::vector<std::string> raws;                 // bytes, with a mark before unreadable ones
  std::vector<std::vector<std::string>> fields;  // of records; "<null>" for null

  bool operator==(const CutCsv&) const = default;
};

CutCsv CutChunks(std::string_view input, size_t chunk_bytes, int64_t max = 1 << 20) {
  CsvSplitter splitter(max);
  CutCsv result;
  size_t at = 0;
  do {
    std::string chunk(input.substr(at, chunk_bytes));
    at += chunk.size();
    splitter.Push(chunk, at == input.size());
    RawRecord raw;
    while (splitter.Next(&raw)) {
      EXPECT_EQ(raw.number, static_cast<int64_t>(result.raws.size()));
      std::string mark = raw.kind == RawRecord::Kind::kRecord     ? ""
                         : raw.kind == RawRecord::Kind::kTooLarge ? "LARGE:"
                                                                  : "BAD:";
      result.raws.push_back(mark + std::string(raw.bytes));
      if (raw.kind != RawRecord::Kind::kRecord) continue;
      result.fields.emplace_back();
      for (const auto& field : splitter.fields()) {
        result.fields.back().emplace_back(field.value_or("<null>"));
      }
    }
  } while (at < input.size());
  result.header = splitter.header();
  return result;
}

CutCsv Cut(std::string_view input) {
  CutCsv whole = CutChunks(input, std::max<size_t>(input.size(), 1));
  for (size_t bytes = 1; bytes < std::min<size_t>(input.size(), 40); ++bytes) {
    EXPECT_EQ(CutChunks(input, bytes), whole) << "chunks of " << bytes << ": " << input;
  }
  return whole;
}

TEST(CsvSplitter, ReadsHeaderAndFields) {
  CutCsv csv = Cut("title,size\nRush,330.5\r\n\"Heat\",\n");
  EXPECT_THAT(csv.header, ElementsAre("title", "size"));
  EXPECT_THAT(csv.raws, ElementsAre("Rush,330.5", "\"Heat\","));
  EXPECT_THAT(csv.fields, ElementsAre(ElementsAre("Rush", "330.5"), ElementsAre("Heat", "<null>")));
}

TEST(CsvSplitter, ACarriageReturnAloneEndsLinesIfItEndsTheHeader) {
  CutCsv csv = Cut("a,\"b\rb\"\r1,2\r\"x\ry\",3\r\r4,");
  EXPECT_THAT(csv.header, ElementsAre("a", "b\rb"));
  EXPECT_THAT(csv.fields, ElementsAre(ElementsAre("1", "2"), ElementsAre("x\ry", "3"),
                                      ElementsAre("4", "<null>")));
  EXPECT_THAT(Cut("a,b\r").header, ElementsAre("a", "b"));
  EXPECT_THAT(Cut("a,b\r\n1,x\ry\n").fields, ElementsAre(ElementsAre("1", "x\ry")));
}

TEST(CsvSplitter, QuotesHoldCommasLinesAndQuotes) {
  CutCsv csv = Cut("a,b\n\"x,\ny\",\"say \"\"hi\"\"\"\r\n\"\",\"\"\"\"\n");
  EXPECT_THAT(csv.raws, ElementsAre("\"x,\ny\",\"say \"\"hi\"\"\"", "\"\",\"\"\"\""));
  EXPECT_THAT(csv.fields, ElementsAre(ElementsAre("x,\ny", "say \"hi\""), ElementsAre("", "\"")));
}

TEST(CsvSplitter, EmptyIsNullOnlyWithoutQuotes) {
  EXPECT_THAT(Cut("a,b,c\n,\"\",\n").fields, ElementsAre(ElementsAre("<null>", "", "<null>")));
}

TEST(CsvSplitter, AQuoteInsideAnUnquotedFieldIsPlain) {
  EXPECT_THAT(Cut("a,b\n5\" disk,x\"\n").fields, ElementsAre(ElementsAre("5\" disk", "x\"")));
}

TEST(CsvSplitter, SkipsByteOrderMarkAndEmptyLines) {
  CutCsv csv = Cut("\xEF\xBB\xBF\"a\",b\n\n1,2\r\n\r\n3,4");
  EXPECT_THAT(csv.header, ElementsAre("a", "b"));
  EXPECT_THAT(csv.raws, ElementsAre("1,2", "3,4"));
  EXPECT_THAT(Cut("").raws, IsEmpty());
  EXPECT_THAT(Cut("a,b").raws, IsEmpty());
  EXPECT_THAT(Cut("a,b").header, ElementsAre("a", "b"));
}

TEST(CsvSplitter, AnEmptyLineIsTheNullOfAOnlyColumn) {
  EXPECT_THAT(Cut("a\n1\n\n2\n").fields,
              ElementsAre(ElementsAre("1"), ElementsAre("<null>"), ElementsAre("2")));
}

TEST(CsvSplitter, HandsOutRaggedLinesWithTheirFields) {
  EXPECT_THAT(Cut("a,b\n1\n1,2,3\n").fields,
              ElementsAre(ElementsAre("1"), ElementsAre("1", "2", "3")));
}

TEST(CsvSplitter, TextBehindAClosingQuoteSpoilsItsRecordOnly) {
  CutCsv csv = Cut("a,b\n\"x\"y,1\n\"x\"\r,1\n2,3\n");
  EXPECT_THAT(csv.raws, ElementsAre("BAD:\"x\"y,1", "BAD:\"x\"\r,1", "2,3"));
}

TEST(CsvSplitter, AQuoteThatIsNeverClosedTakesTheRest) {
  CutCsv csv = Cut("a,b\n1,2\n3,\"x\n5,6\n");
  EXPECT_THAT(csv.raws, ElementsAre("1,2", "BAD:3,\"x\n5,6\n"));
  EXPECT_THAT(Cut("a,\"b\n1,2\n").raws, ElementsAre("BAD:a,\"b\n1,2\n"));
}

TEST(CsvSplitter, KeepsTheBeginningOfARecordThatIsTooLarge) {
  CutCsv csv = CutChunks("a,b\n1,\"123456789\"\n3,4\n", 3, 8);
  EXPECT_THAT(csv.raws, ElementsAre("LARGE:1,\"12345", "3,4"));
}

TEST(CsvSplitter, ReadsBackWhatAWriterQuoted) {
  std::mt19937 random(11);
  const std::string alphabet = "ab,\"\n\r ";
  for (int round = 0; round < 5'000; ++round) {
    std::string input = "a,b\n";
    std::vector<std::vector<std::string>> rows(1 + random() % 4);
    for (auto& row : rows) {
      for (int i = 0; i < 2; ++i) {
        std::string field;
        for (size_t n = random() % 6; n > 0; --n) field += alphabet[random() % alphabet.size()];
        row.push_back(field);
        std::string quoted;
        for (char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
        input += (i == 0 ? "\"" : ",\"") + quoted + "\"";
      }
      input += random() % 2 == 0 ? "\n" : "\r\n";
    }
    ASSERT_EQ(CutChunks(input, 1 + random() % 9).fields, rows) << input;
  }
}

}  // namespace
}  // namespace playhead::decode
