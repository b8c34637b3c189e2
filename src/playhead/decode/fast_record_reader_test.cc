// The plain reader is an optimisation and nothing else: whatever the record, the parser's verdict,
// reason, detail and slots are the same without it.

#include "playhead/decode/fast_record_reader.h"

#include "playhead/decode/decode_testing.h"
#include "playhead/decode/record_parser.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {
namespace {

RowSchema EveryType() {
  RowSchema schema;
  schema.columns = {
      {.name = "id", .type = arrow::utf8(), .is_required = true},
      {.name = "n", .type = arrow::int64()},
      {.name = "small", .type = arrow::int32()},
      {.name = "x", .type = arrow::float64()},
      {.name = "single", .type = arrow::float32()},
      {.name = "flag", .type = arrow::boolean()},
      {.name = "happened_at", .type = UtcMicrosType()},
      {.name = "day", .type = arrow::date32()},
      {.name = "price", .type = arrow::decimal128(12, 3)},
      {.name = "bytes", .type = arrow::binary()},
      {.name = "a_rather_long_name", .type = arrow::utf8()},
      {.name = "tags", .type = arrow::list(arrow::utf8())},
      {.name = "full", .type = arrow::list(arrow::field("element", arrow::int64(), false))},
      {.name = "grid", .type = arrow::list(arrow::list(arrow::int32()))},
      {.name = "who", .type = arrow::struct_({arrow::field("name", arrow::utf8())})},
      {.name = "counts", .type = arrow::map(arrow::utf8(), arrow::int64())},
      {.name = "größe", .type = arrow::utf8()},
      {.name = "ingestion_date", .type = arrow::date32()},
  };
  schema.has_ingestion_date = true;
  return schema;
}

TimeZone Zone() {
  auto zone = TimeZone::Load("Europe/Berlin");
  EXPECT_TRUE(zone.ok());
  return *std::move(zone);
}

class FastRecordReaderTest : public testing::Test {
 protected:
  FastRecordReaderTest() { UseOptions({}); }

  void UseOptions(RecordParserOptions options) {
    options.has_plain_reader = true;
    with_ = std::make_unique<RecordParser>(plan_, Zone(), options);
    options.has_plain_reader = false;
    without_ = std::make_unique<RecordParser>(plan_, Zone(), options);
    writer_ = std::make_unique<SlotWriter>(Zone(), options.values_max);
    // A fresh one each time would never be in doubt, but nor would it learn the order of fields.
    plain_ = std::make_unique<FastRecordReader>(plan_, options.depth_max);
  }

  /// Compares all three readers and returns whether the plain one read the record.
  bool Agree(const std::string& text) {
    // Ends with its allocation, so that the sanitizer sees what is read behind it.
    const std::vector<char> bytes(text.begin(), text.end());
    const std::string_view record(bytes.data(), bytes.size());
    const bool is_good = without_->ParseJson(record);
    EXPECT_EQ(with_->ParseJson(record), is_good) << text;
    const std::string extra(without_->extra());
    if (is_good) {
      EXPECT_EQ(with_->extra(), extra) << text;
      EXPECT_TRUE(HaveSameSlots(with_->arena(), with_->slot_count(), text)) << text;
    } else {
      EXPECT_EQ(ReasonName(with_->reason()), ReasonName(without_->reason())) << text;
      EXPECT_EQ(with_->TakeDetail(), without_->TakeDetail()) << text;
    }
    writer_->Reset(plan_.children.size());
    const bool is_plain = plain_->Read(record, *writer_);
    if (is_plain) {
      EXPECT_TRUE(is_good) << text;
      EXPECT_EQ(writer_->extra(), extra) << text;
      EXPECT_TRUE(HaveSameSlots(writer_->arena(), writer_->slot_count(), text)) << text;
      ++plain_count_;
    }
    ++count_;
    return is_plain;
  }

  /// Byte for byte, but for texts that were unescaped into memory of the parser.
  bool HaveSameSlots(const SlotArena& arena, size_t count, const std::string& text) {
    if (count != without_->slot_count()) return false;
    const SlotArena expected = without_->arena();
    if (text.find('\\') == std::string::npos) {
      if (std::memcmp(arena.slots, expected.slots, count * sizeof(Slot)) != 0) return false;
    }
    for (size_t i = 0; i < plan_.children.size(); ++i) {
      if (!AreEqual(plan_.children[i], arena, arena.slots[i], expected, expected.slots[i])) {
        return false;
      }
    }
    return true;
  }

  static bool AreEqual(const TypePlan& plan, const SlotArena& a, const Slot& x, const SlotArena& b,
                       const Slot& y) {
    if (x.state != y.state || x.size != y.size || x.next != y.next) return false;
    if (!x.has_value()) return true;
    if (plan.kind == TypeKind::kText || plan.kind == TypeKind::kBinary) return x.view() == y.view();
    if (plan.kind == TypeKind::kDecimal128) return a.decimals[x.decimal] == b.decimals[y.decimal];
    if (plan.kind == TypeKind::kStruct) {
      for (size_t i = 0; i < plan.children.size(); ++i) {
        if (!AreEqual(plan.children[i], a, a.slots[x.first + i], b, b.slots[y.first + i])) {
          return false;
        }
      }
      return true;
    }
    if (!plan.is_nested()) return x.integer == y.integer;
    const size_t kinds = plan.children.size();
    uint32_t i = x.first;
    uint32_t j = y.first;
    for (size_t n = 0; n < x.size * kinds; ++n) {
      if (!AreEqual(plan.children[n % kinds], a, a.slots[i], b, b.slots[j])) return false;
      i = a.slots[i].next;
      j = b.slots[j].next;
    }
    return true;
  }

  TypePlan plan_ = *MakeRecordPlan(EveryType());
  std::unique_ptr<RecordParser> with_;
  std::unique_ptr<RecordParser> without_;
  std::unique_ptr<SlotWriter> writer_;
  std::unique_ptr<FastRecordReader> plain_;
  int count_ = 0;
  int plain_count_ = 0;
};

constexpr const char* kScalars[] = {
    R"("")", R"("text")", R"("true")", R"("FALSE")", R"("a, b: {c} [d]")", R"("–é😀")", R"("7")",
    R"("-1.50")", R"("+7")", R"("1e3")", R"("2024-05-06T07:08:09.123Z")", R"("2024-05-06")",
    R"("2024-05-06 07:08")", R"("2024-02-30T00:00:00Z")", R"("1700000000")", "true", "false",
    "null", "0", "-0", "0.0", "-0.0", "7", "-7", "42.5", "-0.001", "7.0", "7.50", "1e3", "1E+2",
    "1.5e-7", "0.1", "0.3", "123456789012345", "1234567890123456", "999999999999999",
    "0.00000000000001", "1234567.12345678", "12345678.12345678", "9007199254740993", "2147483647",
    "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "-9223372036854775808",
    "9223372036854775808", "18446744073709551616", "99999999999", "100000000000", "99999999999999",
    "100000000000000", "-99999999999", "-100000000000", "100000000000000000", "1700000000.5",
    "1e400", "-1e400", "1e-400", "123456789012345678901234567890", "12.3456", "1234567890.123",
    // What follows is no JSON, or does not fit anywhere.
    "01", "-01", "00", "-", "--1", "+1", ".5", "5.", "1.e3", "1e", "1e+", "0x1", "1_000", "NaN",
    "nan", "Infinity", "-Infinity", "True", "nul", "nulll", "truefalse", "1 2", "1\"2\"", "\"a\"1",
    "1:2", "", " ", "'a'", "\"a", "a\"", "\"\"\"", "\"\\u0041\"", "\"\\\"\"", "\"\\ud800\"",
    "\"\\x\"", "\"\xC3\"", "\"\xED\xA0\x80\"", "\xFF", "\"a\tb\"", "\"a\nb\"", "[", "]", "{", "}",
    "[]", "{}", "[1]", R"(["a"])", R"(["a","b","–"])", R"(["a", "b", null, 1, true])", "[,]",
    "[1,]", "[1 2]", R"(["a" ,"b"])", R"([ "a"])", R"(["a" ])", "[null]", "[[1],[2,3]]", "[[]]",
    "[{}]", R"([["a"]])", "[1,2,3]", "[1.0,2e0]", R"(["1","2"])", R"(["a"}])", "[1}",
    R"({"name":"n"})", R"({"name":"n","more":1})", R"({"a":1,"b":2})", R"({"a":1,"a":2})"};

TEST_F(FastRecordReaderTest, AgreesOnEveryValueInEveryColumn) {
  for (const TypePlan& column : plan_.children) {
    for (std::string_view value : kScalars) {
      const std::string field = fmt::format("\"{}\":{}", column.name, value);
      Agree("{" + field + "}");
      if (column.name == "id") continue;
      Agree(R"({"id":"i",)" + field + "}");
      Agree("{" + field + R"(,"id":"i"})");
      Agree(R"({"id": "i", )" + field + R"(, "größe": "more"})");
    }
  }
  EXPECT_GT(plain_count_, 1'000);
}

TEST_F(FastRecordReaderTest, AgreesOnUndeclaredFields) {
  for (const char* name : {"other", "", "ID", "idx", "i", "ingestion_date", "größ", "a b"}) {
    for (std::string_view value : kScalars) {
      Agree(fmt::format(R"({{"id":"i","{}":{}}})", name, value));
      Agree(fmt::format(R"({{"{0}": {1}, "id": "i", "{0}": {1}}})", name, value));
    }
  }
  EXPECT_TRUE(Agree(R"({"other":"x","id":"i","more": -1.50,"other":null})"));
  EXPECT_EQ(writer_->extra(), R"({"other":"x","more":-1.50,"other":null})");
}

constexpr std::string_view kRecord =
    R"({"id":"8f14e45f-ceea-467f-a1f4-5c3b0d2e7a11","n":12,"small":-3,"x":0.5,"flag":true,)"
    R"("happened_at":"2025-03-03T00:00:03.407Z","a_rather_long_name":"Dusk – Two","tags":["a","b"],)"
    R"("größe":"L"})";

TEST_F(FastRecordReaderTest, AgreesOnEveryDamagedByte) {
  ASSERT_TRUE(Agree(std::string(kRecord)));
  constexpr std::string_view kBytes("\"\\{}[],: 0-.eEtn\0\x1F\n\x7F\x80\xC3\xE2\xF0\xFF", 25);
  for (size_t at = 0; at < kRecord.size(); ++at) {
    std::string record(kRecord);
    for (char c : kBytes) {
      record[at] = c;
      Agree(record);
    }
    Agree(std::string(kRecord.substr(0, at)));
    Agree(std::string(kRecord.substr(0, at)) + "}");
    Agree(std::string(kRecord.substr(at)));
    record = kRecord;
    Agree(record.erase(at, 1));
    for (std::string_view inserted : {"\"", " ", ",", "}", "{", "é", "\\n"}) {
      record = kRecord;
      Agree(record.insert(at, inserted));
    }
  }
  for (std::string_view behind : {"}", " ", ",", "{}", "x", "\"\"}", "\n", " }"}) {
    Agree(std::string(kRecord) + std::string(behind));
    Agree(std::string(behind) + std::string(kRecord));
  }
}

TEST_F(FastRecordReaderTest, AgreesOnRecordsOfEveryLength) {
  for (size_t length = 0; length < 300; ++length) {
    const std::string text(length, 'x');
    EXPECT_TRUE(Agree(R"({"id":")" + text + "\"}"));
    EXPECT_TRUE(Agree(R"({"id":")" + text + R"(","größe":"é"})"));
    Agree(R"({"id":")" + text + "é\"");
    Agree("{" + text + "}");
    Agree("{\"" + text);
    Agree(std::string(length, '"'));
    Agree(std::string(length, '{') + "}");
  }
  Agree("{" + std::string(QuoteMap::kBytesMax, ' ') + R"("id":"a"})");
  Agree(R"({"id":")" + std::string(QuoteMap::kBytesMax, 'x') + "\"}");
}

TEST_F(FastRecordReaderTest, AgreesOnRandomNumbers) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 4'000; ++round) {
    std::string number = std::to_string(random() >> random() % 64);
    if (random() % 2 == 0) number.insert(1 + random() % number.size(), ".");
    if (number.back() == '.') number += std::to_string(random() % 1000);
    if (random() % 3 == 0) number.insert(0, "-");
    for (const char* column : {"x", "n", "small", "happened_at", "price", "single"}) {
      Agree(fmt::format(R"({{"id":"i","{}":{}}})", column, number));
    }
  }
  EXPECT_GT(plain_count_, count_ / 3);
}

/// Fields in any order, some missing, some twice, some undeclared; mostly good values.
std::string RandomRecord(std::mt19937_64& random, const TypePlan& plan) {
  auto chance = [&](unsigned n) { return random() % n == 0; };
  std::vector<std::string> fields;
  for (const TypePlan& column : plan.children) {
    const bool is_object = column.kind == TypeKind::kStruct || column.kind == TypeKind::kMap;
    const bool is_rare = is_object || column.name == "ingestion_date";
    if (is_rare ? !chance(12) : chance(column.name == "id" ? 20 : 3)) continue;
    std::string value(kScalars[random() % std::size(kScalars)]);
    if (!chance(25)) {
      switch (column.kind) {
        case TypeKind::kText:
          value = fmt::format("\"{}\"", std::string(random() % 90, chance(9) ? '\x7F' : 't'));
          break;
        case TypeKind::kTimestamp:
          value = fmt::format("\"2025-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z\"", random() % 14,
                              random() % 33, random() % 25, random() % 62, random() % 62,
                              random() % 1000);
          break;
        case TypeKind::kList:
          value = column.name == "grid" ? "[]" : chance(2) ? "[1,2]" : "[]";
          break;
        case TypeKind::kStruct:
        case TypeKind::kMap:
          value = chance(4) ? R"({"name":1})" : "null";
          break;
        case TypeKind::kBool:
          value = chance(2) ? "true" : "false";
          break;
        case TypeKind::kDate32:
          value = "\"2025-03-03\"";
          break;
        default:
          value = std::to_string(random() % 1000);
      }
    }
    fields.push_back(fmt::format("\"{}\":{}{}", column.name, chance(9) ? " " : "", value));
  }
  if (chance(4)) std::shuffle(fields.begin(), fields.end(), random);
  if (chance(6)) fields.insert(fields.begin() + random() % (fields.size() + 1), R"("more":"1")");
  if (chance(30) && !fields.empty()) fields.push_back(fields[random() % fields.size()]);
  std::string record = chance(40) ? "{ " : "{";
  for (size_t i = 0; i < fields.size(); ++i) {
    record += (i == 0 ? "" : chance(20) ? " ," : chance(20) ? ", " : ",") + fields[i];
  }
  return record + (chance(40) ? " }" : "}");
}

TEST_F(FastRecordReaderTest, AgreesOnRandomRecords) {
  std::mt19937_64 random(20'250'303);
  for (int round = 0; round < 6'000; ++round) Agree(RandomRecord(random, plan_));
  EXPECT_GT(plain_count_, 1'500);
  EXPECT_LT(plain_count_, 5'000);
}

TEST_F(FastRecordReaderTest, AgreesOnLimits) {
  UseOptions({.depth_max = 1});
  Agree(R"({"id":"i","tags":["a"]})");
  Agree(R"({"id":"i"})");
  UseOptions({.depth_max = 2});
  EXPECT_TRUE(Agree(R"({"id":"i","tags":["a"]})"));
  Agree(R"({"id":"i","grid":[[1]]})");
  UseOptions({.values_max = 21});
  EXPECT_TRUE(Agree(R"({"id":"i","tags":["a","b","c"]})"));
  EXPECT_FALSE(Agree(R"({"id":"i","tags":["a","b","c","d"]})"));
}

TEST_F(FastRecordReaderTest, ReadsWhatMachinesWrite) {
  EXPECT_TRUE(Agree(std::string(kRecord)));
  EXPECT_TRUE(Agree(R"({"id": "i", "n": 1, "tags": ["a", "b", null], "x": -1.5e-9})"));
  EXPECT_TRUE(Agree(R"({"größe":"L","x":null,"id":"i","n":"12","flag":"True"})"));
  EXPECT_FALSE(Agree(R"({"id":"i","who":{"name":"n"}})"));
  EXPECT_FALSE(Agree("{\"id\":\"i\"}\r"));
}

TEST_F(FastRecordReaderTest, IsTriedSeldomAfterManyRecordsThatItGaveUp) {
  auto read = [&](std::string_view record) {
    writer_->Reset(plan_.children.size());
    return plain_->Read(record, *writer_);
  };
  for (int i = 0; i < 8; ++i) {
    ASSERT_TRUE(plain_->IsWorthTrying());
    ASSERT_FALSE(read(R"({"id":"\n"})"));
  }
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 15; ++i) ASSERT_FALSE(plain_->IsWorthTrying());
    ASSERT_TRUE(plain_->IsWorthTrying());
    ASSERT_EQ(read(round < 2 ? R"({"id":"\n"})" : R"({"id":"n"})"), round == 2);
  }
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(plain_->IsWorthTrying());
    ASSERT_TRUE(read(R"({"id":"n"})"));
  }
}

}  // namespace
}  // namespace playhead::decode
