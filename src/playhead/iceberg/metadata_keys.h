#pragma once

#include <string_view>

namespace playhead::iceberg {

/// True for the top-level keys of table metadata that TableMetadata holds, and for those of version
/// 1 that version 2 replaces; all others travel in TableMetadata::passthrough_json.
bool IsModelledKey(std::string_view key);

}  // namespace playhead::iceberg
