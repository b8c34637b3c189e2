#include "playhead/base/faulty_vfs.h"

#include "playhead/base/status.h"
#include "playhead/base/thread_annotations.h"

#include <sqlite3.h>

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

namespace playhead::sqlite {
namespace {

constexpr const char* kName = "playhead-faulty";

// What all files look at. Static, because SQLite keeps the VFS of an open file.
struct Faults {
  std::mutex mutex;
  std::optional<VfsFault> fault PH_GUARDED_BY(mutex);
  int64_t calls PH_GUARDED_BY(mutex) = 0;
  int64_t failures PH_GUARDED_BY(mutex) = 0;
};

Faults& TheFaults() {
  static Faults faults;
  return faults;
}

// The real file lies behind it in the memory that SQLite gives.
struct File {
  sqlite3_file base;
  const char* path;
};

sqlite3_file* Real(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<File*>(file) + 1);
}

int ErrorCode(const VfsFault& fault) {
  if (fault.is_full) return SQLITE_FULL;
  switch (fault.call) {
    case VfsCall::kRead:
      return SQLITE_IOERR_READ;
    case VfsCall::kWrite:
      return SQLITE_IOERR_WRITE;
    case VfsCall::kSync:
      return SQLITE_IOERR_FSYNC;
    case VfsCall::kTruncate:
      return SQLITE_IOERR_TRUNCATE;
  }
  return SQLITE_IOERR;
}

template <typename Work>
int Counted(sqlite3_file* file, VfsCall call, const Work& work) {
  const char* path = reinterpret_cast<File*>(file)->path;
  std::optional<VfsFault> fault;
  {
    Faults& faults = TheFaults();
    const std::lock_guard lock(faults.mutex);
    if (faults.fault && faults.fault->call == call && path != nullptr &&
        std::string_view(path).ends_with(faults.fault->path_suffix)) {
      const int64_t number = ++faults.calls;
      if (number >= faults.fault->at_call && number < faults.fault->at_call + faults.fault->calls) {
        ++faults.failures;
        fault = faults.fault;
      }
    }
  }
  if (!fault) return work(Real(file));
  if (fault->is_answer_lost) (void)work(Real(file));
  return ErrorCode(*fault);
}

int Close(sqlite3_file* file) { return Real(file)->pMethods->xClose(Real(file)); }
int Read(sqlite3_file* file, void* bytes, int count, sqlite3_int64 at) {
  return Counted(file, VfsCall::kRead,
                 [&](sqlite3_file* real) { return real->pMethods->xRead(real, bytes, count, at); });
}
int Write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
  return Counted(file, VfsCall::kWrite, [&](sqlite3_file* real) {
    return real->pMethods->xWrite(real, bytes, count, at);
  });
}
int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  return Counted(file, VfsCall::kTruncate,
                 [&](sqlite3_file* real) { return real->pMethods->xTruncate(real, size); });
}
int Sync(sqlite3_file* file, int flags) {
  return Counted(file, VfsCall::kSync,
                 [&](sqlite3_file* real) { return real->pMethods->xSync(real, flags); });
}
int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Real(file)->pMethods->xFileSize(Real(file), size);
}
int Lock(sqlite3_file* file, int level) { return Real(file)->pMethods->xLock(Real(file), level); }
int Unlock(sqlite3_file* file, int level) {
  return Real(file)->pMethods->xUnlock(Real(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* is_locked) {
  return Real(file)->pMethods->xCheckReservedLock(Real(file), is_locked);
}
int FileControl(sqlite3_file* file, int op, void* argument) {
  return Real(file)->pMethods->xFileControl(Real(file), op, argument);
}
int SectorSize(sqlite3_file* file) { return Real(file)->pMethods->xSectorSize(Real(file)); }
int DeviceCharacteristics(sqlite3_file* file) {
  return Real(file)->pMethods->xDeviceCharacteristics(Real(file));
}
int ShmMap(sqlite3_file* file, int page, int page_bytes, int extend, void volatile** memory) {
  return Real(file)->pMethods->xShmMap(Real(file), page, page_bytes, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Real(file)->pMethods->xShmLock(Real(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) { Real(file)->pMethods->xShmBarrier(Real(file)); }
int ShmUnmap(sqlite3_file* file, int is_delete) {
  return Real(file)->pMethods->xShmUnmap(Real(file), is_delete);
}

// Version 2: with shared memory, without memory-mapped pages, which would be read past us.
constexpr sqlite3_io_methods kMethods = {.iVersion = 2,
                                         .xClose = Close,
                                         .xRead = Read,
                                         .xWrite = Write,
                                         .xTruncate = Truncate,
                                         .xSync = Sync,
                                         .xFileSize = FileSize,
                                         .xLock = Lock,
                                         .xUnlock = Unlock,
                                         .xCheckReservedLock = CheckReservedLock,
                                         .xFileControl = FileControl,
                                         .xSectorSize = SectorSize,
                                         .xDeviceCharacteristics = DeviceCharacteristics,
                                         .xShmMap = ShmMap,
                                         .xShmLock = ShmLock,
                                         .xShmBarrier = ShmBarrier,
                                         .xShmUnmap = ShmUnmap,
                                         .xFetch = nullptr,
                                         .xUnfetch = nullptr};

sqlite3_vfs* RealVfs(sqlite3_vfs* vfs) { return static_cast<sqlite3_vfs*>(vfs->pAppData); }

int Open(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  auto* ours = reinterpret_cast<File*>(file);
  ours->base.pMethods = nullptr;
  ours->path = path;
  sqlite3_file* real = Real(file);
  real->pMethods = nullptr;
  const int rc = RealVfs(vfs)->xOpen(RealVfs(vfs), path, real, flags, out_flags);
  if (real->pMethods != nullptr) ours->base.pMethods = &kMethods;
  return rc;
}

struct Registered {
  sqlite3_vfs vfs;
  sqlite3_vfs* real;
};

Registered& TheVfs() {
  static Registered registered = [] {
    sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
    PH_CHECK(real != nullptr);
    Registered made{.vfs = *real, .real = real};
    // The other calls only know paths and times: they may as well be the real one's, which never
    // look at their first argument's files.
    made.vfs.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
    made.vfs.pNext = nullptr;
    made.vfs.zName = kName;
    made.vfs.pAppData = real;
    made.vfs.xOpen = Open;
    return made;
  }();
  return registered;
}

}  // namespace

FaultyVfs::FaultyVfs() { PH_CHECK(sqlite3_vfs_register(&TheVfs().vfs, 1) == SQLITE_OK); }

FaultyVfs::~FaultyVfs() {
  Clear();
  (void)sqlite3_vfs_register(TheVfs().real, 1);
}

void FaultyVfs::Set(VfsFault fault) {
  Faults& faults = TheFaults();
  const std::lock_guard lock(faults.mutex);
  faults.fault = std::move(fault);
  faults.calls = faults.failures = 0;
}

void FaultyVfs::Clear() {
  Faults& faults = TheFaults();
  const std::lock_guard lock(faults.mutex);
  faults.fault.reset();
}

int64_t FaultyVfs::calls() const {
  Faults& faults = TheFaults();
  const std::lock_guard lock(faults.mutex);
  return faults.calls;
}

int64_t FaultyVfs::failures() const {
  Faults& faults = TheFaults();
  const std::lock_guard lock(faults.mutex);
  return faults.failures;
}

}  // namespace playhead::sqlite
