#include "playhead/http/gzip_body.h"

#include <zlib.h>

#include <algorithm>

namespace playhead::http {
namespace {

constexpr int64_t kStepBytes = 256 << 10;
constexpr int64_t kHarmlessBytes = 1 << 20;
constexpr int kGzipOnly = 15 + 16;

struct Inflater {
  Inflater() { is_ready = inflateInit2(&stream, kGzipOnly) == Z_OK; }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  z_stream stream = {};
  bool is_ready = false;
};

Status CheckSize(int64_t bytes, size_t packed_bytes, const GunzipLimits& limits) {
  if (bytes > limits.bytes_max) {
    return Error(StatusCode::kResourceExhausted,
                 "the body is larger than allowed once unpacked: decompressed_bytes_max={}",
                 limits.bytes_max);
  }
  if (bytes > kHarmlessBytes && bytes > limits.ratio_max * static_cast<int64_t>(packed_bytes)) {
    return Error(StatusCode::kResourceExhausted,
                 "the body grows more than allowed when unpacked: decompression_ratio_max={}",
                 limits.ratio_max);
  }
  return {};
}

}  // namespace

Result<std::string> Gunzip(std::string_view packed, const GunzipLimits& limits) {
  Inflater inflater;
  if (!inflater.is_ready) return Status(StatusCode::kUnavailable, "zlib has no memory");
  z_stream& stream = inflater.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string bytes;
  size_t size = 0;
  while (true) {
    if (size == bytes.size()) {
      // One byte beyond the limit is enough to see that it is passed.
      const auto step = std::max<int64_t>(kStepBytes, static_cast<int64_t>(size));
      const int64_t next_size =
          std::min<int64_t>(static_cast<int64_t>(size) + step, limits.bytes_max + 1);
      if (limits.may_grow_to && !limits.may_grow_to(next_size)) {
        return Status(StatusCode::kUnavailable, "too many request bodies are in memory");
      }
      bytes.resize(static_cast<size_t>(next_size));
    }
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + size);
    stream.avail_out = static_cast<uInt>(std::min<size_t>(bytes.size() - size, 1U << 30));
    const uInt room = stream.avail_out;
    const int code = inflate(&stream, Z_NO_FLUSH);
    size += room - stream.avail_out;
    PH_RETURN_IF_ERROR(CheckSize(static_cast<int64_t>(size), packed.size(), limits));
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return Status(StatusCode::kInternal, "zlib cannot go on");
    } else if (code != Z_OK && !(code == Z_BUF_ERROR && stream.avail_out == 0)) {
      return Error(StatusCode::kInvalidArgument, "the body is not sound gzip: {}",
                   stream.msg != nullptr ? stream.msg : "it is truncated");
    }
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace playhead::http
