// Random records, decoded by the library and by a slow path that shares no code with it:
// nlohmann-json reads the syntax, the C library the numbers and times.

#include "playhead/decode/decode_testing.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <map>
#include <optional>
#include <random>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace playhead::decode {
namespace {

/// A JSON value that remembers number texts, field order and repeated keys.
struct Node {
  enum class Kind { kNull, kBool, kNumber, kText, kArray, kObject } kind = Kind::kNull;
  std::string text;  // number or text, "true", "false"
  struct Item;
  std::vector<Item> items;
};
struct Node::Item {
  std::string key;  // empty in arrays
  Node node;
};

/// Builds Nodes from nlohmann's events.
class NodeBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Node root;
  bool has_overflow = false;  // nlohmann-json takes 1e400 for an error

  bool null() override { return Add({}); }
  bool boolean(bool value) override {
    return Add({.kind = Node::Kind::kBool, .text = value ? "true" : "false"});
  }
  bool number_integer(number_integer_t value) override {
    return Add({.kind = Node::Kind::kNumber, .text = std::to_string(value)});
  }
  bool number_unsigned(number_unsigned_t value) override {
    return Add({.kind = Node::Kind::kNumber, .text = std::to_string(value)});
  }
  bool number_float(number_float_t, const string_t& text) override {
    return Add({.kind = Node::Kind::kNumber, .text = text});
  }
  bool string(string_t& text) override { return Add({.kind = Node::Kind::kText, .text = text}); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(Node::Kind::kObject); }
  bool start_array(size_t) override { return Open(Node::Kind::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& key) override {
    key_ = key;
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception& error) override {
    constexpr int kNumberOverflow = 406;
    has_overflow = error.id == kNumberOverflow;
    return false;
  }

 private:
  bool Add(Node node) {
    if (open_.empty()) {
      root = std::move(node);
    } else {
      open_.back().second.items.emplace_back(std::exchange(key_, {}), std::move(node));
    }
    return true;
  }
  bool Open(Node::Kind kind) {
    open_.emplace_back(std::exchange(key_, {}), Node{.kind = kind});
    return true;
  }
  bool Close() {
    auto [key, node] = std::move(open_.back());
    open_.pop_back();
    key_ = key;
    return Add(std::move(node));
  }

  std::string key_;
  std::vector<std::pair<std::string, Node>> open_;
};

/// What the slow path makes of a record: the printed cells of a row, or a reason.
struct Expected {
  std::string reason;
  std::vector<std::string> cells;
};

struct Refusal {
  std::string reason;
};

std::string AsInteger(const std::string& text, long double min, long double max) {
  // No generated number needs more than the 64 bits of a long double's mantissa, or lies far
  // outside.
  long double value = std::strtold(text.c_str(), nullptr);
  if (value != std::floor(value)) throw Refusal{"wrong_type"};
  if (value < min || value > max) throw Refusal{"out_of_range"};
  return fmt::format("{}", static_cast<int64_t>(value));
}

std::string AsDouble(const std::string& text) {
  double value = std::strtod(text.c_str(), nullptr);
  if (std::isinf(value)) throw Refusal{"out_of_range"};
  return fmt::format("{}", value);
}

std::string AsTime(const Node& node) {
  static const std::regex kForm(
      R"((\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?( ?(?:Z|z|UTC|[+-]\d\d(?::?\d\d)?))?)?)");
  static const std::regex kNumber(R"([+-]?(\d*)(\.\d*)?([eE][+-]?\d+)?)");
  std::smatch m;
  if (node.kind == Node::Kind::kText && std::regex_match(node.text, m, kForm)) {
    auto part = [&](int i) { return m[i].matched ? std::atoi(m[i].str().c_str()) : 0; };
    std::tm fields{};
    fields.tm_year = part(1) - 1900;
    fields.tm_mon = part(2) - 1;
    fields.tm_mday = part(3);
    std::tm day = fields;
    int64_t seconds = timegm(&day);
    int offset_minutes = 0;
    std::string offset = m[8].str();
    if (!offset.empty() && offset[0] == ' ') offset.erase(0, 1);
    if (!offset.empty() && (offset[0] == '+' || offset[0] == '-')) {
      std::erase(offset, ':');
      int hours = std::atoi(offset.substr(1, 2).c_str());
      int minutes = offset.size() > 3 ? std::atoi(offset.substr(3).c_str()) : 0;
      if (minutes > 59 || hours * 60 + minutes > 18 * 60) throw Refusal{"out_of_range"};
      offset_minutes = (hours * 60 + minutes) * (offset[0] == '-' ? -1 : 1);
    }
    if (day.tm_mday != part(3) || day.tm_mon != part(2) - 1 || part(1) == 0 || part(4) > 23 ||
        part(5) > 59 || part(6) > 60) {
      throw Refusal{"out_of_range"};
    }
    seconds += part(4) * 3600 + part(5) * 60 + part(6) - offset_minutes * 60;
    if (seconds < -62'135'596'800 || seconds > 253'402'300'799) throw Refusal{"out_of_range"};
    std::string fraction = (m[7].str() + "000000").substr(0, 6);
    return fmt::format("{}", seconds * 1'000'000 + std::atoi(fraction.c_str()));
  }
  if (node.kind == Node::Kind::kBool) throw Refusal{"wrong_type"};
  if (!std::regex_match(node.text, m, kNumber) ||
      m[0].str().find_first_of("0123456789") == std::string::npos ||
      m[0].str().find_first_of("0123456789.") > 1) {
    throw Refusal{"wrong_type"};
  }
  if (node.kind == Node::Kind::kText && m[1].length() < 9 && node.text != "0")
    throw Refusal{"wrong_type"};
  long double value = std::strtold(node.text.c_str(), nullptr);
  long double size = std::fabs(value);
  if (size >= 1e17L) throw Refusal{"out_of_range"};
  long double micros = value * (size < 1e11L ? 1e6L : size < 1e14L ? 1e3L : 1.0L);
  return fmt::format("{}", static_cast<int64_t>(std::floor(micros)));
}

bool IsNumberText(const std::string& text) {
  static const std::regex kNumber(R"([+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?)");
  return std::regex_match(text, kNumber);
}

std::string AsText(const Node& node) {
  if (node.kind == Node::Kind::kArray || node.kind == Node::Kind::kObject) {
    throw Refusal{"wrong_type"};
  }
  return node.text;
}

/// A cell of column `name`; "null" for null.
std::string AsCell(const std::string& name, const Node& node) {
  if (node.kind == Node::Kind::kNull) return "null";
  if (name == "tags") {
    if (node.kind != Node::Kind::kArray) throw Refusal{"wrong_type"};
    std::string cell;
    for (const auto& [key, item] : node.items) {
      cell += (item.kind == Node::Kind::kNull ? "null" : AsText(item)) + "|";
    }
    return cell;
  }
  if (name == "who") {
    if (node.kind != Node::Kind::kObject) throw Refusal{"wrong_type"};
    std::string fields[2] = {"null", "null"};
    std::set<std::string> seen;
    for (const auto& [key, item] : node.items) {
      if (key != "name" && key != "age") continue;
      if (!seen.insert(key).second) throw Refusal{"duplicate_key"};
      fields[key == "age"] = AsCell(key == "age" ? "small" : "id", item);
    }
    return fields[0] + "," + fields[1];
  }
  std::string text = AsText(node);
  if (name == "id" || name == "name") return text;
  if (name == "flag") {
    std::string lower = text;
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    if (node.kind == Node::Kind::kNumber || (lower != "true" && lower != "false")) {
      throw Refusal{"wrong_type"};
    }
    return lower;
  }
  if (name == "at") return AsTime(node);
  if (node.kind == Node::Kind::kBool || !IsNumberText(text)) throw Refusal{"wrong_type"};
  if (name == "n") return AsInteger(text, INT64_MIN, INT64_MAX);
  if (name == "small") return AsInteger(text, INT32_MIN, INT32_MAX);
  return AsDouble(text);
}

const std::vector<std::string> kColumns = {"id", "n", "small", "x", "flag", "at", "tags", "who"};

RowSchema OracleSchema() {
  RowSchema schema;
  schema.columns = {
      {.name = "id", .type = arrow::utf8(), .is_required = true},
      {.name = "n", .type = arrow::int64()},
      {.name = "small", .type = arrow::int32()},
      {.name = "x", .type = arrow::float64()},
      {.name = "flag", .type = arrow::boolean()},
      {.name = "at", .type = UtcMicrosType()},
      {.name = "tags", .type = arrow::list(arrow::utf8())},
      {.name = "who",
       .type = arrow::struct_(
           {arrow::field("name", arrow::utf8()), arrow::field("age", arrow::int32())})},
  };
  return schema;
}

Expected SlowDecode(const std::string& record) {
  NodeBuilder builder;
  if (!nlohmann::json::sax_parse(record, &builder)) {
    return {.reason = builder.has_overflow ? "overflow" : "syntax", .cells = {}};
  }
  if (builder.root.kind != Node::Kind::kObject) return {.reason = "not_an_object", .cells = {}};
  Expected expected;
  expected.cells.assign(kColumns.size(), "null");
  std::set<std::string> seen;
  try {
    for (const auto& [key, node] : builder.root.items) {
      for (size_t i = 0; i < kColumns.size(); ++i) {
        if (kColumns[i] != key) continue;
        if (!seen.insert(key).second) throw Refusal{"duplicate_key"};
        expected.cells[i] = AsCell(key, node);
      }
    }
    if (expected.cells[0] == "null") throw Refusal{"missing_field"};
  } catch (const Refusal& refusal) {
    return {.reason = refusal.reason, .cells = {}};
  }
  return expected;
}

std::string FastCell(const arrow::RecordBatch& rows, const std::string& name) {
  if (Cell(rows, name, 0) == "null") return "null";
  if (name == "n" || name == "small" || name == "at") {
    return fmt::format("{}", Number(rows, name, 0));
  }
  auto array = rows.GetColumnByName(name);
  if (name == "x") {
    return fmt::format("{}", std::static_pointer_cast<arrow::DoubleArray>(array)->Value(0));
  }
  if (name == "tags") {
    auto list = std::static_pointer_cast<arrow::ListArray>(array);
    auto values = std::static_pointer_cast<arrow::StringArray>(list->values());
    std::string cell;
    for (int32_t i = 0; i < list->value_length(0); ++i) {
      cell += (values->IsNull(i) ? "null" : values->GetString(i)) + "|";
    }
    return cell;
  }
  if (name == "who") {
    auto who = std::static_pointer_cast<arrow::StructArray>(array);
    auto names = std::static_pointer_cast<arrow::StringArray>(who->field(0));
    auto ages = std::static_pointer_cast<arrow::Int32Array>(who->field(1));
    return (names->IsNull(0) ? "null" : names->GetString(0)) + "," +
           (ages->IsNull(0) ? "null" : std::to_string(ages->Value(0)));
  }
  return Cell(rows, name, 0);
}

/// Makes records that are mostly right, and wrong in every way now and then.
class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  std::string Record() {
    std::string record = Object(/*is_record=*/true);
    if (Chance(12)) {
      // Damage: cut off, drop, repeat or replace a byte.
      size_t at = random_() % record.size();
      static const std::string kBytes = "{}[],:\"\\ntfe-+.0 \x01\xff\xc3\xed\xa0";
      switch (random_() % 4) {
        case 0:
          record.resize(at);
          break;
        case 1:
          record.erase(at, 1);
          break;
        case 2:
          record.insert(at, 1, record[at]);
          break;
        default:
          record[at] = kBytes[random_() % kBytes.size()];
      }
    }
    return record;
  }

 private:
  bool Chance(unsigned n) { return random_() % n == 0; }
  template <size_t N>
  std::string Pick(const char* const (&texts)[N]) {
    return texts[random_() % N];
  }
  std::string Space() { return Chance(8) ? Pick({" ", "\n", "\t ", "\r"}) : ""; }

  std::string Text() {
    return Pick({"\"\"", "\"plain\"", "\"é😀\"", R"("q\"uo\\te")", R"("\u0041\ud83d\ude00")",
                 R"("\/\b\f\n\r\t")", R"("\ud800")", R"("\ude00x")", R"("bad\x")", "\"true\"",
                 "\"FALSE\"", "\"nan\"", "\"a,b:{}[]\"", R"("\\\"")"});
  }
  std::string Number() {
    if (Chance(3)) return std::to_string(static_cast<int64_t>(random_()) >> (random_() % 64));
    return Pick({"0",
                 "1",
                 "-1",
                 "1.0",
                 "1.5",
                 "-2.50",
                 "1e3",
                 "1E+2",
                 "1e-2",
                 "12345678901234567890",
                 "-9223372036854775808",
                 "9223372036854775807",
                 "9223372036854775808",
                 "2147483647",
                 "2147483648",
                 "1e400",
                 "-1e400",
                 "1e-400",
                 "01",
                 "1.",
                 ".5",
                 "+1",
                 "0x1",
                 "1e",
                 "1700000000",
                 "1700000000123",
                 "1700000000123456",
                 "1700000000.5",
                 "1e18",
                 "0.0"});
  }
  std::string Time() {
    return Pick({"2024-05-06T07:08:09Z", "2024-05-06 07:08:09.123",
                 "2024-05-06T07:08:09.123456789+0100", "1969-12-31T23:59:59.999999Z", "2024-02-30",
                 "2024-02-29", "2023-02-29T00:00:00Z", "2024-05-06T24:00:00Z", "2024-05-06T07:08",
                 "2024-05-06T07:08:60-05:30", "2024-05-06T07:08:09+19:00", "20240506",
                 "17000000000", "1700000000", "12 May", "2024-05-06T07:08:09 UTC",
                 "2024-05-06T07:08:09,5+01", "0", "9999-12-31T23:59:59-01:00"});
  }
  std::string Value(int depth) {
    switch (random_() % 9) {
      case 0:
        return Pick({"true", "false", "null", "True", "nul", "truee"});
      case 1:
        return depth > 3 ? "[]" : Array(depth);
      case 2:
        return depth > 3 ? "{}" : Object(false, depth + 1);
      case 3:
        return "\"" + Time() + "\"";
      case 4:
        return "\"" + Number() + "\"";
      case 5:
      case 6:
        return Text();
      default:
        return Number();
    }
  }
  std::string Array(int depth) {
    std::string array = "[" + Space();
    for (size_t n = random_() % 4, i = 0; i < n; ++i) {
      array += (i > 0 ? "," : "") + Space() + (Chance(3) ? Value(depth + 1) : Text()) + Space();
    }
    return array + "]";
  }
  /// Mostly the value that column `name` wants.
  std::string ValueFor(const std::string& name) {
    if (Chance(15)) return Value(0);
    if (Chance(12)) return "null";
    if (name == "id" || name == "name") return "\"id " + std::to_string(random_() % 1000) + "\"";
    if (name == "n" || name == "small" || name == "age") {
      std::string number = std::to_string(static_cast<int32_t>(random_()));
      return Chance(5) ? "\"" + number + "\"" : number;
    }
    if (name == "x") return std::to_string(static_cast<double>(random_() % 100'000) / 7);
    if (name == "flag") return Pick({"true", "false", "\"True\""});
    if (name == "at") {
      return Chance(4) ? "\"" + Time() + "\""
                       : std::to_string(1'000'000'000 + random_() % 700'000'000);
    }
    if (name == "tags") return Pick({"[]", "[\"a\"]", "[\"a\", null,1,true]", "[ ]"});
    if (name == "who") {
      std::string who = "{\"name\":" + ValueFor("name");
      if (Chance(2)) who += ", \"age\" :" + ValueFor("age");
      if (Chance(10)) who += ",\"name\":1";
      if (Chance(6)) who += ",\"other\":" + Value(2);
      return who + "}";
    }
    return Value(1);
  }
  std::string Object(bool is_record, int depth = 0) {
    std::vector<std::string> keys;
    if (is_record) {
      for (const std::string& column : kColumns) {
        if (!Chance(column == "id" ? 40 : 4)) keys.push_back(column);
      }
      if (Chance(3)) std::shuffle(keys.begin(), keys.end(), random_);
      if (Chance(5)) keys.push_back(Pick({"other", "ID", "", "\\u0041", "é", "\\ud800"}));
      if (Chance(20) && !keys.empty()) keys.push_back(keys[random_() % keys.size()]);
      if (Chance(30)) keys.emplace_back("\\u0069d");
    } else {
      for (size_t n = random_() % 3; n > 0; --n) keys.push_back(Pick({"a", "b", "name", "id"}));
    }
    std::string object = "{" + Space();
    for (size_t i = 0; i < keys.size(); ++i) {
      object += (i > 0 ? "," : "") + Space() + "\"" + keys[i] + "\"" + Space() + ":" + Space() +
                (is_record ? ValueFor(keys[i]) : Value(depth)) + Space();
    }
    return object + "}";
  }

  std::mt19937_64 random_;
};

/// The slow path loses the sign of an integer zero.
bool HasNegativeZero(const std::string& record) {
  for (size_t at = record.find("-0"); at != std::string::npos; at = record.find("-0", at + 1)) {
    char before = at == 0 ? ' ' : record[at - 1];
    char after = at + 2 < record.size() ? record[at + 2] : ' ';
    bool goes_on = std::isdigit(static_cast<unsigned char>(after)) || after == '.' ||
                   after == 'e' || after == 'E';
    if (!std::isdigit(static_cast<unsigned char>(before)) && !goes_on) return true;
  }
  return false;
}

TEST(RecordOracle, AgreesWithAnIndependentDecoder) {
  Generator generator(20'240'506);
  auto decoder = MakeDecoder(OracleSchema());
  std::map<std::string, int> reasons;
  for (int round = 0; round < 15'000; ++round) {
    std::string record = generator.Record();
    if (HasNegativeZero(record)) continue;
    Expected expected = SlowDecode(record);
    if (expected.reason == "overflow") continue;
    std::vector<char> bytes(record.begin(), record.end());
    Verdict verdict = decoder->Decode({.bytes = {bytes.data(), bytes.size()}}, kTestNowUs);
    std::string reason = verdict.is_good ? "" : std::string(ReasonName(verdict.reason));
    if (reason == "not_json" || reason == "not_utf8") reason = "syntax";
    ++reasons[reason];
    ASSERT_EQ(reason, expected.reason) << record << "\n" << verdict.detail;
    DecodedRows rows = FlushChecked(*decoder);
    if (!verdict.is_good) continue;
    for (size_t i = 0; i < kColumns.size(); ++i) {
      ASSERT_EQ(FastCell(*rows.partitions[0].rows, kColumns[i]), expected.cells[i])
          << kColumns[i] << " of " << record;
    }
    // What is kept aside must be JSON itself.
    std::string extra = Cell(*rows.partitions[0].rows, "_extra", 0);
    if (extra != "null") {
      ASSERT_TRUE(nlohmann::json::accept(extra)) << extra;
    }
  }
  // The generator reaches every reason, and a fair share of records is good.
  for (const char* reason :
       {"syntax", "wrong_type", "out_of_range", "missing_field", "duplicate_key"}) {
    EXPECT_GT(reasons[reason], 50) << reason;
  }
  EXPECT_GT(reasons[""], 4'000);
}

}  // namespace
}  // namespace playhead::decode
