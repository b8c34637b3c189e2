#include "playhead/sim/event_queue.h"

#include "playhead/sim/random.h"

#include <gtest/gtest.h>

namespace playhead::sim {
namespace {

TEST(EventQueue, TurnsComeInOrderOfTimeThenOfNumber) {
  EventQueue queue;
  Random random(1, "test");
  for (uint32_t who = 0; who < 300; ++who) queue.Push(random.Between(0, 50), who);
  EventQueue::Turn last{-1, 0};
  for (int turns = 0; turns < 2000; ++turns) {
    EXPECT_LT(last, queue.top());
    last = queue.top();
    queue.MoveTop(last.time_ms + 1 + random.Between(0, 50));
  }
  while (!queue.empty()) {
    EXPECT_LT(last, queue.top());
    last = queue.top();
    queue.Pop();
  }
}

}  // namespace
}  // namespace playhead::sim
