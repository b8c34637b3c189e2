#pragma once

#include "playhead/base/file_lock.h"

#include <optional>
#include <string>

namespace playhead::sql {

/// One engine's private spill folder `<shared>/<uuid>/`, with a lock file `<uuid>.lock` beside it
/// that its process holds. The constructor also removes the folders of dead processes, whose locks
/// can be acquired.
class SpillFolder {
 public:
  /// DuckDB creates the folder itself on its first spill. If the lock cannot be made, neither can
  /// the folder, and statements that need to spill fail.
  explicit SpillFolder(const std::string& shared);
  ~SpillFolder();
  SpillFolder(const SpillFolder&) = delete;
  SpillFolder& operator=(const SpillFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
  std::optional<FileLock> lock_;
};

}  // namespace playhead::sql
