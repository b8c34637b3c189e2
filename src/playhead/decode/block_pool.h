#pragma once

#include <arrow/type_fwd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace playhead::decode {

/// Memory that goes round: a block handed out in a batch comes back when the batch is dropped.
///
/// Touching fresh pages costs more than decoding into them, so the columns of the next batch are
/// written where those of an earlier one were. Blocks have power-of-two sizes from 1 KiB.
/// Memory   keeps at most `kept_bytes_max` that nobody uses; the rest goes back to the system.
/// Threads  any.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  struct Block {
    uint8_t* data = nullptr;
    int64_t bytes = 0;
  };

  static constexpr int64_t kBlockBytesMin = 1024;

  static std::shared_ptr<BlockPool> Make(int64_t kept_bytes_max = 64LL << 20);
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// A block of at least `bytes`, with arbitrary contents, aligned for SIMD.
  Block Take(int64_t bytes);
  void Give(Block block);

  /// The first `size` bytes of the block as a buffer that gives the block back when it is dropped;
  /// it keeps the pool alive.
  std::shared_ptr<arrow::Buffer> Wrap(Block block, int64_t size);

 private:
  static constexpr int kClasses = 40;

  explicit BlockPool(int64_t kept_bytes_max) : kept_bytes_max_(kept_bytes_max) {}

  const int64_t kept_bytes_max_;
  std::mutex mutex_;
  int64_t kept_bytes_ = 0;                            // guarded by mutex_
  std::array<std::vector<uint8_t*>, kClasses> kept_;  // guarded by mutex_; by log2(size / 1 KiB)
};

}  // namespace playhead::decode
