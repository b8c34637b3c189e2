#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

/// The simulator's only source of chance: xoshiro256**, seeded through splitmix64.
///
/// Everything is integer arithmetic, the distributions too, so that a seed gives the same numbers
/// on every machine: the standard's distributions and libm's functions are free to differ. Threads:
/// one at a time.
class Random {
 public:
  /// `purpose` separates the draws of independent parts ("people", "faults") under one seed.
  Random(uint64_t seed, std::string_view purpose);

  uint64_t Next() {
    const uint64_t result = Rotate(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound); `bound` from 1 to 2^32.
  uint64_t Below(uint64_t bound) { return ((Next() >> 32) * bound) >> 32; }
  /// Uniform in [first, last], at most 2^32 values apart.
  int64_t Between(int64_t first, int64_t last) {
    return first + static_cast<int64_t>(Below(static_cast<uint64_t>(last - first) + 1));
  }
  /// True `percent` times in a hundred.
  bool Percent(uint64_t percent) { return Below(100) < percent; }

  /// Exponential with the given mean (from 0, below 2^47).
  int64_t Exponential(int64_t mean);

  template <typename T, size_t kSize>
  const T& Pick(const T (&values)[kSize]) {
    return values[Below(kSize)];
  }
  template <typename T>
  const T& Pick(const std::vector<T>& values) {
    return values[Below(values.size())];
  }

 private:
  static uint64_t Rotate(uint64_t value, int bits) { return value << bits | value >> (64 - bits); }
  uint64_t state_[4];
};

/// Draws indices with given weights in constant time (alias method, in integers).
class WeightedIndex {
 public:
  /// Cannot be drawn from.
  WeightedIndex() = default;
  /// Weights are not all zero; their sum times their number stays below 2^63, the sum below 2^32.
  explicit WeightedIndex(std::span<const uint64_t> weights);
  size_t Draw(Random& random) const;

 private:
  std::vector<uint64_t> threshold_;  // of total_: below it the index itself, else its alias
  std::vector<uint32_t> alias_;
  uint64_t total_ = 0;
};

/// Weights of `count` things by rank, falling as 1 / (rank + `flatness`): popularity.
std::vector<uint64_t> ZipfWeights(size_t count, size_t flatness);

/// Appends a version 4 UUID of 36 lower-case characters.
void AppendUuid(Random& random, std::string& text);

}  // namespace playhead::sim
