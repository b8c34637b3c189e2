#pragma once

#include "playhead/iceberg/types.h"

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>

namespace playhead::iceberg {

/// Assigns fresh field ids, counting up `last_column_id`: all fields of one level first, then what
/// is nested in them, as Java does. Ids in the Arrow schema are not looked at.
///
/// Narrow integers become int, uint32 long; times and timestamps of seconds and milliseconds become
/// micros; a dictionary is its values. Such columns must be cast to ArrowFromSchema()'s types.
/// Errors: kNotSupported names the column whose type Iceberg v2 cannot hold (uint64, nanoseconds,
/// half floats, null, unions, intervals); kInvalidArgument a name that is there twice.
Result<Schema> SchemaFromArrow(const arrow::Schema& schema, int32_t* last_column_id);

/// Arrow schema with `PARQUET:field_id` metadata at every level, as the Parquet writer wants it.
std::shared_ptr<arrow::Schema> ArrowFromSchema(const Schema& schema);

/// The type in the words of a declaration: `BIGINT`, `VARCHAR[]`.
std::string DeclaredTypeName(const Type& type);

/// The schema after `wanted`, or nothing if that changes nothing. Columns go by name:
///   new, at any depth of structs      optional, with fresh ids, after the others
///   int→long, float→double, a decimal of more digits      widened
///   required, but nullable in `wanted` or not in it        becomes optional
///   not in `wanted`                                        stays
/// The caller of AddSnapshot or SetSchema need not set the id of the result.
/// Errors: kInvalidArgument names the column whose change is refused and why; kNotSupported as
/// above.
Result<std::optional<Schema>> EvolveSchema(const Schema& current, const arrow::Schema& wanted,
                                           int32_t* last_column_id);

}  // namespace playhead::iceberg
