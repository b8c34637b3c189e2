#include "playhead/sql/store_file_system.h"

#include "playhead/base/arrow_status.h"

#include <arrow/io/interfaces.h>
#include <duckdb/common/file_system.hpp>
#include <duckdb/common/multi_file/multi_file_list.hpp>

#include <functional>
#include <memory>
#include <utility>

namespace playhead::sql {
namespace {

constexpr std::string_view kFile = "file:/";
constexpr std::string_view kMemory = "memory://";

bool IsOnDisk(const std::string& path) { return path.starts_with(kFile); }

struct StoreHandle final : public duckdb::FileHandle {
  StoreHandle(duckdb::FileSystem& file_system, const std::string& path, duckdb::FileOpenFlags flags,
              storage::ObjectInfo object, std::shared_ptr<arrow::io::RandomAccessFile> opened)
      : FileHandle(file_system, path, flags), info(std::move(object)), file(std::move(opened)) {}

  void Close() override { file.reset(); }

  storage::ObjectInfo info;
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  duckdb::idx_t position = 0;
};

[[noreturn]] void Throw(const Status& status) { throw duckdb::IOException(status.ToString()); }

StoreHandle& Of(duckdb::FileHandle& handle) { return handle.Cast<StoreHandle>(); }

/// The handles of files that are written belong to `local_`, which then gets the calls about them.
class StoreFileSystem final : public duckdb::FileSystem {
 public:
  explicit StoreFileSystem(storage::ObjectStore& store) : store_(store), local_(CreateLocal()) {}

  std::string GetName() const override { return "PlayheadStore"; }
  bool CanHandleFile(const std::string& path) override {
    return IsOnDisk(path) || path.starts_with(kMemory);
  }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle& handle) override { return IsOnDisk(handle.path); }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    if (flags.OpenForWriting()) return local_->OpenFile(path, flags, opener);
    auto info = store_.Stat(path);
    if (!info.ok() && info.error().code() == StatusCode::kNotFound) {
      if (flags.ReturnNullIfNotExists()) return nullptr;
      // A pipe or a device is no object, and yet DuckDB reads it.
      if (IsOnDisk(path) && local_->IsPipe(path)) return local_->OpenFile(path, flags, opener);
    }
    if (!info.ok()) Throw(info.error());
    auto file = store_.OpenForRead(path);
    if (!file.ok()) Throw(file.error());
    return duckdb::make_uniq<StoreHandle>(*this, path, flags, *std::move(info), *std::move(file));
  }

  void Read(duckdb::FileHandle& handle, void* buffer, int64_t bytes,
            duckdb::idx_t location) override {
    if (ReadAt(handle, buffer, bytes, location) == bytes) return;
    throw duckdb::IOException("the object is shorter than expected: uri=%s bytes=%lld", handle.path,
                              Of(handle).info.bytes);
  }
  int64_t Read(duckdb::FileHandle& handle, void* buffer, int64_t bytes) override {
    StoreHandle& opened = Of(handle);
    const int64_t got = ReadAt(handle, buffer, bytes, opened.position);
    opened.position += static_cast<duckdb::idx_t>(got);
    return got;
  }
  int64_t GetFileSize(duckdb::FileHandle& handle) override { return Of(handle).info.bytes; }
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle& handle) override {
    return duckdb::timestamp_t(Of(handle).info.modified_us);
  }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }
  void Seek(duckdb::FileHandle& handle, duckdb::idx_t location) override {
    Of(handle).position = location;
  }
  void Reset(duckdb::FileHandle& handle) override { Of(handle).position = 0; }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& handle) override { return Of(handle).position; }

  bool FileExists(const std::string& path,
                  duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    return IsOnDisk(path) ? local_->FileExists(path, opener) : store_.Stat(path).ok();
  }

  // What is not reading.
  bool IsPipe(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    return IsOnDisk(path) && local_->IsPipe(path, opener);
  }
  bool DirectoryExists(const std::string& path,
                       duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    return local_->DirectoryExists(path, opener);
  }
  void CreateDirectory(const std::string& path,
                       duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    local_->CreateDirectory(path, opener);
  }
  void RemoveDirectory(const std::string& path,
                       duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    local_->RemoveDirectory(path, opener);
  }
  bool ListFiles(const std::string& path,
                 const std::function<void(const std::string&, bool)>& callback,
                 duckdb::FileOpener* opener) override {
    return local_->ListFiles(path, callback, opener);
  }
  void MoveFile(const std::string& source, const std::string& target,
                duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    local_->MoveFile(source, target, opener);
  }
  void RemoveFile(const std::string& path,
                  duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    local_->RemoveFile(path, opener);
  }
  bool TryRemoveFile(const std::string& path,
                     duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    return local_->TryRemoveFile(path, opener);
  }

 protected:
  bool SupportsGlobExtended() const override { return true; }
  duckdb::unique_ptr<duckdb::MultiFileList> GlobFilesExtended(
      const std::string& path, const duckdb::FileGlobInput& input,
      duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    if (IsOnDisk(path)) return local_->Glob(path, input, opener);
    duckdb::vector<duckdb::OpenFileInfo> one;
    one.emplace_back(path);
    return duckdb::make_uniq<duckdb::SimpleMultiFileList>(std::move(one));
  }

 private:
  static int64_t ReadAt(duckdb::FileHandle& handle, void* buffer, int64_t bytes,
                        duckdb::idx_t location) {
    const auto got = Of(handle).file->ReadAt(static_cast<int64_t>(location), bytes, buffer);
    if (!got.ok()) Throw(internal::ToStatus(got.status()));
    return *got;
  }

  storage::ObjectStore& store_;
  duckdb::unique_ptr<duckdb::FileSystem> local_;
};

}  // namespace

void RegisterStoreFileSystem(duckdb::DatabaseInstance& database, storage::ObjectStore& store) {
  database.GetFileSystem().RegisterSubSystem(duckdb::make_uniq<StoreFileSystem>(store));
}

std::string StorePath(const std::string& uri) {
  return uri.starts_with('/') ? "file://" + uri : uri;
}

}  // namespace playhead::sql
