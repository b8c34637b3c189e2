#include "playhead/sql/spill_folder.h"

#include "playhead/base/uuid.h"

#include <filesystem>
#include <system_error>
#include <vector>

namespace playhead::sql {
namespace {

namespace fs = std::filesystem;

constexpr char kLockEnding[] = ".lock";

void RemoveBoth(const std::string& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
  // The lock goes last: while it exists, another process can finish the removal.
  if (!fs::exists(path, ignored)) fs::remove(path + kLockEnding, ignored);
}

void SweepDead(const fs::path& shared) {
  std::error_code error;
  std::vector<fs::path> locks;
  for (const auto& entry : fs::directory_iterator(shared, error)) {
    if (entry.path().extension() == kLockEnding) locks.push_back(entry.path());
  }
  for (const fs::path& path : locks) {
    const auto lock = FileLock::Acquire(path.string());
    if (lock.ok()) RemoveBoth((path.parent_path() / path.stem()).string());
  }
}

}  // namespace

SpillFolder::SpillFolder(const std::string& shared) {
  std::error_code ignored;
  fs::create_directories(shared, ignored);
  SweepDead(shared);
  // A sweeper may take a new lock file before we lock it, and then deletes it: try another name.
  for (int attempt = 0; attempt < 3 && !lock_; ++attempt) {
    path_ = shared + "/" + NewUuid();
    if (auto lock = FileLock::Acquire(path_ + kLockEnding); lock.ok()) {
      lock_ = *std::move(lock);
    }
  }
}

SpillFolder::~SpillFolder() {
  if (lock_) RemoveBoth(path_);
}

}  // namespace playhead::sql
