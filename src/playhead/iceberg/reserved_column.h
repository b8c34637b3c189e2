#pragma once

#include "playhead/iceberg/types.h"

#include <optional>

namespace playhead::iceberg {

/// The schema of a table of an earlier release with its source column `_partition`, a name that
/// Iceberg reserves, as `_topic_partition`: the same column by its field id. Nothing where the
/// column is not ours (beside `_topic` and `_offset`) or has the new name.
std::optional<Schema> RenameReservedColumn(const Schema& schema);

}  // namespace playhead::iceberg
