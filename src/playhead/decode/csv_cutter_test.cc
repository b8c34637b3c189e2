#include "playhead/decode/csv_cutter.h"

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
  std::vector<std::string> pieces;               // bytes, with a mark before unreadable ones
  std::vector<std::vector<std::string>> fields;  // of records; "<null>" for null

  bool operator==(const CutCsv&) const = default;
};

CutCsv CutChunks(std::string_view input, size_t chunk_bytes, int64_t max = 1 << 20) {
  CsvCutter cutter(max);
  CutCsv result;
  size_t at = 0;
  do {
    std::string chunk(input.substr(at, chunk_bytes));
    at += chunk.size();
    cutter.Push(chunk, at == input.size());
    Piece piece;
    while (cutter.Next(&piece)) {
      EXPECT_EQ(piece.number, static_cast<int64_t>(result.pieces.size()));
      std::string mark = piece.kind == Piece::Kind::kRecord     ? ""
                         : piece.kind == Piece::Kind::kTooLarge ? "LARGE:"
                                                                : "BAD:";
      result.pieces.push_back(mark + std::string(piece.bytes));
      if (piece.kind != Piece::Kind::kRecord) continue;
      result.fields.emplace_back();
      for (const auto& field : cutter.fields()) {
        result.fields.back().emplace_back(field.value_or("<null>"));
      }
    }
  } while (at < input.size());
  result.header = cutter.header();
  return result;
}

CutCsv Cut(std::string_view input) {
  CutCsv whole = CutChunks(input, std::max<size_t>(input.size(), 1));
  for (size_t bytes = 1; bytes < std::min<size_t>(input.size(), 40); ++bytes) {
    EXPECT_EQ(CutChunks(input, bytes), whole) << "chunks of " << bytes << ": " << input;
  }
  return whole;
}

TEST(CsvCutter, ReadsHeaderAndFields) {
  CutCsv csv = Cut("title,size\nRush,330.5\r\n\"Heat\",\n");
  EXPECT_THAT(csv.header, ElementsAre("title", "size"));
  EXPECT_THAT(csv.pieces, ElementsAre("Rush,330.5", "\"Heat\","));
  EXPECT_THAT(csv.fields, ElementsAre(ElementsAre("Rush", "330.5"), ElementsAre("Heat", "<null>")));
}

TEST(CsvCutter, ACarriageReturnAloneEndsLinesIfItEndsTheHeader) {
  CutCsv csv = Cut("a,\"b\rb\"\r1,2\r\"x\ry\",3\r\r4,");
  EXPECT_THAT(csv.header, ElementsAre("a", "b\rb"));
  EXPECT_THAT(csv.fields, ElementsAre(ElementsAre("1", "2"), ElementsAre("x\ry", "3"),
                                      ElementsAre("4", "<null>")));
  EXPECT_THAT(Cut("a,b\r").header, ElementsAre("a", "b"));
  EXPECT_THAT(Cut("a,b\r\n1,x\ry\n").fields, ElementsAre(ElementsAre("1", "x\ry")));
}

TEST(CsvCutter, QuotesHoldCommasLinesAndQuotes) {
  CutCsv csv = Cut("a,b\n\"x,\ny\",\"say \"\"hi\"\"\"\r\n\"\",\"\"\"\"\n");
  EXPECT_THAT(csv.pieces, ElementsAre("\"x,\ny\",\"say \"\"hi\"\"\"", "\"\",\"\"\"\""));
  EXPECT_THAT(csv.fields, ElementsAre(ElementsAre("x,\ny", "say \"hi\""), ElementsAre("", "\"")));
}

TEST(CsvCutter, EmptyIsNullOnlyWithoutQuotes) {
  EXPECT_THAT(Cut("a,b,c\n,\"\",\n").fields, ElementsAre(ElementsAre("<null>", "", "<null>")));
}

TEST(CsvCutter, AQuoteInsideAnUnquotedFieldIsPlain) {
  EXPECT_THAT(Cut("a,b\n5\" disk,x\"\n").fields, ElementsAre(ElementsAre("5\" disk", "x\"")));
}

TEST(CsvCutter, SkipsByteOrderMarkAndEmptyLines) {
  CutCsv csv = Cut("\xEF\xBB\xBF\"a\",b\n\n1,2\r\n\r\n3,4");
  EXPECT_THAT(csv.header, ElementsAre("a", "b"));
  EXPECT_THAT(csv.pieces, ElementsAre("1,2", "3,4"));
  EXPECT_THAT(Cut("").pieces, IsEmpty());
  EXPECT_THAT(Cut("a,b").pieces, IsEmpty());
  EXPECT_THAT(Cut("a,b").header, ElementsAre("a", "b"));
}

TEST(CsvCutter, AnEmptyLineIsTheNullOfAOnlyColumn) {
  EXPECT_THAT(Cut("a\n1\n\n2\n").fields,
              ElementsAre(ElementsAre("1"), ElementsAre("<null>"), ElementsAre("2")));
}

TEST(CsvCutter, HandsOutRaggedLinesWithTheirFields) {
  EXPECT_THAT(Cut("a,b\n1\n1,2,3\n").fields,
              ElementsAre(ElementsAre("1"), ElementsAre("1", "2", "3")));
}

TEST(CsvCutter, TextBehindAClosingQuoteSpoilsItsRecordOnly) {
  CutCsv csv = Cut("a,b\n\"x\"y,1\n\"x\"\r,1\n2,3\n");
  EXPECT_THAT(csv.pieces, ElementsAre("BAD:\"x\"y,1", "BAD:\"x\"\r,1", "2,3"));
}

TEST(CsvCutter, AQuoteThatIsNeverClosedTakesTheRest) {
  CutCsv csv = Cut("a,b\n1,2\n3,\"x\n5,6\n");
  EXPECT_THAT(csv.pieces, ElementsAre("1,2", "BAD:3,\"x\n5,6\n"));
  EXPECT_THAT(Cut("a,\"b\n1,2\n").pieces, ElementsAre("BAD:a,\"b\n1,2\n"));
}

TEST(CsvCutter, KeepsTheBeginningOfARecordThatIsTooLarge) {
  CutCsv csv = CutChunks("a,b\n1,\"123456789\"\n3,4\n", 3, 8);
  EXPECT_THAT(csv.pieces, ElementsAre("LARGE:1,\"12345", "3,4"));
}

TEST(CsvCutter, ReadsBackWhatAWriterQuoted) {
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
