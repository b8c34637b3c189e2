#pragma once

#include "playhead/base/status.h"

#include <fstream>
#include <string>
#include <string_view>
#include <utility>

namespace playhead::sim {

/// Writes one landing file. It stands under `<path>.tmp`, which ingest never reads, until Close().
class LandingFile {
 public:
  /// Makes the folders of `path`. Errors: kUnavailable (not writable).
  static Result<LandingFile> Create(std::string path);

  /// A failure is told by Close().
  void Write(std::string_view text);
  /// Gives the file its name, in place of an older one. Errors: kResourceExhausted (disk full) and
  /// kUnavailable; `<path>.tmp` may be left behind.
  Status Close();

 private:
  explicit LandingFile(std::string path) : path_(std::move(path)) {}
  std::string path_;
  std::ofstream out_;
  int write_errno_ = 0;  // of the first write that failed
};

}  // namespace playhead::sim
