#pragma once

#include <cstdint>
#include <string>

namespace playhead::sqlite {

enum class VfsCall { kRead, kWrite, kSync, kTruncate };

/// What goes wrong with a database file, its WAL (`-wal`) or its rollback journal.
struct VfsFault {
  std::string path_suffix;  ///< of the file, e.g. "catalog.db-wal"
  VfsCall call = VfsCall::kSync;
  int64_t at_call = 1;  ///< of such calls to such files, from 1
  int64_t calls = 1;    ///< so many of them fail; a disk that is full stays full for a while
  /// True: "disk is full" (SQLITE_FULL); false: an I/O error.
  bool is_full = false;
  /// The call does its work and fails all the same.
  bool is_answer_lost = false;
};

/// A test double: while it lives, every database this process opens goes through a VFS whose calls
/// can be made to fail. What was written before a failed sync stays in the file, as it does in the
/// page cache of a machine whose fsync failed: another connection, or the next process, finds it.
///
/// One at a time in a process; a database that outlives it goes on without faults.
/// Threads: any.
class FaultyVfs {
 public:
  FaultyVfs();
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  /// Replaces the fault and counts its calls anew.
  void Set(VfsFault fault);
  void Clear();
  /// Calls of the fault's kind to its files since Set(), the failed ones included.
  int64_t calls() const;
  /// How many of them failed.
  int64_t failures() const;
};

}  // namespace playhead::sqlite
