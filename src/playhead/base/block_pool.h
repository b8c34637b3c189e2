#pragma once

#include <arrow/memory_pool.h>
#include <arrow/type_fwd.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace playhead {

/// Recycles memory: a block handed out in a batch comes back when the batch is dropped.
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
  /// The one that all ingest of this process shares, so that what one step gives back serves the
  /// next.
  static const std::shared_ptr<BlockPool>& OfProcess();
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// A block of at least `bytes`, with arbitrary contents, aligned for SIMD.
  Block Take(int64_t bytes);
  void Give(Block block);
  /// Bytes of the block that Take(`bytes`) hands out.
  static int64_t BlockBytes(int64_t bytes);

  /// The first `size` bytes of the block as a buffer that gives the block back when it is dropped;
  /// it keeps the pool alive.
  std::shared_ptr<arrow::Buffer> Wrap(Block block, int64_t size);

 private:
  static constexpr int kClasses = 40;

  explicit BlockPool(int64_t kept_bytes_max) : kept_bytes_max_(kept_bytes_max) {}

  static int ClassOf(int64_t bytes);

  const int64_t kept_bytes_max_;
  std::mutex mutex_;
  int64_t kept_bytes_ = 0;                            // guarded by mutex_
  std::array<std::vector<uint8_t*>, kClasses> kept_;  // guarded by mutex_; by log2(size / 1 KiB)
};

/// Bytes that grow by doubling, in blocks of a pool.
class GrowingBytes {
 public:
  explicit GrowingBytes(BlockPool* pool) : pool_(pool) {}
  ~GrowingBytes() { pool_->Give(block_); }
  GrowingBytes(GrowingBytes&& other) noexcept
      : pool_(other.pool_), block_(std::exchange(other.block_, {})) {}
  GrowingBytes& operator=(GrowingBytes&&) = delete;

  uint8_t* data() { return block_.data; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(block_.data);
  }
  template <typename T>
  const T* as() const {
    return reinterpret_cast<const T*>(block_.data);
  }
  int64_t capacity() const { return block_.bytes; }

  /// Makes room for `bytes`, keeping the first `used`.
  void Reserve(int64_t bytes, int64_t used) {
    if (bytes > block_.bytes) Grow(bytes, used);
  }
  /// The first `size` bytes; this object is empty afterwards.
  std::shared_ptr<arrow::Buffer> Take(int64_t size) {
    return pool_->Wrap(std::exchange(block_, {}), size);
  }

 private:
  void Grow(int64_t bytes, int64_t used);

  BlockPool* pool_;
  BlockPool::Block block_;
};

/// A block pool as Arrow wants its memory; for Parquet's encoders, which ask for the same sizes for
/// every column of every row group.
class BlockMemory final : public arrow::MemoryPool {
 public:
  explicit BlockMemory(std::shared_ptr<BlockPool> pool) : pool_(std::move(pool)) {}

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override;
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** data) override;
  void Free(uint8_t* data, int64_t size, int64_t alignment) override;
  int64_t bytes_allocated() const override { return stats_.bytes_allocated(); }
  int64_t max_memory() const override { return stats_.max_memory(); }
  int64_t total_bytes_allocated() const override { return stats_.total_bytes_allocated(); }
  int64_t num_allocations() const override { return stats_.num_allocations(); }
  std::string backend_name() const override { return "playhead"; }

 private:
  std::shared_ptr<BlockPool> pool_;
  arrow::internal::MemoryPoolStats stats_;
};

}  // namespace playhead
