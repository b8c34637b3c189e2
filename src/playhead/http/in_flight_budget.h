#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace playhead::http {

/// Bounds the bytes of all request bodies in memory, as sent and as unpacked. Threads: any.
class InFlightBudget {
 public:
  explicit InFlightBudget(int64_t bytes_max) : bytes_max_(bytes_max) {}
  int64_t bytes() const { return bytes_; }
  int64_t bytes_max() const { return bytes_max_; }

 private:
  friend class InFlightShare;
  bool TryTake(int64_t bytes) {
    if (bytes_.fetch_add(bytes) + bytes <= bytes_max_) return true;
    bytes_ -= bytes;
    return false;
  }
  void Give(int64_t bytes) { bytes_ -= bytes; }

  const int64_t bytes_max_;
  std::atomic<int64_t> bytes_ = 0;
};

/// What one request holds of the budget; given back with its end. Threads: one at a time.
class InFlightShare {
 public:
  explicit InFlightShare(InFlightBudget& budget) : budget_(&budget) {}
  ~InFlightShare() { budget_->Give(bytes_); }
  InFlightShare(InFlightShare&& other) noexcept
      : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
  InFlightShare& operator=(InFlightShare&&) = delete;

  /// Takes what is missing to hold `bytes`. False, with nothing changed, when the budget has not
  /// got it.
  bool GrowTo(int64_t bytes) {
    if (bytes <= bytes_) return true;
    if (!budget_->TryTake(bytes - bytes_)) return false;
    bytes_ = bytes;
    return true;
  }
  int64_t bytes() const { return bytes_; }

 private:
  InFlightBudget* budget_;
  int64_t bytes_ = 0;
};

}  // namespace playhead::http
