#include "playhead/ingest/epoch_writer.h"

#include "playhead/base/logging.h"

#include <algorithm>
#include <utility>

namespace playhead::ingest {

EpochWriter::EpochWriter(const Lake& lake, std::stop_token stop, bool waits_for_room)
    : lake_(lake),
      stop_(std::move(stop)),
      waits_for_room_(waits_for_room),
      thread_([this](const std::stop_token& own) { Loop(own); }) {}

EpochWriter::~EpochWriter() {
  thread_.request_stop();
  thread_.join();
}

Status EpochWriter::Begin(EpochBuilder epoch) { return Put(std::move(epoch)); }

Status EpochWriter::Write(decode::DecodedRows rows) { return Put(std::move(rows)); }

Status EpochWriter::End(EpochEnd end) { return Put(std::move(end)); }

Status EpochWriter::Put(Item item) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return waiting_.size() < kWaitingMax || !failure_.ok(); });
  if (!failure_.ok()) {
    // Discard() is to know of an epoch that was begun.
    if (std::holds_alternative<EpochBuilder>(item)) waiting_.push_back(std::move(item));
    return failure_;
  }
  waiting_.push_back(std::move(item));
  changed_.notify_all();
  return {};
}

Status EpochWriter::Wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return (waiting_.empty() && !is_working_) || !failure_.ok(); });
  return failure_;
}

Status EpochWriter::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void EpochWriter::Discard() {
  std::vector<std::string> plans;
  {
    std::unique_lock lock(mutex_);
    std::deque<Item> dropped = std::exchange(waiting_, {});
    changed_.wait(lock, [this] { return !is_working_; });
    for (const Item& item : dropped) {
      if (const auto* begun = std::get_if<EpochBuilder>(&item)) plans.push_back(begun->plan_id());
    }
    if (epoch_) plans.push_back(epoch_->plan_id());
    epoch_.reset();
    bytes_ = 0;
    failure_ = {};
  }
  table::Committer committer(lake_.catalog, lake_.store, lake_.warehouse_uri, lake_.clock);
  for (const std::string& plan : plans) {
    const Status discarded = committer.Discard(plan);
    if (!discarded.ok()) {
      logging::Warn("ingest", "staged files stay until the next start",
                    {{"plan", plan}, {"why", discarded.ToString()}});
    }
  }
}

void EpochWriter::Loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (changed_.wait(lock, stop, [this] { return !waiting_.empty() && failure_.ok(); })) {
    if (stop.stop_requested()) return;
    Item item = std::move(waiting_.front());
    waiting_.pop_front();
    is_working_ = true;
    changed_.notify_all();
    lock.unlock();
    Status status = Do(std::move(item));
    lock.lock();
    is_working_ = false;
    if (!status.ok()) failure_ = std::move(status);
    changed_.notify_all();
  }
}

Status EpochWriter::Do(Item item) {
  if (auto* begun = std::get_if<EpochBuilder>(&item)) {
    epoch_.emplace(std::move(*begun));
    return {};
  }
  if (auto* rows = std::get_if<decode::DecodedRows>(&item)) {
    PH_RETURN_IF_ERROR(epoch_->Take(std::move(*rows)));
    bytes_ = epoch_->bytes();
    return {};
  }
  return Commit(std::get<EpochEnd>(std::move(item)));
}

Status EpochWriter::Commit(EpochEnd end) {
  PH_ASSIGN_OR_RETURN(table::Epoch epoch, epoch_->Finish(end.stem));
  epoch.ranges = std::move(end.ranges);
  PH_RETURN_IF_ERROR(
      CommitPatiently(lake_, end.summary.stream, epoch, stop_, waits_for_room_).status());
  // An epoch begins while the one before is written; that time counts once.
  const int64_t now_ticks = lake_.clock.TicksMicros();
  end.summary.seconds =
      static_cast<double>(now_ticks - std::max(end.started_ticks, last_commit_ticks_)) / 1e6;
  end.summary.dead_by_reason = epoch_->dead_by_reason();
  lake_.board.Add(end.summary);
  logging::Debug(
      "ingest", "committed",
      {{"stream", end.summary.stream}, {"rows", end.summary.good}, {"dead", end.summary.dead}});
  last_commit_ticks_ = now_ticks;
  epoch_.reset();
  bytes_ = 0;
  ++commits_;
  return {};
}

}  // namespace playhead::ingest
