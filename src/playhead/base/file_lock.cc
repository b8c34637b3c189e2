#include "playhead/base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

namespace playhead {
namespace {

Status ErrorOfErrno(int error, std::string_view what, const std::string& path) {
  StatusCode code = StatusCode::kUnavailable;
  if (error == ENOENT || error == ENOTDIR) code = StatusCode::kNotFound;
  if (error == EACCES || error == EPERM || error == EROFS) code = StatusCode::kPermissionDenied;
  if (error == ENOSPC || error == EDQUOT) code = StatusCode::kResourceExhausted;
  return Error(code, "{}: path={} error={}", what, path, std::generic_category().message(error));
}

std::string Holder(int fd) {
  char text[32];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  std::string_view pid(text, size > 0 ? static_cast<size_t>(size) : 0);
  pid = pid.substr(0, pid.find_first_not_of("0123456789"));
  return pid.empty() ? "unknown" : std::string(pid);
}

}  // namespace

Result<FileLock> FileLock::Acquire(const std::string& path) {
  FileLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.fd_ < 0) return ErrorOfErrno(errno, "cannot open lock file", path);
  if (flock(lock.fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return ErrorOfErrno(errno, "cannot lock file", path);
    return Error(StatusCode::kAlreadyExists, "another process holds the lock: process={} path={}",
                 Holder(lock.fd_), path);
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  // The process id is for messages, so a full disk must not keep anybody from locking.
  if (ftruncate(lock.fd_, 0) == 0) (void)!pwrite(lock.fd_, pid.data(), pid.size(), 0);
  return lock;
}

FileLock::~FileLock() {
  if (fd_ >= 0) close(fd_);
}
FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

}  // namespace playhead
