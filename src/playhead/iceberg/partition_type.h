#pragma once

#include "playhead/iceberg/types.h"

#include <vector>

namespace playhead::iceberg {

/// The types of a spec's partition values: those of the source columns for identity, truncate and
/// void, date for day, int otherwise. A source column that has left the schema is judged by the
/// values, a string if all are null.
std::vector<Type> PartitionTypes(const Schema& schema, const PartitionSpec& spec,
                                 const std::vector<ManifestEntry>& entries);

/// `value` as a value of `type`: int becomes long and float double, as columns are widened. Errors:
/// kInvalidArgument (another kind of value), kNotSupported (decimal).
Result<PartitionValue> ToPartitionType(const PartitionValue& value, const Type& type);

}  // namespace playhead::iceberg
