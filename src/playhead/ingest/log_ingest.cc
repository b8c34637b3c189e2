#include "playhead/ingest/log_ingest.h"

#include "playhead/base/hash.h"
#include "playhead/base/logging.h"

#include <algorithm>
#include <utility>

namespace playhead::ingest {
namespace {

constexpr int64_t kPartitionSearchMicros = 5'000'000;
constexpr int64_t kRetryPauseMicros = 500'000;
constexpr int64_t kLagMicros = 1'000'000;
constexpr int kIdleWaitMs = 200;

bool IsTransient(const Status& status) {
  return status.code() == StatusCode::kUnavailable ||
         status.code() == StatusCode::kResourceExhausted;
}

}  // namespace

LogIngest::LogIngest(const Lake& lake, const IngestStream& stream, log::LogReader& reader,
                     LogIngestOptions options)
    : lake_(lake), stream_(stream), reader_(reader), options_(std::move(options)) {}

Status LogIngest::Run(std::stop_token stop) {
  PH_ASSIGN_OR_RETURN(decoder_, decode::RecordDecoder::Make(stream_.row_schema));
  writer_ = std::make_unique<EpochWriter>(lake_, stop, !options_.once);
  if (options_.once) PH_RETURN_IF_ERROR(FindPartitions());
  int64_t searched_ticks = lake_.clock.TicksMicros();
  bool is_waiting = false;
  bool is_rewind_due = !options_.once;
  bool is_done = !options_.once;
  while (!stop.stop_requested()) {
    if (!options_.once && lake_.clock.TicksMicros() - searched_ticks > kPartitionSearchMicros) {
      const Status found = FindPartitions();
      // A log that is away is looked at again the next time.
      if (!found.ok() && !IsTransient(found)) return found;
      searched_ticks = lake_.clock.TicksMicros();
    }
    const bool is_at_end = options_.once && !is_rewind_due && ReachedEnds();
    Status status = is_rewind_due ? Rewind() : is_at_end ? Settle() : Step();
    if (status.ok() && is_at_end) {
      is_done = true;
      break;
    }
    // A commit waits; the board says for what.
    if (status.code() == StatusCode::kCancelled) return options_.once ? status : Status();
    if (status.ok()) is_rewind_due = false;
    if (status.code() == StatusCode::kConflict) {
      is_rewind_due = true;
    } else if (options_.once && status.code() == StatusCode::kResourceExhausted) {
      DropEpochs();
      return status.WithContext("the disk is full; nothing is lost, run it again when it has room");
    } else if (IsTransient(status)) {
      is_waiting = true;
      lake_.board.Hold(stream_.name, status.ToString());
      logging::Warn("ingest", "stream waits",
                    {{"stream", stream_.name}, {"why", status.ToString()}});
      // What was staged may be incomplete (a full disk), so the epochs are read again from the log.
      DropEpochs();
      is_rewind_due = true;
      SleepUnlessStopped(stop, kRetryPauseMicros);
    } else if (!status.ok()) {
      return status;
    } else if ((is_waiting && !parts_.empty()) || commits_shown_ != writer_->commits()) {
      is_waiting = false;
      commits_shown_ = writer_->commits();
      ShowStopped();
    }
  }
  Status settled = Settle();
  if (settled.code() == StatusCode::kCancelled && !options_.once) return {};
  // The head moved under the last epoch: the next start reads its rows again, from where it stands.
  if (settled.code() == StatusCode::kConflict) settled = {};
  PH_RETURN_IF_ERROR(settled);
  ShowStopped();
  if (!stopped_.empty()) return Status(StatusCode::kDataCorrupt, stopped_.begin()->second);
  return is_done ? Status() : Status(StatusCode::kCancelled, "stopped before the log's end");
}

Status LogIngest::Step() {
  PH_RETURN_IF_ERROR(writer_->failure());
  int64_t wait_ms = kIdleWaitMs;
  if (epoch_) {
    const int64_t due_ticks = epoch_->started_ticks + options_.limits.interval_us;
    wait_ms = std::clamp<int64_t>((due_ticks - lake_.clock.TicksMicros()) / 1000, 1, kIdleWaitMs);
  }
  PH_ASSIGN_OR_RETURN(const log::LogBatch* batch,
                      reader_.Read(static_cast<int>(wait_ms), options_.limits.read_bytes_max));
  if (batch != nullptr) PH_RETURN_IF_ERROR(Take(*batch));
  if (IsEpochDue()) PH_RETURN_IF_ERROR(CloseEpoch());
  ShowLag();
  return {};
}

void LogIngest::ShowLag() {
  if (lake_.clock.TicksMicros() - lag_shown_ticks_ < kLagMicros) return;
  lag_shown_ticks_ = lake_.clock.TicksMicros();
  int64_t lag = 0;
  for (const auto& [partition, part] : parts_) {
    const Result<int64_t> end = reader_.KnownEnd(partition);
    if (end.ok()) lag += std::max<int64_t>(0, *end - part.epoch_begin);
  }
  lake_.board.SetLag(stream_.name, lag);
}

Status LogIngest::Settle() {
  if (epoch_) PH_RETURN_IF_ERROR(CloseEpoch());
  return writer_->Wait();
}

Status LogIngest::FindPartitions() {
  Result<std::vector<LogPartition>> found = reader_.Partitions();
  if (!found.ok()) {
    const bool is_absent = found.error().code() == StatusCode::kNotFound;
    if (is_absent || (IsTransient(found.error()) && !options_.once)) return {};
    return found.error();
  }
  PH_ASSIGN_OR_RETURN(const catalog::TableState table, lake_.catalog.Load(stream_.main.id));
  PH_ASSIGN_OR_RETURN(const table::TableProgress progress, table::ReadProgress(*table.metadata));
  for (const LogPartition& partition : *found) {
    if (parts_.contains(partition) || stopped_.contains(partition)) continue;
    PH_RETURN_IF_ERROR(Start(partition, progress));
  }
  return {};
}

Status LogIngest::Start(const LogPartition& partition, const table::TableProgress& progress) {
  PH_ASSIGN_OR_RETURN(const OffsetRange bounds, reader_.Bounds(partition));
  PH_ASSIGN_OR_RETURN(OtherLogs others, LookAtOtherLogs(partition, progress));
  // `once` keeps the ends it started with, however often it starts over.
  Part part{.partition = partition,
            .end_at_start = ends_at_start_.try_emplace(partition, bounds.end).first->second};
  std::string problem = others.problem;
  const std::optional<int64_t> committed = table::NextOffset(progress, partition);
  part.is_first = !committed;
  part.next_offset = committed.value_or(0);
  bool is_gap = false;
  if (part.next_offset > bounds.end) {
    is_gap = true;
    problem = fmt::format("the table stands at offset {}, beyond the log's end {}",
                          part.next_offset, bounds.end);
  } else if (part.next_offset < bounds.begin) {
    is_gap = true;
    problem += fmt::format("{}offsets {} to {} are gone from the log before they were ingested",
                           problem.empty() ? "" : "; ", part.next_offset, bounds.begin - 1);
  }
  if (!problem.empty() && !options_.accept_gap) {
    StopPartition(partition, problem, is_gap ? bounds.begin : part.next_offset);
    return {};
  }
  for (Part& tail : others.tails) parts_.emplace(tail.partition, std::move(tail));
  if (!problem.empty()) {
    if (is_gap || others.tails.empty()) part.accepted_gap_from = part.next_offset;
    // What is gone counts as read and skipped, so that the counts go on without a hole.
    const int64_t gone = is_gap ? std::max<int64_t>(0, bounds.begin - part.next_offset) : 0;
    part.counts = {.read = gone, .skipped = gone};
    if (is_gap) part.next_offset = bounds.begin;
    // The gap is recorded even if no record follows it.
    if (!epoch_) PH_RETURN_IF_ERROR(OpenEpoch());
  }
  part.epoch_begin = part.next_offset;
  PH_RETURN_IF_ERROR(reader_.Seek(partition, part.next_offset));
  parts_.emplace(partition, std::move(part));
  return {};
}

Result<LogIngest::OtherLogs> LogIngest::LookAtOtherLogs(const LogPartition& partition,
                                                        const table::TableProgress& progress) {
  OtherLogs others;
  std::string strangers;
  bool is_renamed = false;
  for (const auto& [log_id, offsets] : progress.offsets) {
    if (log_id == partition.log_id) continue;
    PH_ASSIGN_OR_RETURN(const std::optional<log::OtherTopic> other, reader_.Other(log_id));
    if (!other) {
      strangers = log_id;
      continue;
    }
    is_renamed = true;
    // Another stream reads it now.
    if (options_.declared_topics.contains(other->topic)) continue;
    for (const auto& [number, next_offset] : offsets) {
      const int64_t left = other->bounds.end - next_offset;
      if (left <= 0) continue;
      others.problem += fmt::format(
          "{}offsets {} to {} of topic {}, which the stream read before, are not"
          " ingested (declare `topic: {}` again and ingest them first)",
          others.problem.empty() ? "" : "; ", next_offset, other->bounds.end - 1, other->topic,
          other->topic);
      others.tails.push_back(
          {.partition = {.log_id = log_id, .topic = other->topic, .partition = number},
           .epoch_begin = other->bounds.end,
           .next_offset = other->bounds.end,
           .end_at_start = other->bounds.end,
           .counts = {.read = left, .skipped = left},
           .accepted_gap_from = next_offset});
    }
  }
  if (progress.offsets.contains(partition.log_id) || strangers.empty()) return others;
  // An older version kept a journal's offsets under its UUID alone, whatever the topic.
  const bool is_without_topic = partition.log_id.starts_with(strangers + "/");
  if (is_renamed && !is_without_topic) return others;
  others.problem = fmt::format("the log was made anew: the table {} knows log {}, this one is {}",
                               stream_.main.id.ToString(), strangers, partition.log_id);
  others.tails.clear();
  return others;
}

void LogIngest::StopPartition(const LogPartition& partition, const std::string& problem,
                              int64_t goes_on_from) {
  std::string message = fmt::format(
      "partition stopped: stream={} topic={} partition={}: {}; `--accept-gap` goes on "
      "from offset {} and records it",
      stream_.name, partition.topic, partition.partition, problem, goes_on_from);
  logging::Error("ingest", "partition stopped",
                 {{"stream", stream_.name}, {"partition", partition.partition}, {"why", problem}});
  lake_.board.Hold(stream_.name, message);
  stopped_.emplace(partition, std::move(message));
}

Status LogIngest::PassDamage(Part& part, const log::LogBatch& batch) {
  const LogPartition partition = batch.from;
  const OffsetRange lost{.begin = part.next_offset, .end = batch.next_offset};
  const std::string problem =
      fmt::format("offsets {} to {} cannot be read: {}", lost.begin, lost.end - 1, batch.damage);
  // A gap begins an epoch; what comes before it is committed either way.
  if (epoch_) PH_RETURN_IF_ERROR(CloseEpoch());
  if (!options_.accept_gap) {
    PH_RETURN_IF_ERROR(writer_->Wait());
    StopPartition(partition, problem, lost.end);
    parts_.erase(partition);
    return {};
  }
  logging::Warn("ingest", "offsets are passed over",
                {{"stream", stream_.name}, {"partition", partition.partition}, {"why", problem}});
  PH_RETURN_IF_ERROR(OpenEpoch());
  part.accepted_gap_from = lost.begin;
  part.counts.read += lost.end - lost.begin;
  part.counts.skipped += lost.end - lost.begin;
  part.epoch_begin = part.next_offset = lost.end;
  return reader_.Seek(partition, lost.end);
}

void LogIngest::ShowStopped() {
  lake_.board.Hold(stream_.name, stopped_.empty() ? "" : stopped_.begin()->second);
}

Status LogIngest::Rewind() {
  DropEpochs();
  parts_.clear();
  return FindPartitions();
}

Status LogIngest::OpenEpoch() {
  PH_ASSIGN_OR_RETURN(EpochBuilder builder,
                      EpochBuilder::Open(stream_, lake_.catalog, lake_.store, lake_.warehouse_uri));
  PH_RETURN_IF_ERROR(writer_->Begin(std::move(builder)));
  epoch_ = OpenedEpoch{.started_us = lake_.clock.NowMicros(),
                       .started_ticks = lake_.clock.TicksMicros()};
  return {};
}

Status LogIngest::Take(const log::LogBatch& batch) {
  const auto found = parts_.find(batch.from);
  if (found == parts_.end()) return {};
  Part& part = found->second;
  if (!batch.damage.empty()) return PassDamage(part, batch);
  const int64_t now_us = lake_.clock.NowMicros();
  if (!epoch_) PH_RETURN_IF_ERROR(OpenEpoch());
  decoder_->SetSource({.topic = batch.from.topic,
                       .partition = batch.from.partition,
                       .ingested_at_us = epoch_->started_us,
                       .ingestion_date_days = {}});
  int64_t records = 0;
  const decode::ReleaseInputAtEnd settle(*decoder_);
  for (const log::LogRecord& record : batch.records) {
    if (record.offset < part.next_offset) continue;
    const decode::Verdict verdict = decoder_->Decode({.bytes = record.bytes,
                                                      .is_stable = true,
                                                      .offset = record.offset,
                                                      .log_time_us = record.time_us,
                                                      .key = record.key,
                                                      .headers_json = record.headers_json},
                                                     now_us);
    (verdict.is_good ? part.counts.good : part.counts.dead) += 1;
    ++records;
    epoch_->input_bytes += static_cast<int64_t>(record.bytes.size());
    if (EpochBuilder::IsFull(*decoder_)) PH_RETURN_IF_ERROR(HandOn());
  }
  epoch_->rows += records;
  const int64_t passed = batch.next_offset - part.next_offset;
  part.counts.read += passed;
  part.counts.skipped += passed - records;
  part.next_offset = batch.next_offset;
  return {};
}

bool LogIngest::IsEpochDue() const {
  if (!epoch_) return false;
  return lake_.clock.TicksMicros() - epoch_->started_ticks >= options_.limits.interval_us ||
         epoch_->rows >= options_.limits.rows_max ||
         decoder_->buffered_bytes() + writer_->bytes() >= options_.limits.bytes_max;
}

bool LogIngest::ReachedEnds() const {
  return std::ranges::all_of(parts_, [](const auto& entry) {
    return entry.second.next_offset >= entry.second.end_at_start;
  });
}

std::string LogIngest::Stem() const {
  std::string ranges;
  int32_t moved = 0;
  for (const auto& [partition, part] : parts_) {
    if (part.next_offset == part.epoch_begin) continue;
    ++moved;
    ranges +=
        fmt::format("-p{}-{}-{}", partition.partition, part.epoch_begin, part.next_offset - 1);
  }
  // Offsets of a re-created topic start anew, so the log id keeps the names apart.
  const LogPartition& named =
      std::ranges::find(parts_, stream_.declaration->topic, [](const auto& entry) {
        return entry.first.topic;
      })->first;
  const std::string log = ContentHash(named.log_id).substr(0, 8);
  if (moved > 4) ranges = fmt::format("-{}p-{}", moved, ContentHash(ranges).substr(0, 12));
  return FileNamePart(named.topic) + "-" + log + ranges;
}

Status LogIngest::HandOn() {
  if (decoder_->buffered_rows() == 0) return {};
  PH_ASSIGN_OR_RETURN(decode::DecodedRows rows, decoder_->Flush());
  return writer_->Write(std::move(rows));
}

Status LogIngest::CloseEpoch() {
  PH_RETURN_IF_ERROR(HandOn());
  EpochEnd end{.stem = Stem(),
               .ranges = {},
               .summary = {.stream = stream_.name, .bytes = epoch_->input_bytes, .commits = 1},
               .started_ticks = epoch_->started_ticks};
  for (auto& [partition, part] : parts_) {
    if (part.next_offset == part.epoch_begin && !part.accepted_gap_from) continue;
    end.ranges.push_back({.partition = partition,
                          .range = {.begin = part.epoch_begin, .end = part.next_offset},
                          .counts = part.counts,
                          .accepted_gap_from = part.accepted_gap_from,
                          .is_first = std::exchange(part.is_first, false)});
    end.summary.read += part.counts.read;
    end.summary.good += part.counts.good;
    end.summary.dead += part.counts.dead;
    end.summary.skipped += part.counts.skipped;
  }
  PH_RETURN_IF_ERROR(writer_->End(std::move(end)));
  for (auto& [partition, part] : parts_) {
    part.epoch_begin = part.next_offset;
    part.counts = {};
    part.accepted_gap_from.reset();
  }
  epoch_.reset();
  return {};
}

void LogIngest::DropEpochs() {
  writer_->Discard();
  epoch_.reset();
  // Rows decoded for the dropped epoch must not enter the next one.
  if (decoder_ != nullptr && decoder_->buffered_rows() > 0) (void)decoder_->Flush().ok();
}

}  // namespace playhead::ingest
