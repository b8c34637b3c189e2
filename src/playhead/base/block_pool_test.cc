#include "playhead/base/block_pool.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <thread>
#include <vector>

namespace playhead {
namespace {

TEST(BlockPool, BlocksArePowersOfTwoFromOneKib) {
  EXPECT_EQ(BlockPool::BlockBytes(0), 1024);
  EXPECT_EQ(BlockPool::BlockBytes(1024), 1024);
  EXPECT_EQ(BlockPool::BlockBytes(1025), 2048);
  EXPECT_EQ(BlockPool::BlockBytes(3 << 20), 4 << 20);
}

TEST(BlockPool, WhatCameBackIsHandedOutAgain) {
  const auto pool = BlockPool::Make();
  for (const int64_t bytes : {int64_t{1024}, int64_t{64} << 10, int64_t{4} << 20}) {
    const BlockPool::Block block = pool->Take(bytes);
    pool->Give(block);
    const BlockPool::Block again = pool->Take(bytes);
    EXPECT_EQ(again.data, block.data);
    EXPECT_EQ(again.bytes, bytes);
    pool->Give(again);
  }
}

TEST(BlockPool, ABufferGivesItsBlockBack) {
  auto pool = BlockPool::Make();
  const BlockPool::Block block = pool->Take(4096);
  auto buffer = pool->Wrap(block, 10);
  EXPECT_EQ(buffer->size(), 10);
  pool.reset();  // the buffer keeps it
  std::memset(block.data, 1, 10);
  buffer.reset();
}

TEST(BlockPool, ServesManyThreads) {
  const auto pool = BlockPool::Make();
  std::vector<std::jthread> threads;
  for (uint8_t mark = 1; mark <= 4; ++mark) {
    threads.emplace_back([&, mark] {
      std::mt19937 random(mark);
      for (int i = 0; i < 2'000; ++i) {
        const BlockPool::Block block = pool->Take(1 << random() % 15);
        std::memset(block.data, mark, static_cast<size_t>(block.bytes));
        ASSERT_EQ(block.data[block.bytes - 1], mark);
        pool->Give(block);
      }
    });
  }
}

}  // namespace
}  // namespace playhead
