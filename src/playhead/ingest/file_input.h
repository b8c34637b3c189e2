#pragma once

#include "playhead/base/hash.h"
#include "playhead/base/status.h"
#include "playhead/ingest/file_load.h"
#include "playhead/storage/local_file.h"

#include <arrow/io/type_fwd.h>
#include <arrow/util/compression.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace playhead::ingest {

/// A packed file that grows by more than this factor is taken for a bomb, once it has passed
/// kBombBytesMin. Event files shrink to a tenth, rarely to a fiftieth.
inline constexpr int64_t kUnpackRatioMax = 250;
inline constexpr int64_t kBombBytesMin = 64LL << 20;

/// The path that stands for the process's standard input.
inline constexpr std::string_view kStandardInput = "-";

/// The size of a file that can be read more than once; none for pipes and the like, and if there is
/// nothing.
std::optional<int64_t> RegularFileBytes(const std::string& path);

/// XXH3-128 of a regular file (or object) as it lies there, in hexadecimal. Errors: kNotFound,
/// kUnavailable.
Result<std::string> HashFile(const InputFile& file);

/// One file read from its beginning in chunks, as it lies there or unpacked; gzip members and zstd
/// frames one after the other are one stream. What is no regular file (a pipe, a terminal) is read
/// until its other end closes. Everything that reads ends with kCancelled once the file's `stop` is
/// requested. Memory: two chunks. Threads: one at a time.
class FileInput {
 public:
  /// `hasher`, if given, takes every byte that is read, as it lies on disk; it outlives the input.
  /// Errors: kNotFound, kUnavailable (I/O).
  static Result<FileInput> Open(const InputFile& file, ContentHasher* hasher = nullptr);

  /// Has what follows unpacked if the first bytes are those of gzip or zstd, whatever the file is
  /// called. Before anything is read. Errors: kNotSupported (bytes of another compression),
  /// kUnavailable.
  Status DetectPacking();
  bool is_packed() const { return codec_ != nullptr; }

  /// The next bytes, valid until the next call; empty at the end. A packed file that is damaged,
  /// truncated or explodes ends there: what could be unpacked is given, problem() says why it ends.
  /// Errors: kUnavailable (I/O).
  Result<std::string_view> Read();

  /// Reads on to the end of the file as it lies on disk, for its hash; what is read is gone, and
  /// nothing can be read afterwards. Errors: kUnavailable (I/O).
  Status Drain();

  /// Writes all that Read() gives. Errors: those of Read() and of writing.
  Status CopyTo(arrow::io::OutputStream& out);

  const std::string& name() const { return name_; }
  /// Bytes of the file as it lies on disk that have been read.
  int64_t position() const { return position_; }
  /// Why the file ends before its end; empty while nothing is wrong with it.
  const std::string& problem() const { return problem_; }

 private:
  FileInput() = default;
  /// Waits until there is something to read, or the end. Errors: kCancelled.
  Status WaitForBytes();
  /// As read(2): at least one byte, none at the end.
  Result<size_t> ReadRaw(char* buffer, size_t room);
  Result<std::string_view> ReadPacked();
  Status FillPacked();

  std::string path_;
  std::string name_;
  std::stop_token stop_;
  storage::FileDescriptor fd_;
  std::shared_ptr<arrow::io::RandomAccessFile> object_;  // instead of fd_
  ContentHasher* hasher_ = nullptr;
  std::unique_ptr<arrow::util::Codec> codec_;
  std::shared_ptr<arrow::util::Decompressor> decompressor_;
  std::unique_ptr<char[]> buffer_;  // what is given out
  size_t head_bytes_ = 0;           // at its front, read by DetectPacking() and not given out yet
  std::unique_ptr<char[]> packed_;  // as large
  std::string_view packed_rest_;    // of packed_, not yet unpacked
  bool is_inside_ = false;          // a member or frame has begun and not ended
  bool is_at_end_ = false;
  int64_t position_ = 0;
  int64_t unpacked_ = 0;
  std::string problem_;
};

}  // namespace playhead::ingest
