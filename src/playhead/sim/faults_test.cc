#include "playhead/sim/faults.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>

namespace playhead::sim {
namespace {

using nlohmann::json;

constexpr std::string_view kRecord =
    R"({"id":"a\"b","title":"Brünnow","at":"2025-03-03T00:00:00.000Z","length":90})";
constexpr FaultFields kFields = {.text = "id",
                                 .required = "id",
                                 .number = "length",
                                 .time = "at",
                                 .time_too_early = R"("1999-12-31T00:00:00Z")",
                                 .time_too_late = R"("2199-01-01T00:00:00Z")"};

struct Faulty {
  std::string record;
  std::string reason;
};

Faulty Apply(Fault fault, uint64_t seed) {
  Random random(seed, "test");
  Faulty faulty{std::string(kRecord), ""};
  faulty.reason = ApplyFault(fault, kFields, random, faulty.record);
  return faulty;
}

TEST(Faults, LateAndDuplicateRecordsAreUnchangedAndGood) {
  for (const Fault fault : {Fault::kNone, Fault::kLate, Fault::kDuplicate}) {
    const Faulty faulty = Apply(fault, 1);
    EXPECT_EQ(faulty.record, kRecord);
    EXPECT_EQ(faulty.reason, "");
  }
}

TEST(Faults, MalformedRecordsAreWhatTheirReasonSays) {
  std::map<std::string, int> reasons;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    const auto [record, reason] = Apply(Fault::kMalformed, seed);
    ++reasons[reason];
    EXPECT_FALSE(record.empty());
    EXPECT_EQ(record.find('\n'), std::string::npos);
    const json parsed = json::parse(record, nullptr, false);
    if (reason == "not_an_object") {
      EXPECT_TRUE(!parsed.is_discarded() && !parsed.is_object()) << record;
    } else {
      EXPECT_TRUE(parsed.is_discarded()) << record;
    }
    if (reason == "not_utf8") {
      EXPECT_NE(record.find('\xFF'), std::string::npos);
    } else {
      // A JSON string of it: throws if the record is not UTF-8.
      EXPECT_NO_THROW(json(record).dump()) << record;
    }
  }
  EXPECT_EQ(reasons.size(), 3u);
}

TEST(Faults, WrongTypesPutNoNumberWhereANumberBelongs) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto [record, reason] = Apply(Fault::kWrongType, seed);
    EXPECT_EQ(reason, "wrong_type");
    const json parsed = json::parse(record);
    EXPECT_TRUE(parsed["length"] == "unknown" || parsed["length"] == json::array());
    EXPECT_EQ(parsed["id"], "a\"b");
  }
}

TEST(Faults, MissingFieldsAreAbsentOrNull) {
  bool was_absent = false;
  bool was_null = false;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto [record, reason] = Apply(Fault::kMissingField, seed);
    EXPECT_EQ(reason, "missing_field");
    const json parsed = json::parse(record);
    (parsed.contains("id") ? was_null : was_absent) = true;
    EXPECT_TRUE(!parsed.contains("id") || parsed["id"].is_null());
    EXPECT_EQ(parsed["length"], 90);
  }
  EXPECT_TRUE(was_absent);
  EXPECT_TRUE(was_null);
}

TEST(Faults, AFieldCanBeMissingAtTheEndToo) {
  Random random(1, "test");
  for (int i = 0; i < 20; ++i) {
    std::string record = R"({"n":1,"id":"x"})";
    ApplyFault(Fault::kMissingField, kFields, random, record);
    EXPECT_TRUE(record == R"({"n":1})" || record == R"({"n":1,"id":null})") << record;
  }
}

TEST(Faults, OutOfRangeChangesTheTimeAlone) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const auto [record, reason] = Apply(Fault::kOutOfRange, seed);
    EXPECT_EQ(reason, "out_of_range");
    json parsed = json::parse(record);
    EXPECT_TRUE(parsed["at"] == "1999-12-31T00:00:00Z" || parsed["at"] == "2199-01-01T00:00:00Z");
    parsed["at"] = "2025-03-03T00:00:00.000Z";
    EXPECT_EQ(parsed, json::parse(kRecord));
  }
}

TEST(Faults, UnknownFieldsAreAddedToAGoodRecord) {
  const auto [record, reason] = Apply(Fault::kUnknownField, 1);
  EXPECT_EQ(reason, "");
  json parsed = json::parse(record);
  EXPECT_EQ(parsed.size(), 6u);
  parsed.erase("experiment");
  parsed.erase("retry");
  EXPECT_EQ(parsed, json::parse(kRecord));
}

TEST(Faults, NumberAsTextKeepsTheDigits) {
  const auto [record, reason] = Apply(Fault::kNumberAsText, 1);
  EXPECT_EQ(reason, "");
  EXPECT_EQ(json::parse(record)["length"], "90");
}

TEST(Faults, EveryKindIsDrawn) {
  Random random(1, "test");
  std::map<std::string_view, int> drawn;
  for (int i = 0; i < 2000; ++i) ++drawn[FaultName(DrawFault(random))];
  EXPECT_EQ(drawn.size(), 8u);
  EXPECT_FALSE(drawn.contains("none"));
}

}  // namespace
}  // namespace playhead::sim
