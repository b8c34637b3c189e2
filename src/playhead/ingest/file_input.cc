#include "playhead/ingest/file_input.h"

#include "playhead/base/arrow_status.h"

#include <arrow/io/interfaces.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace playhead::ingest {
namespace {

// Small enough to stay in a core's own cache between the copy from the kernel and the decoding.
constexpr size_t kChunkBytes = 256 << 10;
// What a damaged place takes with it is what these bytes of the packed file hold.
constexpr size_t kStepBytes = 4 << 10;

struct Packing {
  std::string_view magic;
  std::string_view name;
  std::optional<arrow::Compression::type> codec;  // none: it is not read
};
constexpr size_t kMagicBytesMax = 10;
constexpr Packing kPackings[] = {
    {.magic = "\x1F\x8B", .name = "gzip", .codec = arrow::Compression::GZIP},
    {.magic = "\x28\xB5\x2F\xFD", .name = "zstd", .codec = arrow::Compression::ZSTD},
    {.magic = "BZh", .name = "bzip2", .codec = {}},
    {.magic = {"\xFD"
               "7zXZ\0",
               6},
     .name = "xz",
     .codec = {}},
    {.magic = "PK\x03\x04", .name = "zip", .codec = {}},
};

}  // namespace

std::optional<int64_t> RegularFileBytes(const std::string& path) {
  std::error_code error;
  if (path == kStandardInput || !std::filesystem::is_regular_file(path, error)) return std::nullopt;
  const auto bytes = static_cast<int64_t>(std::filesystem::file_size(path, error));
  return error ? std::nullopt : std::optional(bytes);
}

Result<std::string> HashFile(const InputFile& file) {
  ContentHasher hasher;
  PH_ASSIGN_OR_RETURN(FileInput input, FileInput::Open(file, &hasher));
  PH_RETURN_IF_ERROR(input.Drain());
  return hasher.Hex();
}

Result<FileInput> FileInput::Open(const InputFile& file, ContentHasher* hasher) {
  FileInput input;
  input.path_ = file.path;
  input.stop_ = file.stop;
  input.name_ = file.name.empty() ? file.path : file.name;
  input.hasher_ = hasher;
  if (file.store != nullptr) {
    PH_ASSIGN_OR_RETURN(input.object_, file.store->OpenForRead(file.path));
  } else {
    std::error_code error;
    // A named pipe without a writer is not waited for here, where no stop would be heard.
    const int wait = std::filesystem::is_fifo(file.path, error) ? O_NONBLOCK : 0;
    // Standard input is not opened by a name: a socket has none that can be opened.
    input.fd_ = storage::FileDescriptor(file.path == kStandardInput
                                            ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                            : open(file.path.c_str(), O_RDONLY | O_CLOEXEC | wait));
    if (input.fd_.get() < 0) return storage::ErrnoStatus("open", file.path, errno);
  }
  // Not filled: many files are small.
  input.buffer_ = std::make_unique_for_overwrite<char[]>(kChunkBytes);
  return input;
}

Status FileInput::WaitForBytes() {
  constexpr int kLookMs = 100;
  pollfd waited{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  while (!stop_.stop_requested()) {
    if (object_ != nullptr || poll(&waited, 1, kLookMs) != 0) return {};
  }
  return Error(StatusCode::kCancelled, "stopped while reading: name={}", name_);
}

Status FileInput::DetectPacking() {
  // A pipe may give a byte at a time.
  while (head_bytes_ < kMagicBytesMax) {
    PH_ASSIGN_OR_RETURN(const size_t size,
                        ReadRaw(&buffer_[head_bytes_], kChunkBytes - head_bytes_));
    if (size == 0) break;
    head_bytes_ += size;
  }
  const std::string_view head(buffer_.get(), head_bytes_);
  for (const Packing& packing : kPackings) {
    if (!head.starts_with(packing.magic)) continue;
    if (!packing.codec) {
      return Error(StatusCode::kNotSupported,
                   "compression not supported: {}; gzip and zstd are: name={}", packing.name,
                   name_);
    }
    PH_ASSIGN_OR_RETURN(codec_, arrow::util::Codec::Create(*packing.codec));
    PH_ASSIGN_OR_RETURN(decompressor_, codec_->MakeDecompressor());
    packed_ = std::make_unique_for_overwrite<char[]>(kChunkBytes);
    std::swap(packed_, buffer_);
    packed_rest_ = std::string_view(packed_.get(), std::exchange(head_bytes_, 0));
    return {};
  }
  return {};
}

Result<size_t> FileInput::ReadRaw(char* buffer, size_t room) {
  int64_t size = 0;
  if (object_ != nullptr) {
    PH_RETURN_IF_ERROR(WaitForBytes());
    PH_ASSIGN_OR_RETURN(size, object_->Read(static_cast<int64_t>(room), buffer));
  } else {
    do {
      PH_RETURN_IF_ERROR(WaitForBytes());
      size = read(fd_.get(), buffer, room);
    } while (size < 0 && (errno == EINTR || errno == EAGAIN));
    if (size < 0) return storage::ErrnoStatus("read", path_, errno);
  }
  position_ += size;
  const auto bytes = static_cast<size_t>(size);
  if (hasher_ != nullptr) hasher_->Update({buffer, bytes});
  return bytes;
}

Result<std::string_view> FileInput::Read() {
  if (codec_ != nullptr) return ReadPacked();
  if (head_bytes_ > 0) return std::string_view(buffer_.get(), std::exchange(head_bytes_, 0));
  PH_ASSIGN_OR_RETURN(const size_t size, ReadRaw(buffer_.get(), kChunkBytes));
  return std::string_view(buffer_.get(), size);
}

Status FileInput::CopyTo(arrow::io::OutputStream& out) {
  while (true) {
    PH_ASSIGN_OR_RETURN(const std::string_view chunk, Read());
    if (chunk.empty()) return {};
    PH_RETURN_IF_ERROR(
        internal::ToStatus(out.Write(chunk.data(), static_cast<int64_t>(chunk.size()))));
  }
}

Status FileInput::Drain() {
  while (true) {
    PH_ASSIGN_OR_RETURN(const size_t size, ReadRaw(buffer_.get(), kChunkBytes));
    if (size == 0) return {};
  }
}

Status FileInput::FillPacked() {
  PH_ASSIGN_OR_RETURN(const size_t size, ReadRaw(packed_.get(), kChunkBytes));
  is_at_end_ = size == 0;
  packed_rest_ = std::string_view(packed_.get(), size);
  return {};
}

Result<std::string_view> FileInput::ReadPacked() {
  size_t filled = 0;
  while (filled < kChunkBytes && problem_.empty()) {
    if (packed_rest_.empty() && !is_at_end_) PH_RETURN_IF_ERROR(FillPacked());
    if (is_at_end_ && !is_inside_) break;
    const std::string_view packed = packed_rest_.substr(0, kStepBytes);
    const arrow::Result<arrow::util::Decompressor::DecompressResult> step =
        decompressor_->Decompress(static_cast<int64_t>(packed.size()),
                                  reinterpret_cast<const uint8_t*>(packed.data()),
                                  static_cast<int64_t>(kChunkBytes - filled),
                                  reinterpret_cast<uint8_t*>(buffer_.get()) + filled);
    if (!step.ok()) {
      problem_ = fmt::format("packed file is damaged after {} bytes: {}", unpacked_,
                             step.status().message());
      break;
    }
    filled += static_cast<size_t>(step->bytes_written);
    unpacked_ += step->bytes_written;
    packed_rest_.remove_prefix(static_cast<size_t>(step->bytes_read));
    is_inside_ = true;
    if (unpacked_ > kBombBytesMin &&
        unpacked_ > kUnpackRatioMax * std::max<int64_t>(position_, 1)) {
      problem_ = fmt::format("packed file grows more than {} times: stopped after {} bytes",
                             kUnpackRatioMax, unpacked_);
    } else if (decompressor_->IsFinished()) {
      is_inside_ = false;
      PH_RETURN_IF_ERROR(internal::ToStatus(decompressor_->Reset()));
    } else if (step->bytes_read == 0 && step->bytes_written == 0) {
      problem_ = fmt::format("packed file is damaged after {} bytes: {}", unpacked_,
                             is_at_end_ ? "it is truncated" : "it cannot be unpacked further");
    }
  }
  return std::string_view(buffer_.get(), filled);
}

}  // namespace playhead::ingest
