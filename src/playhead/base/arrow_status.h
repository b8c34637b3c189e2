#pragma once

#include "playhead/base/status.h"

#include <arrow/result.h>
#include <arrow/status.h>

namespace playhead::internal {

/// Teaches PH_RETURN_IF_ERROR and PH_ASSIGN_OR_RETURN Arrow's types. Out of disk space becomes
/// kResourceExhausted, other I/O errors kUnavailable, bad input kInvalidArgument.
Status ToStatus(const arrow::Status& status);

template <typename T>
Status ToStatus(const arrow::Result<T>& result) {
  return ToStatus(result.status());
}

}  // namespace playhead::internal
