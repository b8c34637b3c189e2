#include "playhead/sim/random.h"

#include "playhead/base/status.h"

#include <array>

namespace playhead::sim {
namespace {

uint64_t SplitMix(uint64_t& state) {
  state += 0x9E3779B97F4A7C15;
  uint64_t mixed = state;
  mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
  mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
  return mixed ^ mixed >> 31;
}

constexpr std::array<char, 512> MakeHexPairs() {
  std::array<char, 512> pairs{};
  for (size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = "0123456789abcdef"[byte >> 4];
    pairs[2 * byte + 1] = "0123456789abcdef"[byte & 15];
  }
  return pairs;
}
constexpr std::array<char, 512> kHexPairs = MakeHexPairs();

char* PutHex(char* out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    const size_t pair = 2 * (value >> shift & 0xFF);
    *out++ = kHexPairs[pair];
    *out++ = kHexPairs[pair + 1];
  }
  return out;
}

}  // namespace

Random::Random(uint64_t seed, std::string_view purpose) {
  uint64_t state = seed;
  for (const char c : purpose) state = SplitMix(state) ^ static_cast<unsigned char>(c);
  for (uint64_t& word : state_) word = SplitMix(state);
}

int64_t Random::Exponential(int64_t mean) {
  // Von Neumann's way: the first number of a falling run of uniforms is kept if the run's length is
  // odd; every rejection adds one whole mean.
  for (int64_t rejections = 0;; ++rejections) {
    const uint64_t first = Next() >> 32;
    bool is_odd = true;
    for (uint64_t last = first, next; (next = Next() >> 32) < last; last = next) is_odd = !is_odd;
    if (is_odd) {
      // mean * first / 2^32, in halves that fit 64 bits.
      const auto whole = static_cast<uint64_t>(mean);
      const uint64_t part = ((whole >> 16) * first >> 16) + ((whole & 0xFFFF) * first >> 32);
      return mean * rejections + static_cast<int64_t>(part);
    }
  }
}

WeightedIndex::WeightedIndex(std::span<const uint64_t> weights)
    : threshold_(weights.size()), alias_(weights.size()) {
  for (const uint64_t weight : weights) total_ += weight;
  PH_CHECK(total_ > 0 && total_ < uint64_t{1} << 32);
  std::vector<uint32_t> poor;
  std::vector<uint32_t> rich;
  for (uint32_t i = 0; i < weights.size(); ++i) {
    threshold_[i] = weights[i] * weights.size();
    (threshold_[i] < total_ ? poor : rich).push_back(i);
  }
  while (!poor.empty() && !rich.empty()) {
    const uint32_t taker = poor.back();
    const uint32_t giver = rich.back();
    poor.pop_back();
    alias_[taker] = giver;
    threshold_[giver] -= total_ - threshold_[taker];
    if (threshold_[giver] < total_) {
      rich.pop_back();
      poor.push_back(giver);
    }
  }
}

size_t WeightedIndex::Draw(Random& random) const {
  const size_t index = random.Below(threshold_.size());
  return random.Below(total_) < threshold_[index] ? index : alias_[index];
}

std::vector<uint64_t> ZipfWeights(size_t count, size_t flatness) {
  std::vector<uint64_t> weights(count);
  for (size_t rank = 0; rank < count; ++rank) weights[rank] = 10'000'000 / (rank + flatness + 1);
  return weights;
}

void AppendUuid(Random& random, std::string& text) {
  const uint64_t high = (random.Next() & 0xFFFFFFFFFFFF0FFF) | 0x4000;
  const uint64_t low = (random.Next() & 0x3FFFFFFFFFFFFFFF) | 0x8000000000000000;
  char uuid[36];
  char* out = PutHex(uuid, high >> 32, 4);
  *out++ = '-';
  out = PutHex(out, high >> 16, 2);
  *out++ = '-';
  out = PutHex(out, high, 2);
  *out++ = '-';
  out = PutHex(out, low >> 48, 2);
  *out++ = '-';
  PutHex(out, low, 6);
  text.append(uuid, sizeof(uuid));
}

}  // namespace playhead::sim
