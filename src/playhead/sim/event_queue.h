#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace playhead::sim {

/// Who acts next: a heap with one instant for everybody who is in it. Of equal instants the smaller
/// number goes first, so the order does not depend on the heap's history.
class EventQueue {
 public:
  struct Turn {
    int64_t time_ms = 0;
    uint32_t who = 0;
    auto operator<=>(const Turn&) const = default;
  };

  bool empty() const { return heap_.empty(); }
  const Turn& top() const { return heap_.front(); }

  void Push(int64_t time_ms, uint32_t who) {
    size_t hole = heap_.size();
    const Turn turn{time_ms, who};
    heap_.push_back(turn);
    while (hole > 0 && turn < heap_[(hole - 1) / 2]) {
      heap_[hole] = heap_[(hole - 1) / 2];
      hole = (hole - 1) / 2;
    }
    heap_[hole] = turn;
  }

  /// The first one acts again at `time_ms`.
  void MoveTop(int64_t time_ms) { Sink(Turn{time_ms, top().who}); }

  /// The first one never acts again.
  void Pop() {
    const Turn last = heap_.back();
    heap_.pop_back();
    if (!heap_.empty()) Sink(last);
  }

 private:
  // Puts `turn` in the place of the first.
  void Sink(Turn turn) {
    size_t hole = 0;
    for (size_t child; (child = 2 * hole + 1) < heap_.size(); hole = child) {
      if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
      if (turn <= heap_[child]) break;
      heap_[hole] = heap_[child];
    }
    heap_[hole] = turn;
  }

  std::vector<Turn> heap_;
};

}  // namespace playhead::sim
