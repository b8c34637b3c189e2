#include "playhead/sim/faults.h"

#include "playhead/base/status.h"

#include <array>

namespace playhead::sim {
namespace {

struct FaultKind {
  Fault fault;
  std::string_view name;
  uint64_t weight;
};
constexpr std::array<FaultKind, 8> kKinds = {{
    {Fault::kLate, "late", 20},
    {Fault::kDuplicate, "duplicate", 20},
    {Fault::kMalformed, "malformed", 20},
    {Fault::kWrongType, "wrong_type", 10},
    {Fault::kMissingField, "missing_field", 8},
    {Fault::kOutOfRange, "out_of_range", 6},
    {Fault::kUnknownField, "unknown_field", 10},
    {Fault::kNumberAsText, "number_as_text", 6},
}};
constexpr uint64_t kWeightSum = 100;

struct Range {
  size_t begin = 0;
  size_t end = 0;
};

// Where the field's value stands; the records are ours, so the field is there, without blanks.
Range ValueOf(std::string_view record, std::string_view field) {
  const std::string key = '"' + std::string(field) + "\":";
  const size_t found = record.find(key);
  PH_CHECK(found != std::string_view::npos);
  Range range{.begin = found + key.size()};
  range.end = range.begin;
  if (record[range.begin] == '"') {
    do {
      ++range.end;
      if (record[range.end] == '\\') range.end += 2;
    } while (record[range.end] != '"');
    ++range.end;
  } else {
    range.end = record.find_first_of(",}", range.begin);
  }
  return range;
}

void Replace(std::string& record, std::string_view field, std::string_view value) {
  const Range range = ValueOf(record, field);
  record.replace(range.begin, range.end - range.begin, value);
}

void Remove(std::string& record, std::string_view field) {
  Range range = ValueOf(record, field);
  range.begin -= field.size() + 3;
  if (record[range.end] == ',') {
    ++range.end;
  } else {
    --range.begin;
  }
  record.erase(range.begin, range.end - range.begin);
}

// Never inside a character: a cut there could be judged as bad UTF-8 as well as bad JSON. Nor where
// a value could go on with the record that follows on the next line.
void CutOff(Random& random, std::string& record) {
  size_t size = static_cast<size_t>(random.Between(1, static_cast<int64_t>(record.size()) - 1));
  while (size > 1 && (static_cast<unsigned char>(record[size]) & 0xC0) == 0x80) --size;
  while (size > 1 && std::string_view(":[,{").find(record[size - 1]) != std::string_view::npos) {
    --size;
  }
  record.resize(size);
}

std::string_view MakeMalformed(const FaultFields& fields, Random& random, std::string& record) {
  switch (random.Below(8)) {
    case 0:
      record.insert(ValueOf(record, fields.text).begin + 1, "\xFF\xFE");
      return "not_utf8";
    case 1:
      record = "null";
      return "not_an_object";
    case 2:
      record = "player crashed at 0x7ffd5e8c: segmentation fault";
      return "not_json";
    case 3:
      record.append("}");
      return "not_json";
    default:
      CutOff(random, record);
      return "not_json";
  }
}

}  // namespace

std::string_view FaultName(Fault fault) {
  for (const FaultKind& kind : kKinds) {
    if (kind.fault == fault) return kind.name;
  }
  return "none";
}

Fault DrawFault(Random& random) {
  uint64_t draw = random.Below(kWeightSum);
  for (const FaultKind& kind : kKinds) {
    if (draw < kind.weight) return kind.fault;
    draw -= kind.weight;
  }
  return Fault::kNone;
}

std::string_view ApplyFault(Fault fault, const FaultFields& fields, Random& random,
                            std::string& record) {
  switch (fault) {
    case Fault::kNone:
    case Fault::kLate:
    case Fault::kDuplicate:
      return {};
    case Fault::kMalformed:
      return MakeMalformed(fields, random, record);
    case Fault::kWrongType:
      Replace(record, fields.number, random.Percent(70) ? "\"unknown\"" : "[]");
      return "wrong_type";
    case Fault::kMissingField:
      if (random.Percent(60)) {
        Remove(record, fields.required);
      } else {
        Replace(record, fields.required, "null");
      }
      return "missing_field";
    case Fault::kOutOfRange:
      Replace(record, fields.time,
              random.Percent(50) ? fields.time_too_early : fields.time_too_late);
      return "out_of_range";
    case Fault::kUnknownField:
      record.pop_back();
      record.append(R"(,"experiment":"button_)");
      record.append(random.Percent(50) ? "a" : "b");
      record.append(R"(","retry":{"count":1,"reason":"timeout"}})");
      return {};
    case Fault::kNumberAsText: {
      const Range range = ValueOf(record, fields.number);
      record.insert(range.end, 1, '"');
      record.insert(range.begin, 1, '"');
      return {};
    }
  }
  return {};
}

}  // namespace playhead::sim
