#include "playhead/iceberg/reserved_column.h"

namespace playhead::iceberg {

std::optional<Schema> RenameReservedColumn(const Schema& schema) {
  constexpr const char* kReserved = "_partition";
  constexpr const char* kName = "_topic_partition";
  if (schema.FindByName(kReserved) == nullptr || schema.FindByName(kName) != nullptr ||
      schema.FindByName("_topic") == nullptr || schema.FindByName("_offset") == nullptr) {
    return std::nullopt;
  }
  Schema renamed = schema;
  for (NestedField& field : renamed.fields) {
    if (field.name == kReserved) field.name = kName;
  }
  return renamed;
}

}  // namespace playhead::iceberg
