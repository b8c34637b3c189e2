#include "playhead/base/partition_decl.h"

#include "playhead/base/civil_date.h"
#include "playhead/base/data_type_name.h"

#include <arrow/type.h>

#include <charconv>
#include <limits>

namespace playhead {

std::string_view PartitionTypes(PartitionTransform transform) {
  switch (transform) {
    case PartitionTransform::kIdentity:
      return "BOOLEAN, INTEGER, BIGINT, VARCHAR, DATE";
    case PartitionTransform::kDay:
      return "TIMESTAMPTZ, TIMESTAMP, DATE";
    case PartitionTransform::kHour:
      return "TIMESTAMPTZ, TIMESTAMP";
  }
  return "";
}

bool CanPartition(PartitionTransform transform, const arrow::DataType& type) {
  const std::string name = DataTypeName(type);
  std::string_view types = PartitionTypes(transform);
  while (!types.empty()) {
    const size_t comma = types.find(", ");
    if (types.substr(0, comma) == name) return true;
    types.remove_prefix(comma == std::string_view::npos ? types.size() : comma + 2);
  }
  return false;
}

std::optional<int64_t> ParseIdentityValue(const arrow::DataType& type, std::string_view text) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      if (text == "true" || text == "True" || text == "TRUE") return 1;
      if (text == "false" || text == "False" || text == "FALSE") return 0;
      return std::nullopt;
    case arrow::Type::DATE32:
      return ParseDay(text);
    default:
      break;
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const bool fits =
      type.id() != arrow::Type::INT32 || (value >= std::numeric_limits<int32_t>::min() &&
                                          value <= std::numeric_limits<int32_t>::max());
  return fits ? std::optional(value) : std::nullopt;
}

std::string IdentityValueText(const arrow::DataType& type, int64_t value) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return value != 0 ? "true" : "false";
    case arrow::Type::DATE32:
      return DayText(static_cast<int32_t>(value));
    default:
      return std::to_string(value);
  }
}

}  // namespace playhead
