#pragma once

#include "playhead/base/json_writer.h"
#include "playhead/iceberg/json_view.h"
#include "playhead/iceberg/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace playhead::iceberg {

/// JSON of schemas and partition specs, in pieces, for the files that contain them.
/// Source: Iceberg spec, "Appendix C: JSON serialization".

/// "long", "decimal(9, 2)", "fixed[16]"; "struct", "list", "map" for nested types.
std::string TypeName(const Type& type);
/// "identity", "day", "bucket[16]", …
std::string TransformName(const PartitionField& field);

/// A missing `schema-id` (version 1) reads as 0.
Result<Schema> ParseSchema(const JsonView& json);
void WriteSchema(JsonWriter& writer, const Schema& schema);

/// The `fields` array of a spec. Missing `field-id`s (version 1) are numbered from 1000.
Result<std::vector<PartitionField>> ParsePartitionFields(const std::vector<JsonView>& fields);
void WritePartitionFields(JsonWriter& writer, const std::vector<PartitionField>& fields);

}  // namespace playhead::iceberg
