#include "playhead/storage/local_file.h"

#include "playhead/base/arrow_status.h"
#include "playhead/base/logging.h"
#include "playhead/base/uuid.h"

#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>
#include <mutex>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

namespace playhead::storage {
namespace {

// Small writes are put together; pages of Parquet mostly are larger and go as they are.
constexpr size_t kBufferBytes = 64 << 10;
// Starting the write-back early keeps the fsync at the end short.
constexpr int64_t kWriteBackBytes = 1 << 20;
constexpr size_t kSyncsAtOnce = 16;

std::mutex observer_mutex;
std::function<void(const std::string& folder)> folder_sync_observer;

}  // namespace

Status ForEachTogether(size_t count, const std::function<Status(size_t)>& work) {
  if (count <= 1) return count == 0 ? Status() : work(0);
  std::vector<Status> results(count);
  std::atomic<size_t> next = 0;
  const auto run = [&] {
    for (size_t i = next++; i < count; i = next++) results[i] = work(i);
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (size_t i = 1; i < std::min(count, kSyncsAtOnce); ++i) helpers.emplace_back(run);
    } catch (const std::system_error& error) {
      // Fewer threads than wished for do as well.
      logging::Debug("storage", "no more threads to sync files", {{"why", error.what()}});
    }
    run();
  }
  const auto failed = std::ranges::find_if(results, [](const Status& one) { return !one.ok(); });
  return failed == results.end() ? Status() : *failed;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) close(fd_);
}

Status FileDescriptor::Close(const std::string& path) {
  const int fd = std::exchange(fd_, -1);
  if (fd >= 0 && close(fd) != 0) return ErrnoStatus("close", path, errno);
  return {};
}

Status ErrnoStatus(std::string_view operation, const std::string& path, int error) {
  StatusCode code = StatusCode::kUnavailable;
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      code = StatusCode::kNotFound;
      break;
    case EEXIST:
      code = StatusCode::kAlreadyExists;
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = StatusCode::kPermissionDenied;
      break;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      code = StatusCode::kResourceExhausted;
      break;
    case ENAMETOOLONG:
    case EINVAL:
    case EISDIR:
      code = StatusCode::kInvalidArgument;
      break;
    default:
      break;
  }
  return Error(code, "{} failed: {}: path={}", operation, std::strerror(error), path);
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status MakeFolders(const std::string& folder, std::set<std::string>* unsynced) {
  if (mkdir(folder.c_str(), 0755) == 0) {
    unsynced->insert(FolderOf(folder));
    return {};
  }
  if (errno == EEXIST) {
    struct stat info{};
    if (stat(folder.c_str(), &info) == 0 && !S_ISDIR(info.st_mode)) {
      return ErrnoStatus("mkdir", folder, EEXIST);
    }
    // Somebody else made it a moment ago and may not have synced its name yet.
    unsynced->insert(FolderOf(folder));
    return {};
  }
  if (errno != ENOENT || folder == "/") return ErrnoStatus("mkdir", folder, errno);
  PH_RETURN_IF_ERROR(MakeFolders(FolderOf(folder), unsynced));
  if (mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
    return ErrnoStatus("mkdir", folder, errno);
  }
  unsynced->insert(FolderOf(folder));
  return {};
}

Result<TempFile> MakeTempFile(const std::string& final_path) {
  const std::string folder = FolderOf(final_path);
  TempFile temp{.path = fmt::format("{}/.{}.tmp", folder, NewUuid()), .fd = {}};
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  int fd = open(temp.path.c_str(), flags, 0644);
  if (fd < 0 && errno == ENOENT) {
    std::set<std::string> unsynced;
    PH_RETURN_IF_ERROR(MakeFolders(folder, &unsynced));
    PH_RETURN_IF_ERROR(SyncFolders(unsynced));
    fd = open(temp.path.c_str(), flags, 0644);
  }
  if (fd < 0) return ErrnoStatus("open", temp.path, errno);
  temp.fd = FileDescriptor(fd);
  return temp;
}

Status WriteAll(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return ErrnoStatus("write", path, errno);
    }
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status SyncFile(int fd, const std::string& path) {
  if (fsync(fd) != 0) return ErrnoStatus("fsync", path, errno);
  return {};
}

void SetFolderSyncObserver(std::function<void(const std::string& folder)> observer) {
  const std::lock_guard lock(observer_mutex);
  folder_sync_observer = std::move(observer);
}

Status SyncFolder(const std::string& folder) {
  {
    const std::lock_guard lock(observer_mutex);
    if (folder_sync_observer) folder_sync_observer(folder);
  }
  const FileDescriptor fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) return ErrnoStatus("open", folder, errno);
  return SyncFile(fd.get(), folder);
}

Status SyncFolders(const std::set<std::string>& folders) {
  const std::vector<std::string> all(folders.begin(), folders.end());
  return ForEachTogether(all.size(), [&](size_t i) { return SyncFolder(all[i]); });
}

Status RenameNoReplace(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  if (errno != EINVAL && errno != ENOSYS) return ErrnoStatus("rename", to, errno);
  // Not every file system knows the flag; a second name and the removal of the first do the same,
  // with both names visible for a moment.
  if (link(from.c_str(), to.c_str()) != 0) return ErrnoStatus("link", to, errno);
  if (unlink(from.c_str()) != 0) return ErrnoStatus("unlink", from, errno);
  return {};
}

Status RenameReplace(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return ErrnoStatus("rename", to, errno);
  return {};
}

Result<bool> Unlink(const std::string& path) {
  if (unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return ErrnoStatus("unlink", path, errno);
}

arrow::Status ToArrow(const Status& status) {
  if (status.ok()) return arrow::Status::OK();
  const int error = status.code() == StatusCode::kResourceExhausted ? ENOSPC : EIO;
  return arrow::internal::IOErrorFromErrno(error, status.message());
}

Status SyncAll(std::vector<UnsyncedFile> files) {
  PH_RETURN_IF_ERROR(ForEachTogether(files.size(), [&](size_t i) -> Status {
    PH_RETURN_IF_ERROR(SyncFile(files[i].fd.get(), files[i].path));
    return files[i].fd.Close(files[i].path);
  }));
  std::set<std::string> folders;
  for (const UnsyncedFile& file : files) folders.insert(FolderOf(file.path));
  return SyncFolders(folders);
}

LocalOutput::LocalOutput(std::string uri, std::string path, TempFile temp)
    : uri_(std::move(uri)), path_(std::move(path)), temp_(std::move(temp)) {
  buffer_.reserve(kBufferBytes);
}

LocalOutput::~LocalOutput() {
  if (!closed_) (void)LocalOutput::Abort().ok();
}

Result<std::shared_ptr<LocalOutput>> LocalOutput::Open(const std::string& uri,
                                                       const std::string& path) {
  PH_ASSIGN_OR_RETURN(TempFile temp, MakeTempFile(path));
  return std::shared_ptr<LocalOutput>(new LocalOutput(uri, path, std::move(temp)));
}

arrow::Status LocalOutput::Write(const void* data, int64_t nbytes) {
  if (closed_) return arrow::Status::Invalid("write to a closed file: path=", path_);
  const std::string_view bytes(static_cast<const char*>(data), static_cast<size_t>(nbytes));
  position_ += nbytes;
  if (buffer_.size() + bytes.size() > kBufferBytes) {
    ARROW_RETURN_NOT_OK(Flush());
    if (bytes.size() >= kBufferBytes) return WriteThrough(bytes);
  }
  buffer_.append(bytes);
  return arrow::Status::OK();
}

arrow::Status LocalOutput::Flush() {
  ARROW_RETURN_NOT_OK(WriteThrough(buffer_));
  buffer_.clear();
  return arrow::Status::OK();
}

arrow::Status LocalOutput::WriteThrough(std::string_view bytes) {
  ARROW_RETURN_NOT_OK(ToArrow(WriteAll(temp_.fd.get(), path_, bytes)));
  not_started_bytes_ += static_cast<int64_t>(bytes.size());
  if (not_started_bytes_ >= kWriteBackBytes) {
    sync_file_range(temp_.fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    not_started_bytes_ = 0;
  }
  return arrow::Status::OK();
}

arrow::Status LocalOutput::Abort() {
  closed_ = true;
  return ToArrow(Unlink(temp_.path).status());
}

Status LocalOutput::Seal() {
  if (closed_) return {};
  Status status = WriteAll(temp_.fd.get(), path_, buffer_);
  if (status.ok()) status = RenameReplace(temp_.path, path_);
  if (!status.ok()) {
    (void)Abort().ok();
    return status;
  }
  closed_ = true;
  buffer_ = {};
  return {};
}

Status LocalOutput::SyncContents() {
  if (temp_.fd.get() < 0) return {};
  PH_RETURN_IF_ERROR(SyncFile(temp_.fd.get(), path_));
  return temp_.fd.Close(path_);
}

arrow::Status LocalOutput::Close() {
  if (closed_) return arrow::Status::OK();
  Status status = Seal();
  if (!status.ok()) return ToArrow(status);
  status = SyncContents();
  if (status.ok()) status = SyncFolder(FolderOf(path_));
  return ToArrow(status);
}

}  // namespace playhead::storage
