#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace playhead {

enum class PartitionTransform { kIdentity, kDay, kHour };

/// One field of a table's partition key: `event_type`, `day(timestamp) as date`.
struct PartitionDecl {
  std::string source_column;
  PartitionTransform transform = PartitionTransform::kIdentity;
  std::string name;  ///< of the Hive folder and of the Iceberg partition field
};

/// The types that go with a transform, in the words of a declaration.
std::string_view PartitionTypes(PartitionTransform transform);

/// Whether a column of this type does.
bool CanPartition(PartitionTransform transform, const arrow::DataType& type);

/// Identity values that are not text are integers: 0 and 1 of BOOLEAN, days since 1970 of DATE.
/// `text` as the folder has it (`true`, `-7`, `2026-01-02`); none if it is no value of the type.
std::optional<int64_t> ParseIdentityValue(const arrow::DataType& type, std::string_view text);
std::string IdentityValueText(const arrow::DataType& type, int64_t value);

}  // namespace playhead
