#pragma once

#include "playhead/base/file_lock.h"

#include <optional>
#include <string>

namespace playhead::sql {

/// A folder of this engine alone below the one that all share, `<shared>/<uuid>/`, beside a lock
/// file `<uuid>.lock` that its process holds. Whoever makes one removes those of dead processes:
/// theirs are the locks that can be taken.
class SpillFolder {
 public:
  /// DuckDB makes the folder itself when it first spills. Where no lock can be made, the path is
  /// one where nothing can be written: then statements that have to spill fail.
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
