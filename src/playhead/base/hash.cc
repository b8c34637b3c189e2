#include "playhead/base/hash.h"

#include <fmt/format.h>
#define XXH_INLINE_ALL  // NOLINT(readability-identifier-naming): the library's own
#include <xxhash.h>

#include <random>

namespace playhead {
namespace {

uint64_t RandomSeed() {
  std::random_device device;
  return (static_cast<uint64_t>(device()) << 32) | device();
}

}  // namespace

struct ContentHasher::State {
  alignas(64) XXH3_state_t xxh;
};

ContentHasher::ContentHasher() : state_(std::make_unique<State>()) {
  XXH3_128bits_reset(&state_->xxh);
}
ContentHasher::~ContentHasher() = default;
ContentHasher::ContentHasher(ContentHasher&&) noexcept = default;
ContentHasher& ContentHasher::operator=(ContentHasher&&) noexcept = default;

void ContentHasher::Update(std::string_view bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

int64_t ContentHasher::bytes() const { return static_cast<int64_t>(state_->xxh.totalLen); }

Hash128 ContentHasher::Digest() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return {hash.high64, hash.low64};
}

std::string ContentHasher::Hex() const {
  const Hash128 hash = Digest();
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

std::string ContentHash(std::string_view bytes) {
  ContentHasher hasher;
  hasher.Update(bytes);
  return hasher.Hex();
}

Hash128 ContentDigest(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

void HashTexts(std::span<const std::string_view> texts, std::span<uint64_t> hashes) {
  static const uint64_t kSeed = RandomSeed();
  for (size_t i = 0; i < texts.size(); ++i) {
    hashes[i] = XXH3_64bits_withSeed(texts[i].data(), texts[i].size(), kSeed);
  }
}

}  // namespace playhead
