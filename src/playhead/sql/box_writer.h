#pragma once

#include "playhead/sql/row_writer.h"

#include <memory>
#include <vector>

namespace playhead::sql {

/// A box of lines around the cells. If it is too wide for `style.terminal_columns`, its longest
/// texts lose their middle, unless two that differ would look alike; then it loses its middle
/// columns.
std::unique_ptr<RowWriter> MakeBoxWriter(const OutputStyle& style,
                                         std::vector<OutputColumn> columns, OutputSink sink);

}  // namespace playhead::sql
