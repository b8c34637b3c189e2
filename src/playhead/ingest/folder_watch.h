#pragma once

#include <cstdint>
#include <stop_token>
#include <string>

namespace playhead::ingest {

/// Waits for files to appear below a folder: woken by the kernel (inotify) where it can, after the
/// given time where it cannot (network file systems, no watches left, a folder that is not there
/// yet).
///
///   while not stopped: Refresh(); list the folder; Wait()
///
/// What happens after Refresh() wakes the next Wait(), so nothing is missed between listing and
/// waiting. Threads: one at a time.
class FolderWatch {
 public:
  explicit FolderWatch(std::string folder);
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  /// Watches the folder and the folders below it as they are now.
  void Refresh();

  /// Returns once a file was closed after writing, moved or linked in, or a folder made, or after
  /// `micros`. False if stopped.
  bool Wait(const std::stop_token& stop, int64_t micros);

  /// Whether every folder of the last Refresh() is watched by the kernel.
  bool is_complete() const { return is_complete_; }

 private:
  void Watch(const std::string& folder);
  void Drain();

  std::string folder_;
  int inotify_ = -1;
  int wake_ = -1;  // an eventfd, written when stopped
  bool is_complete_ = false;
  bool has_warned_ = false;
};

/// Whether another process (or thread) has `path` open for writing. False where the file system
/// cannot tell (network file systems, somebody else's file without the right to ask).
bool IsOpenForWriting(const std::string& path);

}  // namespace playhead::ingest
