#pragma once

#include "playhead/iceberg/types.h"

#include <string>
#include <string_view>

namespace playhead::iceberg {

/// Reads format versions 1 and 2 (v1 is lifted to v2), plain or compressed with gzip. Errors:
/// kDataCorrupt names the key at fault; kNotSupported for version 3 and newer.
Result<TableMetadata> ParseMetadata(std::string_view bytes);
std::string SerializeMetadata(const TableMetadata& metadata);

std::string SerializeSchema(const Schema& schema);
Result<Schema> ParseSchema(std::string_view json);

}  // namespace playhead::iceberg
