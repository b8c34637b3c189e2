#include "playhead/sim/landing_file.h"

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace playhead::sim {

Result<LandingFile> LandingFile::Create(std::string path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  LandingFile file(std::move(path));
  file.out_.open(file.path_ + ".tmp", std::ios::binary | std::ios::trunc);
  if (!file.out_) {
    return Error(StatusCode::kUnavailable, "cannot create landing file: path={}", file.path_);
  }
  return file;
}

void LandingFile::Write(std::string_view text) {
  if (!out_) return;
  errno = 0;
  out_.write(text.data(), static_cast<std::streamsize>(text.size()));
  if (!out_) write_errno_ = errno;
}

Status LandingFile::Close() {
  const bool was_sound = static_cast<bool>(out_);
  errno = 0;
  out_.close();
  if (was_sound && !out_) write_errno_ = errno;
  if (!out_) {
    return Error(write_errno_ == ENOSPC ? StatusCode::kResourceExhausted : StatusCode::kUnavailable,
                 "cannot write landing file: path={} errno={}", path_, write_errno_);
  }
  std::error_code error;
  std::filesystem::rename(path_ + ".tmp", path_, error);
  if (error) {
    return Error(StatusCode::kUnavailable, "cannot rename landing file: path={} error={}", path_,
                 error.message());
  }
  return OkStatus();
}

}  // namespace playhead::sim
