#include "playhead/base/arrow_status.h"
#include "playhead/base/crash_point.h"
#include "playhead/storage/local_file.h"
#include "playhead/storage/object_store.h"

#include <arrow/io/file.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>

namespace playhead::storage {
namespace {

namespace fs = std::filesystem;

bool IsTempName(std::string_view name) { return name.starts_with('.') && name.ends_with(".tmp"); }

int64_t ModifiedMicros(const struct stat& info) {
  return static_cast<int64_t>(info.st_mtim.tv_sec) * 1'000'000 + info.st_mtim.tv_nsec / 1'000;
}

// Writes a file under its name; the caller syncs it.
Result<UnsyncedFile> WriteUnsynced(const std::string& path, std::string_view contents,
                                   bool replace) {
  PH_ASSIGN_OR_RETURN(TempFile temp, MakeTempFile(path));
  Status status = WriteAll(temp.fd.get(), path, contents);
  if (status.ok()) {
    status = replace ? RenameReplace(temp.path, path) : RenameNoReplace(temp.path, path);
  }
  if (!status.ok()) {
    (void)Unlink(temp.path).ok();
    return status;
  }
  return UnsyncedFile{.path = path, .fd = std::move(temp.fd)};
}

bool IsThere(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0;
}

/// The folders that are to be synced go to `unsynced`.
Result<PublishOutcome> PublishOne(const std::string& from, const std::string& to,
                                  std::set<std::string>* unsynced) {
  Status status = RenameNoReplace(from, to);
  if (status.code() == StatusCode::kNotFound) {
    // Either the staged file or the final folder is missing.
    if (IsThere(to)) return PublishOutcome::kAlready;
    if (!IsThere(from)) return PublishOutcome::kSourceGone;
    PH_RETURN_IF_ERROR(MakeFolders(FolderOf(to), unsynced));
    status = RenameNoReplace(from, to);
  }
  if (status.code() == StatusCode::kAlreadyExists) return PublishOutcome::kAlready;
  PH_RETURN_IF_ERROR(status);
  return PublishOutcome::kPublished;
}

/// The folders between a published file and what its staged name shares with it. Whoever renamed
/// the file may have gone before it synced those it had made.
void AddFoldersBetween(const std::string& staged, const std::string& final_path,
                       std::set<std::string>* folders) {
  for (std::string folder = FolderOf(final_path); folder != "/"; folder = FolderOf(folder)) {
    folders->insert(folder);
    if (staged.starts_with(folder + "/")) return;
  }
}

/// Adds the files below `folder` (with its slash) whose paths come behind `after`, in order, until
/// `objects` has `count`.
Status ListBehind(const std::string& folder, const std::string& after, size_t count,
                  std::vector<ObjectInfo>& objects) {
  // A folder sorts with its slash, as the paths below it do.
  std::vector<std::string> paths;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (IsTempName(name)) continue;
    std::error_code ignored;
    const bool is_folder = it->is_directory(ignored) && !it->is_symlink(ignored);
    paths.push_back(folder + name + (is_folder ? "/" : ""));
  }
  // What goes while we list is as good as what went before.
  if (error && error.value() != ENOENT && error.value() != ENOTDIR) {
    return ErrnoStatus("list", folder, error.value());
  }
  std::ranges::sort(paths);
  for (const std::string& path : paths) {
    if (objects.size() >= count) return {};
    if (path.ends_with('/')) {
      if (path < after && !after.starts_with(path)) continue;
      PH_RETURN_IF_ERROR(ListBehind(path, after, count, objects));
      continue;
    }
    if (path <= after) continue;
    struct stat info{};
    if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    objects.push_back(ObjectInfo{
        .uri = "file://" + path, .bytes = info.st_size, .modified_us = ModifiedMicros(info)});
  }
  return {};
}

class LocalStore final : public ObjectStore {
 public:
  Status Put(const std::string& uri, std::string_view contents) override {
    const NewObject object{.uri = uri, .contents = std::string(contents)};
    return PutMany(std::span(&object, 1));
  }

  Status PutMany(std::span<const NewObject> objects) override {
    std::vector<UnsyncedFile> files;
    const auto write = [&](const NewObject& object) -> Status {
      PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(object.uri));
      PH_ASSIGN_OR_RETURN(UnsyncedFile file,
                          WriteUnsynced(path, object.contents, /*replace=*/false));
      files.push_back(std::move(file));
      return {};
    };
    Status status;
    for (const NewObject& object : objects) {
      status = write(object);
      if (!status.ok()) break;
    }
    const Status synced = SyncAll(std::move(files));
    return status.ok() ? synced : status;
  }

  Status Replace(const std::string& uri, std::string_view contents) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    return WriteUnsynced(path, contents, /*replace=*/true).status();
  }

  Result<std::shared_ptr<OutputObject>> OpenForWrite(const std::string& uri) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    PH_ASSIGN_OR_RETURN(auto output, LocalOutput::Open(uri, path));
    return std::shared_ptr<OutputObject>(std::move(output));
  }

  Status CloseMany(std::span<const std::shared_ptr<OutputObject>> outputs) override {
    Status status;
    size_t sealed = 0;
    std::set<std::string> folders;
    for (; sealed < outputs.size(); ++sealed) {
      status = outputs[sealed]->Seal();
      if (!status.ok()) break;
      PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(outputs[sealed]->uri()));
      folders.insert(FolderOf(path));
    }
    Status synced = ForEachTogether(sealed, [&](size_t i) { return outputs[i]->SyncContents(); });
    if (synced.ok()) synced = SyncFolders(folders);
    return status.ok() ? synced : status;
  }

  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenForRead(
      const std::string& uri) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    PH_ASSIGN_OR_RETURN(auto file, arrow::io::ReadableFile::Open(path));
    return std::shared_ptr<arrow::io::RandomAccessFile>(std::move(file));
  }

  Result<std::string> Get(const std::string& uri) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    const FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return ErrnoStatus("open", path, errno);
    struct stat info{};
    if (fstat(fd.get(), &info) != 0) return ErrnoStatus("fstat", path, errno);
    std::string contents(static_cast<size_t>(info.st_size), '\0');
    size_t done = 0;
    while (done < contents.size()) {
      const ssize_t got =
          pread(fd.get(), contents.data() + done, contents.size() - done, static_cast<off_t>(done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ErrnoStatus("read", path, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    contents.resize(done);
    return contents;
  }

  Result<ObjectInfo> Stat(const std::string& uri) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    struct stat info{};
    if (stat(path.c_str(), &info) != 0) return ErrnoStatus("stat", path, errno);
    if (!S_ISREG(info.st_mode)) return ErrnoStatus("stat", path, ENOENT);
    return ObjectInfo{.uri = uri, .bytes = info.st_size, .modified_us = ModifiedMicros(info)};
  }

  Result<std::vector<PublishOutcome>> PublishMany(std::span<const ObjectMove> moves) override {
    // New names first, so that a power cut never leaves a file without any name.
    std::set<std::string> final_folders;
    std::set<std::string> staged_folders;
    std::vector<PublishOutcome> outcomes;
    const auto publish = [&](const ObjectMove& move) -> Status {
      PH_ASSIGN_OR_RETURN(const std::string from, LocalPath(move.staged_uri));
      PH_ASSIGN_OR_RETURN(const std::string to, LocalPath(move.final_uri));
      PH_ASSIGN_OR_RETURN(const PublishOutcome outcome, PublishOne(from, to, &final_folders));
      outcomes.push_back(outcome);
      if (outcome == PublishOutcome::kAlready) AddFoldersBetween(from, to, &final_folders);
      if (outcome != PublishOutcome::kPublished) return {};
      CrashPoint("commit.published_one");
      final_folders.insert(FolderOf(to));
      staged_folders.insert(FolderOf(from));
      return {};
    };
    Status status;
    for (const ObjectMove& move : moves) {
      status = publish(move);
      if (!status.ok()) break;
    }
    Status synced = SyncFolders(final_folders);
    if (synced.ok()) synced = SyncFolders(staged_folders);
    PH_RETURN_IF_ERROR(status);
    PH_RETURN_IF_ERROR(synced);
    return outcomes;
  }

  Status Delete(const std::string& uri) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    return Unlink(path).status();
  }

  Status DeleteTree(const std::string& uri) override {
    PH_ASSIGN_OR_RETURN(const std::string path, LocalPath(uri));
    std::error_code error;
    fs::remove_all(path, error);
    return error ? ErrnoStatus("remove folder", path, error.value()) : Status();
  }

  Result<ObjectPage> ListPage(const std::string& folder_uri, const std::string& token,
                              int64_t objects_max) override {
    PH_CHECK(objects_max >= 1);
    PH_ASSIGN_OR_RETURN(std::string root, LocalPath(folder_uri));
    while (root.size() > 1 && root.ends_with('/')) root.pop_back();
    std::string after;
    if (!token.empty()) {
      PH_ASSIGN_OR_RETURN(after, LocalPath(token));
    }
    ObjectPage page;
    // One more than asked for tells whether there is another page.
    PH_RETURN_IF_ERROR(ListBehind(root == "/" ? "/" : root + "/", after,
                                  static_cast<size_t>(objects_max) + 1, page.objects));
    if (page.objects.size() > static_cast<size_t>(objects_max)) {
      page.objects.pop_back();
      page.next_token = page.objects.back().uri;
    }
    return page;
  }

  Result<std::vector<std::string>> ListFolders(const std::string& folder_uri) override {
    PH_ASSIGN_OR_RETURN(const std::string root, LocalPath(folder_uri));
    std::vector<std::string> names;
    std::error_code error;
    for (fs::directory_iterator it(root, error), end; !error && it != end; it.increment(error)) {
      std::error_code ignored;
      if (it->is_directory(ignored)) names.push_back(it->path().filename().string());
    }
    if (error && error.value() != ENOENT) return ErrnoStatus("list", root, error.value());
    std::ranges::sort(names);
    return names;
  }
};

}  // namespace

std::unique_ptr<ObjectStore> MakeLocalStore() { return std::make_unique<LocalStore>(); }

}  // namespace playhead::storage
