#include "playhead/iceberg/deflate.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace playhead::iceberg {
namespace {

/// A negative window size means: neither zlib's nor gzip's frame.
constexpr int kRawWindowBits = -15;
constexpr int kGzipWindowBits = 15 + 16;

Bytef* Input(std::string_view bytes) {
  // zlib never writes through next_in; its type only lacks the const.
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
}

Status OutOfMemory(const char* step) {
  return Error(StatusCode::kResourceExhausted, "zlib cannot start: step={}", step);
}

Result<std::string> InflateFramed(std::string_view deflated, int window_bits, size_t bytes_max) {
  constexpr size_t kFirstStep = 16 << 10;
  constexpr size_t kStepMax = 4 << 20;
  if (deflated.size() > std::numeric_limits<uInt>::max()) {
    return Error(StatusCode::kDataCorrupt, "deflated block is too long: bytes={}", deflated.size());
  }
  z_stream stream = {};
  if (inflateInit2(&stream, window_bits) != Z_OK) return OutOfMemory("inflate");
  stream.next_in = Input(deflated);
  stream.avail_in = static_cast<uInt>(deflated.size());
  std::string bytes;
  int code = Z_OK;
  // One byte more than is allowed, so that a result of exactly `bytes_max` is told from a longer
  // one.
  while (code == Z_OK && bytes.size() <= bytes_max) {
    const size_t used = bytes.size();
    const size_t step = std::min({std::max(kFirstStep, used), kStepMax, bytes_max + 1 - used});
    bytes.resize(used + step);
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data() + used);
    stream.avail_out = static_cast<uInt>(step);
    code = inflate(&stream, Z_NO_FLUSH);
    bytes.resize(bytes.size() - stream.avail_out);
    if (code == Z_OK && stream.avail_in == 0 && stream.avail_out > 0) break;
  }
  inflateEnd(&stream);
  if (bytes.size() > bytes_max) {
    return Error(StatusCode::kDataCorrupt, "inflated block is too long: bytes_max={}", bytes_max);
  }
  if (code != Z_STREAM_END) {
    return Error(StatusCode::kDataCorrupt, "deflated block is damaged: bytes={}", deflated.size());
  }
  return bytes;
}

}  // namespace

Result<std::string> Deflate(std::string_view bytes) {
  constexpr int kMemoryLevel = 8;
  z_stream stream = {};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawWindowBits, kMemoryLevel,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return OutOfMemory("deflate");
  }
  PH_CHECK(bytes.size() <= std::numeric_limits<uInt>::max());
  std::string deflated(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = Input(bytes);
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(deflated.data());
  stream.avail_out = static_cast<uInt>(deflated.size());
  const int code = deflate(&stream, Z_FINISH);
  deflated.resize(stream.total_out);
  deflateEnd(&stream);
  PH_CHECK(code == Z_STREAM_END);
  return deflated;
}

Result<std::string> Inflate(std::string_view deflated, size_t bytes_max) {
  return InflateFramed(deflated, kRawWindowBits, bytes_max);
}

Result<std::string> Gunzip(std::string_view gzip, size_t bytes_max) {
  return InflateFramed(gzip, kGzipWindowBits, bytes_max);
}

}  // namespace playhead::iceberg
