#include "playhead/decode/record_splitter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace playhead::decode {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kMax = 1 << 20;

/// RawRecords as text: records as they are, others with a mark before them.
std::vector<std::string> CutChunks(std::string_view input, Framing mode, size_t chunk_bytes,
                                   int64_t max = kMax) {
  RecordSplitter splitter(mode, max);
  std::vector<std::string> raws;
  size_t at = 0;
  do {
    // A copy of its own, so that a view into a chunk that is gone is seen.
    std::string chunk(input.substr(at, chunk_bytes));
    at += chunk.size();
    splitter.Push(chunk, at == input.size());
    RawRecord raw;
    while (splitter.Next(&raw)) {
      EXPECT_EQ(raw.number, static_cast<int64_t>(raws.size()));
      std::string mark = raw.kind == RawRecord::Kind::kRecord     ? ""
                         : raw.kind == RawRecord::Kind::kTooLarge ? "LARGE:"
                                                                  : "REST:";
      if (raw.kind == RawRecord::Kind::kTooLarge) {
        EXPECT_GT(raw.total_bytes, static_cast<int64_t>(raw.bytes.size()));
      }
      raws.push_back(mark + std::string(raw.bytes));
    }
  } while (at < input.size());
  return raws;
}

/// The same for every size of chunk, or the test fails.
std::vector<std::string> Cut(std::string_view input, Framing mode = Framing::kAuto,
                             int64_t max = kMax) {
  std::vector<std::string> whole = CutChunks(input, mode, std::max<size_t>(input.size(), 1), max);
  for (size_t bytes = 1; bytes < std::min<size_t>(input.size(), 40); ++bytes) {
    EXPECT_EQ(CutChunks(input, mode, bytes, max), whole) << "chunks of " << bytes << ": " << input;
  }
  return whole;
}

TEST(RecordSplitter, LinesAreRecordsWhateverTheyHold) {
  EXPECT_THAT(Cut("{\"a\":1}\n{\"b\":\n garbage \n[1,\n{\"c\":2}", Framing::kLines),
              ElementsAre("{\"a\":1}", "{\"b\":", " garbage ", "[1,", "{\"c\":2}"));
}

TEST(RecordSplitter, BlankLinesAndLineEndsAreNoRecords) {
  EXPECT_THAT(Cut("\n\r\n{\"a\":1}\r\n   \t\n\n{\"b\":2}\r\n"),
              ElementsAre("{\"a\":1}", "{\"b\":2}"));
  EXPECT_THAT(Cut(""), IsEmpty());
  EXPECT_THAT(Cut(" \r\n \n"), IsEmpty());
}

TEST(RecordSplitter, SkipsAByteOrderMark) {
  EXPECT_THAT(Cut("\xEF\xBB\xBF{\"a\":1}\n"), ElementsAre("{\"a\":1}"));
  EXPECT_THAT(Cut("\xEF\xBB\xBF[1]"), ElementsAre("1"));
  EXPECT_THAT(Cut("\xEF\xBB"), ElementsAre("\xEF\xBB"));
}

TEST(RecordSplitter, CutsAnArrayAtItsOwnCommas) {
  EXPECT_THAT(Cut(" [ {\"a\":[1,2]} ,\n {\"b\":\"x],[\\\",{\"}\t,7, \"s\" ] \n"),
              ElementsAre("{\"a\":[1,2]}", "{\"b\":\"x],[\\\",{\"}", "7", "\"s\""));
  EXPECT_THAT(Cut("[]"), IsEmpty());
  EXPECT_THAT(Cut("[ ]\n"), IsEmpty());
}

TEST(RecordSplitter, ABrokenElementOfASoundArrayHarmsNoOther) {
  EXPECT_THAT(Cut("[{\"a\":1},{\"b\" 2},{\"c\":tru},{\"d\":4}]"),
              ElementsAre("{\"a\":1}", "{\"b\" 2}", "{\"c\":tru}", "{\"d\":4}"));
}

TEST(RecordSplitter, TheRestOfADamagedArrayIsOnePiece) {
  EXPECT_THAT(Cut("[{\"a\":1},{\"b\":2"), ElementsAre("{\"a\":1}", "REST:{\"b\":2"));
  EXPECT_THAT(Cut("[{\"a\":1},"), ElementsAre("{\"a\":1}", "REST:"));
  EXPECT_THAT(Cut("[{\"a\":1}"), ElementsAre("REST:{\"a\":1}"));
  EXPECT_THAT(Cut("[{\"a\":1},,{\"b\":2}]"), ElementsAre("{\"a\":1}", "REST:,{\"b\":2}]"));
  EXPECT_THAT(Cut("[{\"a\":1},]"), ElementsAre("{\"a\":1}", "REST:]"));
  EXPECT_THAT(Cut("[{\"a\":1}] x"), ElementsAre("{\"a\":1}", "REST:x"));
  EXPECT_THAT(Cut("[{\"a\":1}},{\"b\":2}]"), ElementsAre("REST:{\"a\":1}},{\"b\":2}]"));
  EXPECT_THAT(Cut("[{\"a\":\"x},{\"b\":2}]"), ElementsAre("REST:{\"a\":\"x},{\"b\":2}]"));
  EXPECT_THAT(Cut("{}", Framing::kArray), ElementsAre("REST:{}"));
}

TEST(RecordSplitter, ALaterLineMayHoldSeveralValuesOrGoOn) {
  EXPECT_THAT(Cut("{\"a\":1}\n{\"b\":2}{\"c\":\"}{\"} \n{\"d\":4}"),
              ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":\"}{\"}", "{\"d\":4}"));
  EXPECT_THAT(
      Cut("{\"a\":1}\r\n{\r\n  \"b\": [\r\n    2,\r\n\r\n    {}]\r\n}\r\n{\"c\":3}\n"),
      ElementsAre("{\"a\":1}", "{\r\n  \"b\": [\r\n    2,\r\n\r\n    {}]\r\n}", "{\"c\":3}"));
  EXPECT_THAT(Cut("{\"a\":1}\n{\"b\":{\"x\":1}\n,\"y\":2} {\"c\":\n3} {\"d\":4}\n"),
              ElementsAre("{\"a\":1}", "{\"b\":{\"x\":1}\n,\"y\":2}", "{\"c\":\n3}", "{\"d\":4}"));
  EXPECT_THAT(Cut("{\"s\":\"{\"}\n{\"s\":\"}\"}\n[{}]\n"),
              ElementsAre("{\"s\":\"{\"}", "{\"s\":\"}\"}", "[{}]"));
}

TEST(RecordSplitter, ABrokenLineAmongLinesHarmsNoOther) {
  EXPECT_THAT(Cut("{\"a\":1}\n{\"b\":\n{\"c\":3}\n{\"d\":4}\n"),
              ElementsAre("{\"a\":1}", "{\"b\":", "{\"c\":3}", "{\"d\":4}"));
  EXPECT_THAT(Cut("{\"a\":1}\n{\"b\":\"x\n{\"c\":3}\n"),
              ElementsAre("{\"a\":1}", "{\"b\":\"x", "{\"c\":3}"));
  EXPECT_THAT(Cut("{\"a\":1}\n{\"b\":2} x {\"c\":3}\n{\"d\":4}{"),
              ElementsAre("{\"a\":1}", "{\"b\":2} x {\"c\":3}", "{\"d\":4}", "{"));
  EXPECT_THAT(Cut("{}\n{\"a\":[\n1,\n2]}\n{\"b\":[\n1\n", Framing::kAuto, 12),
              ElementsAre("{}", "{\"a\":[", "1,", "2]}", "{\"b\":[", "1"));
}

TEST(RecordSplitter, TellsPrettyPrintedObjectsFromLines) {
  EXPECT_THAT(Cut("{\n  \"a\": 1,\n  \"b\": {\"c\": 2}\n}\n"),
              ElementsAre("{\n  \"a\": 1,\n  \"b\": {\"c\": 2}\n}"));
  EXPECT_THAT(Cut("{\"a\":\n{\"b\":1}}\n{\"c\":2}"),
              ElementsAre("{\"a\":\n{\"b\":1}}", "{\"c\":2}"));
  EXPECT_THAT(Cut("{\"a\":1}{\"b\":2} {\"c\":3}\n"),
              ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}"));
  EXPECT_THAT(Cut("{\"a\":[\n1,\n2]}"), ElementsAre("{\"a\":[\n1,\n2]}"));
}

TEST(RecordSplitter, ATruncatedFirstLineStillMeansLines) {
  EXPECT_THAT(Cut("{\"a\":1,\n{\"b\":2}\n"), ElementsAre("{\"a\":1,", "{\"b\":2}"));
  EXPECT_THAT(Cut("{\"a\":\"x\n{\"b\":2}\n"), ElementsAre("{\"a\":\"x", "{\"b\":2}"));
  EXPECT_THAT(Cut("{\"a\"\n{\"b\":2}\n"), ElementsAre("{\"a\"", "{\"b\":2}"));
  EXPECT_THAT(Cut("{\"a\":1,\ntext\n{\"b\":2}\n"), ElementsAre("{\"a\":1,", "text", "{\"b\":2}"));
  EXPECT_THAT(Cut("{\"a\":1} tail\n{\"b\":2}\n"), ElementsAre("{\"a\":1} tail", "{\"b\":2}"));
}

TEST(RecordSplitter, DamagedValuesLeaveARest) {
  EXPECT_THAT(Cut("{\"a\":1}{\"b\":2}x{\"c\":3}"),
              ElementsAre("{\"a\":1}", "{\"b\":2}", "REST:x{\"c\":3}"));
  EXPECT_THAT(Cut("{\n\"a\":1\n"), ElementsAre("REST:{\n\"a\":1\n"));
}

TEST(RecordSplitter, KeepsTheBeginningOfARecordThatIsTooLarge) {
  EXPECT_THAT(Cut("12345678\n12345\r\n123456\n", Framing::kLines, 5),
              ElementsAre("LARGE:12345", "12345", "LARGE:12345"));
  EXPECT_THAT(Cut("[12345678 , 12345 ]", Framing::kAuto, 5), ElementsAre("LARGE:12345", "12345"));
  EXPECT_THAT(Cut("[1,{\"abcdefgh\":1,", Framing::kAuto, 5), ElementsAre("1", "REST:{\"abc"));
}

TEST(RecordSplitter, LosesNoByteOfAnyInput) {
  std::mt19937 random(7);
  const std::string alphabet = "{}[],:\"\\ \n\ra1";
  for (int round = 0; round < 20'000; ++round) {
    std::string input;
    for (size_t i = random() % 30; i > 0; --i) input += alphabet[random() % alphabet.size()];
    for (Framing mode : {Framing::kAuto, Framing::kLines, Framing::kArray, Framing::kValues}) {
      std::vector<std::string> whole = CutChunks(input, mode, std::max<size_t>(input.size(), 1));
      ASSERT_EQ(CutChunks(input, mode, 1 + random() % 5), whole) << input;
      // What is left out must be blanks, or the punctuation of the array.
      size_t at = 0;
      for (std::string raw : whole) {
        if (raw.starts_with("REST:")) raw.erase(0, 5);
        size_t found = input.find(raw, at);
        ASSERT_NE(found, std::string::npos) << input;
        ASSERT_EQ(input.substr(at, found - at).find_first_not_of(" \n\r[],"), std::string::npos)
            << input;
        at = found + raw.size();
      }
      ASSERT_EQ(input.substr(at).find_first_not_of(" \n\r[],"), std::string::npos) << input;
    }
  }
}

TEST(CutBody, TakesObjectArrayAndLines) {
  EXPECT_THAT(*CutBody("{\"a\":1}"), ElementsAre("{\"a\":1}"));
  EXPECT_THAT(*CutBody("{\n\"a\":1}\n"), ElementsAre("{\n\"a\":1}"));
  EXPECT_THAT(*CutBody("[{\"a\":1},{\"b\":2}]"), ElementsAre("{\"a\":1}", "{\"b\":2}"));
  EXPECT_THAT(*CutBody("{\"a\":1}\nbroken\n{\"b\":\n"),
              ElementsAre("{\"a\":1}", "broken", "{\"b\":"));
}

TEST(CutBody, ABrokenLineHarmsNoOther) {
  EXPECT_THAT(*CutBody("{\"a\":1}\n{\"b\":\n{\"c\":3}}\n{\"d\":4}"),
              ElementsAre("{\"a\":1}", "{\"b\":", "{\"c\":3}}", "{\"d\":4}"));
}

TEST(CutBody, RefusesWhatIsNoSequenceOfRecords) {
  for (std::string_view body : {"", " \n", "[]", "hello", "\x1f\x8b\x08", "<html>\n</html>",
                                "[{\"a\":1},{\"b\"", "[1] x", "{\n\"a\":1", "42"}) {
    auto cut = CutBody(body);
    EXPECT_EQ(cut.status().code(), StatusCode::kInvalidArgument) << body;
  }
  EXPECT_THAT(CutBody("[{\"a\":1},{\"b\"").status().message(), HasSubstr("not closed: byte=9"));
}

}  // namespace
}  // namespace playhead::decode
