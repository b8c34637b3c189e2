#pragma once

#include "playhead/iceberg/types.h"

namespace playhead::iceberg {

/// Whether ApplyTransform() knows the transform of columns of this type. Not: identity of floats
/// and doubles (NaN is no folder), decimals, UUIDs and fixed bytes.
bool CanTransform(const PartitionField& field, TypeKind source);

/// The partition value of one value of the source column, which CanTransform(): bool for boolean,
/// int32 for int and date, int64 for long, time and timestamps, text or bytes else. Null gives
/// null. Times before 1970 floor. Source: Iceberg spec, "Partition Transforms", "Appendix B".
PartitionValue ApplyTransform(const PartitionField& field, TypeKind source,
                              const PartitionValue& value);

}  // namespace playhead::iceberg
