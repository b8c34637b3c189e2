#include "playhead/base/bounded_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <thread>

namespace playhead {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

bool TryPush(BoundedQueue<int>& queue, int item, int64_t cost = 1) {
  return queue.TryPush(item, cost);
}

TEST(BoundedQueue, RefusesWhatDoesNotFitButNeverAnItemOnItsOwn) {
  BoundedQueue<int> queue(10);
  EXPECT_TRUE(TryPush(queue, 1, 8));
  EXPECT_FALSE(TryPush(queue, 2, 3));
  EXPECT_TRUE(TryPush(queue, 3, 2));
  EXPECT_EQ(queue.cost(), 10);
  EXPECT_EQ(queue.Pop({}), 1);
  EXPECT_EQ(queue.Pop({}), 3);
  EXPECT_TRUE(TryPush(queue, 4, 1000));
  EXPECT_FALSE(TryPush(queue, 5, 1));
}

TEST(BoundedQueue, RefusedItemStaysWithTheCaller) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  auto first = std::make_unique<int>(1);
  auto second = std::make_unique<int>(2);
  EXPECT_TRUE(queue.TryPush(first));
  EXPECT_FALSE(queue.TryPush(second));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(*second, 2);
}

TEST(BoundedQueue, GroupTakesAtLeastOneAndStopsAtItsCost) {
  BoundedQueue<int> queue(100);
  for (int i = 1; i <= 4; ++i) TryPush(queue, i, int64_t{10} * i);
  EXPECT_THAT(queue.PopGroup(seconds(0), 35), ElementsAre(1, 2));
  EXPECT_THAT(queue.PopGroup(seconds(0), 5), ElementsAre(3));
  EXPECT_THAT(queue.PopGroup(seconds(0), 1000), ElementsAre(4));
  EXPECT_THAT(queue.PopGroup(milliseconds(1), 1000), IsEmpty());
  EXPECT_EQ(queue.cost(), 0);
}

TEST(BoundedQueue, PushWaitsForRoom) {
  BoundedQueue<int> queue(1);
  EXPECT_TRUE(queue.Push(1, {}));
  std::jthread producer([&](std::stop_token stop) { EXPECT_TRUE(queue.Push(2, stop)); });
  EXPECT_EQ(queue.Pop({}), 1);
  EXPECT_EQ(queue.Pop({}), 2);
}

TEST(BoundedQueue, StopEndsBothWaits) {
  BoundedQueue<int> full(1);
  EXPECT_TRUE(full.Push(1, {}));
  BoundedQueue<int> empty(1);
  std::jthread producer([&](std::stop_token stop) { EXPECT_FALSE(full.Push(2, stop)); });
  std::jthread consumer([&](std::stop_token stop) { EXPECT_EQ(empty.Pop(stop), std::nullopt); });
  producer.request_stop();
  consumer.request_stop();
}

TEST(BoundedQueue, ClosedQueueIsEmptiedAndTakesNothing) {
  BoundedQueue<int> queue(10);
  TryPush(queue, 1);
  queue.Close();
  EXPECT_TRUE(queue.is_closed());
  EXPECT_FALSE(TryPush(queue, 2));
  EXPECT_FALSE(queue.Push(3, {}));
  EXPECT_EQ(queue.Pop({}), 1);
  EXPECT_EQ(queue.Pop({}), std::nullopt);
  EXPECT_THAT(queue.PopGroup(seconds(60), 10), IsEmpty());
}

}  // namespace
}  // namespace playhead
