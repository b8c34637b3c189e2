#pragma once

#include <arrow/type_fwd.h>

#include <string>

namespace playhead {

/// The type in the words of a declaration: `BIGINT`, `TIMESTAMPTZ`, `VARCHAR[]`,
/// `STRUCT(a VARCHAR)`. Text as codes of a dictionary is VARCHAR. What cannot be declared has
/// Arrow's name.
std::string DataTypeName(const arrow::DataType& type);

}  // namespace playhead
