#include "playhead/base/arrow_status.h"

#include <arrow/util/io_util.h>

#include <cerrno>

namespace playhead::internal {

Status ToStatus(const arrow::Status& status) {
  if (status.ok()) return {};
  StatusCode code = StatusCode::kInternal;
  if (status.IsOutOfMemory() || status.IsCapacityError()) {
    code = StatusCode::kResourceExhausted;
  } else if (status.IsIOError()) {
    const int error = arrow::internal::ErrnoFromStatus(status);
    if (error == ENOSPC || error == EDQUOT) {
      code = StatusCode::kResourceExhausted;
    } else if (error == ENOENT) {
      code = StatusCode::kNotFound;
    } else {
      code = StatusCode::kUnavailable;
    }
  } else if (status.IsInvalid() || status.IsTypeError() || status.IsKeyError() ||
             status.IsIndexError()) {
    code = StatusCode::kInvalidArgument;
  } else if (status.IsNotImplemented()) {
    code = StatusCode::kNotSupported;
  } else if (status.IsCancelled()) {
    code = StatusCode::kCancelled;
  }
  return Status(code, status.message());
}

}  // namespace playhead::internal
