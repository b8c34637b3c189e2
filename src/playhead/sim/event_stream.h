#pragma once

#include "playhead/sim/faults.h"
#include "playhead/sim/simulator.h"
#include "playhead/sim/truth.h"

#include <array>
#include <cstdint>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::sim {

/// One thing that happened, as the record that tells of it.
struct Event {
  size_t stream = 0;    ///< index into EventSource::streams()
  int64_t time_ms = 0;  ///< since 1970, UTC
  std::string text;     ///< a JSON object on one line, without the line break
  /// What the source wants back when the record is counted; the meaning is its own.
  std::array<int64_t, 7> facts{};
};

struct StreamShape {
  std::string name;
  FaultFields fault_fields;
};

/// A project's viewers and how they behave when nothing goes wrong; counts what it is told arrived.
class EventSource {
 public:
  virtual ~EventSource() = default;
  /// In name order.
  virtual const std::vector<StreamShape>& streams() const = 0;
  /// Fills `event` with the next one, in time order over all streams; reuses its memory. False:
  /// nobody is left to do anything.
  virtual bool Next(Event& event) = 0;
  /// A record of this event became a good row. `is_repeat`: not for the first time.
  virtual void Count(const Event& event, bool is_repeat) = 0;
  /// Good rows so far by partition of the stream's table, in key order.
  virtual std::vector<PartitionCount> Partitions(size_t stream) const = 0;
  virtual std::vector<Answer> Answers() const = 0;
};

/// A record as it arrives.
struct Delivery {
  int64_t due_ms = 0;    ///< when it arrives
  int64_t sequence = 0;  ///< of equal due times the first planned comes first
  Event event;
  Fault fault = Fault::kNone;
  bool is_repeat = false;
  std::string_view dead_reason;  ///< empty: must become a good row
};

/// Takes events from a source until `events` are planned or `to_us` is reached, makes a share of
/// them faulty, and hands all out in the order in which they arrive: late and repeated ones at
/// their time, those still under way at the end. Keeps the counts.
class FaultyEvents {
 public:
  static constexpr size_t kAllStreams = SIZE_MAX;

  FaultyEvents(EventSource& source, const SimOptions& options);

  /// The next record of stream `only`, null at the end; the same until Accept() is called.
  const Delivery* Peek(size_t only = kAllStreams);
  /// Counts the record last returned by Peek() as arrived and goes on.
  void Accept();

  /// What arrived of a stream so far, without partitions.
  const StreamTruth& truth(size_t stream) const { return truths_[stream]; }

 private:
  struct ArrivesLater {  // the queue's top is the largest
    bool operator()(const Delivery& a, const Delivery& b) const {
      return a.due_ms != b.due_ms ? a.due_ms > b.due_ms : a.sequence > b.sequence;
    }
  };

  bool HasRoomForOneMore() const { return options_.events == 0 || planned_ < options_.events; }
  void PlanNext(size_t only);
  void PlanDelivery();
  void PlanRepeat();
  void Count(const Delivery& delivery);

  EventSource& source_;
  SimOptions options_;
  Random random_;
  uint64_t fault_share_;
  std::vector<StreamTruth> truths_;

  std::priority_queue<Delivery, std::vector<Delivery>, ArrivesLater> delayed_;
  Delivery next_;
  bool has_next_ = false;
  bool is_delayed_first_ = false;  // of what Peek() returned
  bool is_source_done_ = false;
  int64_t planned_ = 0;  // accepted, next and delayed
  int64_t sequence_ = 0;
};

/// A simulator of event streams without landing files.
std::unique_ptr<Simulator> MakeEventSimulator(std::string project,
                                              std::unique_ptr<EventSource> source,
                                              const SimOptions& options);

}  // namespace playhead::sim
