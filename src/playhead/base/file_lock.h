#pragma once

#include "playhead/base/status.h"

#include <string>

namespace playhead {

/// An exclusive lock of this process on a local file, which is created when missing and stays when
/// the lock is released. The holder's process id is its content, for people and messages only: the
/// lock itself is the kernel's (flock), so it ends with the process, however that ends. Threads:
/// one at a time.
class FileLock {
 public:
  /// Does not wait. Errors: kAlreadyExists names the process that holds it, kPermissionDenied,
  /// kNotFound (no such folder), kUnavailable.
  static Result<FileLock> Acquire(const std::string& path);
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace playhead
