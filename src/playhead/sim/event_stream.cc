#include "playhead/sim/event_stream.h"

#include "playhead/sim/calendar.h"

#include <optional>
#include <utility>

namespace playhead::sim {

FaultyEvents::FaultyEvents(EventSource& source, const SimOptions& options)
    : source_(source),
      options_(options),
      random_(options.seed, "faults"),
      fault_share_(FaultShare(options.faults)),
      truths_(source.streams().size()) {}

const Delivery* FaultyEvents::Peek(size_t only) {
  if (!has_next_) PlanNext(only);
  is_delayed_first_ = !delayed_.empty() && (!has_next_ || delayed_.top().due_ms <= next_.due_ms);
  if (is_delayed_first_) return &delayed_.top();
  return has_next_ ? &next_ : nullptr;
}

void FaultyEvents::Accept() {
  if (is_delayed_first_) {
    Count(delayed_.top());
    delayed_.pop();
    return;
  }
  Count(next_);
  has_next_ = false;
  if (next_.fault == Fault::kDuplicate) PlanRepeat();
}

// Takes events from the source until one is to arrive at its own time.
void FaultyEvents::PlanNext(size_t only) {
  while (!is_source_done_ && !has_next_) {
    if (!HasRoomForOneMore()) {
      is_source_done_ = true;
      return;
    }
    if (!source_.Next(next_.event) ||
        (options_.to_us != 0 && next_.event.time_ms >= options_.to_us / 1000)) {
      is_source_done_ = true;
      return;
    }
    if (only == kAllStreams || next_.event.stream == only) PlanDelivery();
  }
}

void FaultyEvents::PlanDelivery() {
  next_.due_ms = next_.event.time_ms;
  next_.sequence = ++sequence_;
  next_.fault = Fault::kNone;
  next_.dead_reason = {};
  ++planned_;
  has_next_ = true;
  if (fault_share_ == 0 || random_.Below(kFaultShareUnits) >= fault_share_) return;

  next_.fault = DrawFault(random_);
  if (next_.fault == Fault::kDuplicate) {
    // The copy needs its place among the records as well.
    if (HasRoomForOneMore()) {
      ++planned_;
    } else {
      next_.fault = Fault::kNone;
    }
  } else if (next_.fault == Fault::kLate) {
    next_.due_ms += kMillisPerMinute + random_.Exponential(3 * kMillisPerHour);
    delayed_.push(next_);
    has_next_ = false;
  } else {
    const StreamShape& shape = source_.streams()[next_.event.stream];
    next_.dead_reason = ApplyFault(next_.fault, shape.fault_fields, random_, next_.event.text);
  }
}

void FaultyEvents::PlanRepeat() {
  Delivery repeat = next_;
  repeat.due_ms += random_.Exponential(5 * kMillisPerSecond);
  repeat.sequence = ++sequence_;
  repeat.is_repeat = true;
  delayed_.push(std::move(repeat));
}

void FaultyEvents::Count(const Delivery& delivery) {
  const bool is_good = delivery.dead_reason.empty();
  StreamTruth& truth = truths_[delivery.event.stream];
  ++truth.records;
  ++(is_good ? truth.good : truth.dead);
  if (!is_good) ++truth.dead_reasons[std::string(delivery.dead_reason)];
  // Of a duplicate the copy is the fault, the first record is as any other.
  if (delivery.fault != Fault::kNone &&
      (delivery.fault != Fault::kDuplicate || delivery.is_repeat)) {
    FaultCount& fault = truth.faults[std::string(FaultName(delivery.fault))];
    ++(is_good ? fault.good : fault.dead);
  }
  if (is_good) source_.Count(delivery.event, delivery.is_repeat);
}

namespace {

class EventSimulator final : public Simulator {
 public:
  EventSimulator(std::string project, std::unique_ptr<EventSource> source,
                 const SimOptions& options)
      : project_(std::move(project)),
        source_(std::move(source)),
        options_(options),
        events_(*source_, options) {}

  std::vector<std::string> streams() const override {
    std::vector<std::string> names;
    for (const StreamShape& stream : source_->streams()) names.push_back(stream.name);
    return names;
  }

  Result<int64_t> Generate(std::string_view stream, int64_t count, const Sink& sink) override {
    PH_ASSIGN_OR_RETURN(const size_t only, FindStream(stream));
    if (!only_) only_ = only;
    if (*only_ != only) {
      return Error(StatusCode::kInvalidArgument,
                   "a simulator makes one stream, or all: project={} stream={}", project_, stream);
    }
    for (int64_t made = 0; made < count; ++made) {
      const Delivery* next = events_.Peek(only);
      if (next == nullptr) return made;
      PH_RETURN_IF_ERROR(sink(source_->streams()[next->event.stream].name, next->event.text));
      events_.Accept();
    }
    return count;
  }

  Status WriteLandingFiles(const std::string& /*folder*/) override { return OkStatus(); }

  std::string TruthJson() const override {
    Truth truth{.project = project_, .options = options_, .streams = {}, .answers = {}};
    for (size_t i = 0; i < source_->streams().size(); ++i) {
      StreamTruth& stream = truth.streams[source_->streams()[i].name];
      stream = events_.truth(i);
      stream.partitions = source_->Partitions(i);
    }
    truth.answers = source_->Answers();
    return TruthText(truth);
  }

 private:
  Result<size_t> FindStream(std::string_view name) const {
    if (name.empty()) return FaultyEvents::kAllStreams;
    std::string known;
    for (size_t i = 0; i < source_->streams().size(); ++i) {
      const std::string& stream = source_->streams()[i].name;
      if (stream == name) return i;
      known += (known.empty() ? "" : ", ") + stream;
    }
    return Error(StatusCode::kNotFound, "no such stream: project={} stream={} streams={}", project_,
                 name, known);
  }

  std::string project_;
  std::unique_ptr<EventSource> source_;
  SimOptions options_;
  FaultyEvents events_;
  std::optional<size_t> only_;
};

}  // namespace

std::unique_ptr<Simulator> MakeEventSimulator(std::string project,
                                              std::unique_ptr<EventSource> source,
                                              const SimOptions& options) {
  return std::make_unique<EventSimulator>(std::move(project), std::move(source), options);
}

}  // namespace playhead::sim
