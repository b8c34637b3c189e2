#include "playhead/decode/block_pool.h"

#include "playhead/base/status.h"

#include <arrow/buffer.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

namespace playhead::decode {
namespace {

constexpr int64_t kHugePageBytes = 2 << 20;
constexpr size_t kAlignment = 64;

int ClassOf(int64_t bytes) {
  auto rounded = std::bit_ceil(static_cast<uint64_t>(bytes));
  return std::countr_zero(rounded) - std::countr_zero(uint64_t{BlockPool::kBlockBytesMin});
}

uint8_t* Allocate(int64_t bytes) {
  auto alignment = bytes >= kHugePageBytes ? static_cast<size_t>(kHugePageBytes) : kAlignment;
  void* data = std::aligned_alloc(alignment, static_cast<size_t>(bytes));
  PH_CHECK(data != nullptr);
  // One fault instead of 512; a kernel without huge pages refuses, which changes nothing.
  if (bytes >= kHugePageBytes) madvise(data, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  return static_cast<uint8_t*>(data);
}

class PooledBuffer : public arrow::Buffer {
 public:
  PooledBuffer(std::shared_ptr<BlockPool> pool, BlockPool::Block block, int64_t size)
      : arrow::Buffer(block.data, size), pool_(std::move(pool)), block_(block) {}
  ~PooledBuffer() override { pool_->Give(block_); }

 private:
  std::shared_ptr<BlockPool> pool_;
  BlockPool::Block block_;
};

}  // namespace

std::shared_ptr<BlockPool> BlockPool::Make(int64_t kept_bytes_max) {
  return std::shared_ptr<BlockPool>(new BlockPool(kept_bytes_max));
}

BlockPool::~BlockPool() {
  for (auto& blocks : kept_) {
    for (uint8_t* data : blocks) std::free(data);
  }
}

BlockPool::Block BlockPool::Take(int64_t bytes) {
  int size_class = ClassOf(std::max(bytes, kBlockBytesMin));
  int64_t block_bytes = kBlockBytesMin << size_class;
  {
    std::lock_guard lock(mutex_);
    auto& blocks = kept_[static_cast<size_t>(size_class)];
    if (!blocks.empty()) {
      uint8_t* data = blocks.back();
      blocks.pop_back();
      kept_bytes_ -= block_bytes;
      return {data, block_bytes};
    }
  }
  return {Allocate(block_bytes), block_bytes};
}

void BlockPool::Give(Block block) {
  if (block.data == nullptr) return;
  {
    std::lock_guard lock(mutex_);
    if (kept_bytes_ + block.bytes <= kept_bytes_max_) {
      kept_[static_cast<size_t>(ClassOf(block.bytes))].push_back(block.data);
      kept_bytes_ += block.bytes;
      return;
    }
  }
  std::free(block.data);
}

std::shared_ptr<arrow::Buffer> BlockPool::Wrap(Block block, int64_t size) {
  return std::make_shared<PooledBuffer>(shared_from_this(), block, size);
}

}  // namespace playhead::decode
