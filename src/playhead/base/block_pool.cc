#include "playhead/base/block_pool.h"

#include "playhead/base/status.h"

#include <arrow/buffer.h>
#include <arrow/status.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace playhead {
namespace {

constexpr int64_t kHugePageBytes = 2 << 20;
constexpr int64_t kPageBytes = 4 << 10;
constexpr int64_t kPresentBytesMin = 64 << 10;
constexpr int64_t kAlignment = 64;

uint8_t* Allocate(int64_t bytes) {
  int64_t alignment = kAlignment;
  if (bytes >= kPresentBytesMin) alignment = kPageBytes;
  if (bytes >= kHugePageBytes) alignment = kHugePageBytes;
  void* data = std::aligned_alloc(static_cast<size_t>(alignment), static_cast<size_t>(bytes));
  PH_CHECK(data != nullptr);
  // Fewer faults than one for each page: a huge page is one, smaller blocks are made present by one
  // call. A kernel that knows neither refuses, which changes nothing.
  if (bytes >= kHugePageBytes) {
    madvise(data, static_cast<size_t>(bytes), MADV_HUGEPAGE);
  } else if (bytes >= kPresentBytesMin) {
    madvise(data, static_cast<size_t>(bytes), MADV_POPULATE_WRITE);
  }
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

int BlockPool::ClassOf(int64_t bytes) {
  const auto rounded = std::bit_ceil(static_cast<uint64_t>(std::max(bytes, kBlockBytesMin)));
  return std::countr_zero(rounded) - std::countr_zero(uint64_t{kBlockBytesMin});
}

int64_t BlockPool::BlockBytes(int64_t bytes) { return kBlockBytesMin << ClassOf(bytes); }

const std::shared_ptr<BlockPool>& BlockPool::OfProcess() {
  static const std::shared_ptr<BlockPool> kPool = Make(128LL << 20);
  return kPool;
}

std::shared_ptr<BlockPool> BlockPool::Make(int64_t kept_bytes_max) {
  return std::shared_ptr<BlockPool>(new BlockPool(kept_bytes_max));
}

BlockPool::~BlockPool() {
  for (auto& blocks : kept_) {
    for (uint8_t* data : blocks) std::free(data);
  }
}

BlockPool::Block BlockPool::Take(int64_t bytes) {
  int size_class = ClassOf(bytes);
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

void GrowingBytes::Grow(int64_t bytes, int64_t used) {
  BlockPool::Block block = pool_->Take(std::max(bytes, 2 * block_.bytes));
  if (used > 0) std::memcpy(block.data, block_.data, static_cast<size_t>(used));
  pool_->Give(block_);
  block_ = block;
}

arrow::Status BlockMemory::Allocate(int64_t size, int64_t alignment, uint8_t** out) {
  if (size < 0 || alignment > kAlignment) return arrow::Status::Invalid("no such allocation");
  *out = pool_->Take(size).data;
  stats_.DidAllocateBytes(size);
  return arrow::Status::OK();
}

arrow::Status BlockMemory::Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                                      uint8_t** data) {
  if (BlockPool::BlockBytes(old_size) != BlockPool::BlockBytes(new_size)) {
    uint8_t* moved = nullptr;
    ARROW_RETURN_NOT_OK(Allocate(new_size, alignment, &moved));
    std::memcpy(moved, *data, static_cast<size_t>(std::min(old_size, new_size)));
    Free(*data, old_size, alignment);
    *data = moved;
    return arrow::Status::OK();
  }
  stats_.DidReallocateBytes(old_size, new_size);
  return arrow::Status::OK();
}

void BlockMemory::Free(uint8_t* data, int64_t size, int64_t /*alignment*/) {
  pool_->Give({data, BlockPool::BlockBytes(size)});
  stats_.DidFreeBytes(size);
}

}  // namespace playhead
