#pragma once

#include "playhead/iceberg/types.h"

#include <cstdint>
#include <vector>

namespace playhead::iceberg {

/// Gives `fields` the ids after `last_column_id`, one level after the other, and counts it up.
/// Errors: kInvalidArgument when only reserved ids are left (Iceberg spec, "Reserved Field IDs").
Status AssignFreshIds(std::vector<NestedField>* fields, int32_t* last_column_id);

}  // namespace playhead::iceberg
