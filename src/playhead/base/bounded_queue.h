#pragma once

#include "playhead/base/thread_annotations.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

namespace playhead {

/// A first-in, first-out queue between threads whose items cost something (bytes, or 1 each) and
/// whose total cost is bounded. An item that alone costs more than the bound still fits an empty
/// queue, so that it cannot wait forever. Threads: any.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(int64_t cost_max) : cost_max_(cost_max) {}

  /// Leaves `item` alone and returns false when the queue is full or closed.
  bool TryPush(T& item, int64_t cost = 1) {
    const std::lock_guard lock(mutex_);
    if (is_closed_ || !Fits(cost)) return false;
    Add(std::move(item), cost);
    return true;
  }

  /// Waits for room. False when the queue was closed or `stop` was requested first.
  bool Push(T item, std::stop_token stop, int64_t cost = 1) {
    std::unique_lock lock(mutex_);
    if (!has_room_.wait(lock, stop, [&] { return is_closed_ || Fits(cost); })) return false;
    if (is_closed_) return false;
    Add(std::move(item), cost);
    return true;
  }

  /// Waits for an item. None when `stop` was requested, or the queue is closed and empty.
  std::optional<T> Pop(std::stop_token stop) {
    std::unique_lock lock(mutex_);
    has_items_.wait(lock, stop, [&] { return is_closed_ || !items_.empty(); });
    if (items_.empty() || stop.stop_requested()) return std::nullopt;
    return Take();
  }

  /// Waits up to `wait` for an item, then takes items as long as their cost stays within
  /// `cost_max`, at least one. Empty when there was none in time.
  template <typename Duration>
  std::vector<T> PopGroup(Duration wait, int64_t cost_max) {
    std::unique_lock lock(mutex_);
    has_items_.wait_for(lock, wait, [&] { return is_closed_ || !items_.empty(); });
    std::vector<T> group;
    int64_t group_cost = 0;
    while (!items_.empty() && (group.empty() || group_cost + items_.front().cost <= cost_max)) {
      group_cost += items_.front().cost;
      group.push_back(Take());
    }
    return group;
  }

  /// Nothing more can be pushed; what is in can still be popped.
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
    }
    has_items_.notify_all();
    has_room_.notify_all();
  }

  bool is_closed() const {
    const std::lock_guard lock(mutex_);
    return is_closed_;
  }
  int64_t cost() const {
    const std::lock_guard lock(mutex_);
    return cost_;
  }

 private:
  struct Item {
    T value;
    int64_t cost;
  };

  bool Fits(int64_t cost) const { return items_.empty() || cost_ + cost <= cost_max_; }
  void Add(T item, int64_t cost) {
    items_.push_back({std::move(item), cost});
    cost_ += cost;
    has_items_.notify_one();
  }
  T Take() {
    Item item = std::move(items_.front());
    items_.pop_front();
    cost_ -= item.cost;
    has_room_.notify_all();
    return std::move(item.value);
  }

  const int64_t cost_max_;
  mutable std::mutex mutex_;
  std::condition_variable_any has_items_;
  std::condition_variable_any has_room_;
  std::deque<Item> items_ PH_GUARDED_BY(mutex_);
  int64_t cost_ PH_GUARDED_BY(mutex_) = 0;
  bool is_closed_ PH_GUARDED_BY(mutex_) = false;
};

}  // namespace playhead
