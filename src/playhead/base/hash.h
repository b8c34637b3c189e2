#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace playhead {

/// 128 bits of XXH3, for maps.
struct Hash128 {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const Hash128&) const = default;
};

/// Streaming XXH3-128: content identity of landing files (not a security hash).
class ContentHasher {
 public:
  ContentHasher();
  ~ContentHasher();
  ContentHasher(ContentHasher&&) noexcept;
  ContentHasher& operator=(ContentHasher&&) noexcept;

  void Update(std::string_view bytes);
  /// How many there were.
  int64_t bytes() const;
  Hash128 Digest() const;
  /// 32 lower-case hex characters, canonical (big-endian) form as `xxh128sum` prints it.
  std::string Hex() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string ContentHash(std::string_view bytes);
Hash128 ContentDigest(std::string_view bytes);

/// XXH3-64 of each text for a hash table of this process; `hashes` is as long as `texts`. The seed
/// is random in each process, so that nobody can send texts that fall into one place.
void HashTexts(std::span<const std::string_view> texts, std::span<uint64_t> hashes);

}  // namespace playhead
