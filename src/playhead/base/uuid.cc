#include "playhead/base/uuid.h"

#include "playhead/base/status.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <limits>

namespace playhead {
namespace {

void FillRandom(void* bytes, size_t size) {
  PH_CHECK(getrandom(bytes, size, 0) == static_cast<ssize_t>(size));
}

}  // namespace

std::string NewUuid() {
  uint64_t words[2];
  FillRandom(words, sizeof(words));
  words[0] = (words[0] & ~0xF000ULL) | 0x4000ULL;
  words[1] = (words[1] & ~(3ULL << 62)) | (2ULL << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", words[0] >> 32,
                     (words[0] >> 16) & 0xFFFF, words[0] & 0xFFFF, words[1] >> 48,
                     words[1] & 0xFFFFFFFFFFFFULL);
}

int64_t NewSnapshotId() {
  uint64_t word = 0;
  FillRandom(&word, sizeof(word));
  const auto id = static_cast<int64_t>(word & std::numeric_limits<int64_t>::max());
  return id == 0 ? 1 : id;
}

}  // namespace playhead
