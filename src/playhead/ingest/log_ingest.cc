#include "playhead/ingest/log_ingest.h"

#include "playhead/base/hash.h"
#include "playhead/base/logging.h"

#include <algorithm>

namespace playhead::ingest {
namespace {

constexpr int64_t kPartitionSearchMicros = 5'000'000;
constexpr int64_t kRetryPauseMicros = 500'000;
constexpr int kIdleWaitMs = 200;

bool IsTransient(const Status& status) {
  return status.code() == StatusCode::kUnavailable ||
         status.code() == StatusCode::kResourceExhausted;
}

}  // namespace

LogIngest::LogIngest(const Lake& lake, const IngestStream& stream, log::LogReader& reader,
                     LogIngestOptions options)
    : lake_(lake), stream_(stream), reader_(reader), options_(options) {}

Status LogIngest::Run(std::stop_token stop) {
  PH_ASSIGN_OR_RETURN(decoder_, decode::RecordDecoder::Make(stream_.row_schema));
  PH_RETURN_IF_ERROR(FindPartitions());
  int64_t searched_us = lake_.clock.NowMicros();
  bool is_waiting = false;
  while (!stop.stop_requested() && !(options_.once && ReachedEnds())) {
    if (!options_.once && lake_.clock.NowMicros() - searched_us > kPartitionSearchMicros) {
      PH_RETURN_IF_ERROR(FindPartitions());
      searched_us = lake_.clock.NowMicros();
    }
    const int wait_ms =
        epoch_ ? static_cast<int>(std::clamp<int64_t>(
                     (epoch_started_us_ + options_.limits.interval_us - lake_.clock.NowMicros()) /
                         1000,
                     1, kIdleWaitMs))
               : kIdleWaitMs;
    Status status;
    Result<const log::LogBatch*> batch = reader_.Read(wait_ms, options_.limits.read_bytes_max);
    if (!batch.ok()) {
      status = batch.error();
    } else if (*batch != nullptr) {
      status = Take(**batch);
    }
    if (status.ok() && IsEpochDue()) status = CloseEpoch(stop);
    if (status.code() == StatusCode::kCancelled) return {};
    if (status.code() == StatusCode::kConflict) {
      PH_RETURN_IF_ERROR(Rewind());
    } else if (IsTransient(status)) {
      is_waiting = true;
      lake_.board.Hold(stream_.name, status.ToString());
      logging::Warn("ingest", "stream waits",
                    {{"stream", stream_.name}, {"why", status.ToString()}});
      // What was staged may be incomplete (a full disk), so the epoch is read again from the log.
      DropEpoch();
      if (SleepUnlessStopped(stop, kRetryPauseMicros)) PH_RETURN_IF_ERROR(Rewind());
    } else if (!status.ok()) {
      return status;
    } else if (is_waiting && !parts_.empty()) {
      is_waiting = false;
      ShowStopped();
    }
  }
  if (epoch_) {
    Status status = CloseEpoch(stop);
    if (!status.ok() && status.code() != StatusCode::kCancelled) return status;
  }
  if (!stopped_.empty()) return Status(StatusCode::kDataCorrupt, stopped_.begin()->second);
  return {};
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
  Part part{.partition = partition, .end_at_start = bounds.end};
  std::string problem;
  std::optional<int64_t> committed;
  if (const auto log = progress.offsets.find(partition.log_id); log != progress.offsets.end()) {
    if (const auto entry = log->second.find(partition.partition); entry != log->second.end()) {
      committed = entry->second;
    }
  } else if (!progress.offsets.empty()) {
    problem =
        fmt::format("the log was made anew: the table {} knows log {}, this one is {}",
                    stream_.main.id.ToString(), progress.offsets.begin()->first, partition.log_id);
  }
  part.next_offset = committed.value_or(bounds.begin);
  if (committed && *committed > bounds.end) {
    problem = fmt::format("the table stands at offset {}, beyond the log's end {}", *committed,
                          bounds.end);
  } else if (committed && *committed < bounds.begin) {
    problem = fmt::format("offsets {} to {} are gone from the log before they were ingested",
                          *committed, bounds.begin - 1);
  }
  if (!problem.empty()) {
    if (!options_.accept_gap) {
      std::string message = fmt::format(
          "partition stopped: stream={} topic={} partition={}: {}; `--accept-gap` goes on "
          "from offset {} and records it",
          stream_.name, partition.topic, partition.partition, problem, bounds.begin);
      logging::Error(
          "ingest", "partition stopped",
          {{"stream", stream_.name}, {"partition", partition.partition}, {"why", problem}});
      lake_.board.Hold(stream_.name, message);
      stopped_.emplace(partition, std::move(message));
      return {};
    }
    part.accepted_gap_from = part.next_offset;
    // What is gone counts as read and skipped, so that the counts go on without a hole.
    const int64_t gone = std::max<int64_t>(0, bounds.begin - part.next_offset);
    part.counts = {.read = gone, .skipped = gone};
    part.next_offset = bounds.begin;
    // The gap is recorded even if no record follows it.
    if (!epoch_) PH_RETURN_IF_ERROR(OpenEpoch());
  }
  part.epoch_begin = part.next_offset;
  PH_RETURN_IF_ERROR(reader_.Seek(partition, part.next_offset));
  parts_.emplace(partition, std::move(part));
  return {};
}

void LogIngest::ShowStopped() {
  lake_.board.Hold(stream_.name, stopped_.empty() ? "" : stopped_.begin()->second);
}

Status LogIngest::Rewind() {
  DropEpoch();
  std::map<LogPartition, int64_t> ends;
  for (const auto& [partition, part] : parts_) ends[partition] = part.end_at_start;
  parts_.clear();
  PH_RETURN_IF_ERROR(FindPartitions());
  // `once` keeps the ends it started with.
  for (const auto& [partition, end] : ends) {
    if (auto part = parts_.find(partition); part != parts_.end()) part->second.end_at_start = end;
  }
  return {};
}

Status LogIngest::OpenEpoch() {
  PH_ASSIGN_OR_RETURN(EpochBuilder builder, EpochBuilder::Open(stream_, lake_.catalog, lake_.store,
                                                               lake_.warehouse_uri, *decoder_));
  epoch_.emplace(std::move(builder));
  epoch_started_us_ = lake_.clock.NowMicros();
  return {};
}

Status LogIngest::Take(const log::LogBatch& batch) {
  const auto found = parts_.find(batch.from);
  if (found == parts_.end()) return {};
  Part& part = found->second;
  const int64_t now_us = lake_.clock.NowMicros();
  if (!epoch_) PH_RETURN_IF_ERROR(OpenEpoch());
  decoder_->SetSource({.topic = batch.from.topic,
                       .partition = batch.from.partition,
                       .ingested_at_us = epoch_started_us_,
                       .ingestion_date_days = {}});
  int64_t records = 0;
  for (const log::LogRecord& record : batch.records) {
    if (record.offset < part.next_offset) continue;
    const decode::Verdict verdict = decoder_->Decode({.bytes = record.bytes,
                                                      .offset = record.offset,
                                                      .log_time_us = record.time_us,
                                                      .key = record.key,
                                                      .headers_json = record.headers_json},
                                                     now_us);
    (verdict.is_good ? part.counts.good : part.counts.dead) += 1;
    ++records;
    epoch_input_bytes_ += static_cast<int64_t>(record.bytes.size());
    PH_RETURN_IF_ERROR(epoch_->FlushIfFull());
  }
  const int64_t passed = batch.next_offset - part.next_offset;
  part.counts.read += passed;
  part.counts.skipped += passed - records;
  part.next_offset = batch.next_offset;
  return {};
}

bool LogIngest::IsEpochDue() const {
  if (!epoch_) return false;
  return lake_.clock.NowMicros() - epoch_started_us_ >= options_.limits.interval_us ||
         epoch_->good() + epoch_->dead() >= options_.limits.rows_max ||
         epoch_->bytes() >= options_.limits.bytes_max;
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
  const std::string log = ContentHash(parts_.begin()->first.log_id).substr(0, 8);
  if (moved > 4) ranges = fmt::format("-{}p-{}", moved, ContentHash(ranges).substr(0, 12));
  return FileNamePart(parts_.begin()->first.topic) + "-" + log + ranges;
}

Status LogIngest::CloseEpoch(std::stop_token stop) {
  Result<table::Epoch> staged = epoch_->Finish(Stem());
  if (!staged.ok()) return staged.error();
  table::Epoch& epoch = *staged;
  StreamSummary delta{.stream = stream_.name,
                      .bytes = epoch_input_bytes_,
                      .commits = 1,
                      .dead_by_reason = epoch_->dead_by_reason()};
  for (const auto& [partition, part] : parts_) {
    if (part.next_offset == part.epoch_begin && !part.accepted_gap_from) continue;
    epoch.ranges.push_back({.partition = partition,
                            .range = {.begin = part.epoch_begin, .end = part.next_offset},
                            .counts = part.counts,
                            .accepted_gap_from = part.accepted_gap_from});
    delta.read += part.counts.read;
    delta.good += part.counts.good;
    delta.dead += part.counts.dead;
    delta.skipped += part.counts.skipped;
  }
  Result<table::EpochOutcome> outcome = CommitPatiently(lake_, stream_.name, epoch, stop);
  if (!outcome.ok()) return outcome.error();
  ShowStopped();
  const int64_t now_us = lake_.clock.NowMicros();
  delta.seconds = static_cast<double>(now_us - epoch_started_us_) / 1e6;
  lake_.board.Add(delta);
  logging::Debug("ingest", "committed",
                 {{"stream", stream_.name}, {"rows", delta.good}, {"dead", delta.dead}});
  for (auto& [partition, part] : parts_) {
    part.epoch_begin = part.next_offset;
    part.counts = {};
    part.accepted_gap_from.reset();
  }
  epoch_.reset();
  epoch_input_bytes_ = 0;
  return {};
}

void LogIngest::DropEpoch() {
  if (epoch_) {
    table::Committer committer(lake_.catalog, lake_.store, lake_.warehouse_uri, lake_.clock);
    const Status discarded = committer.Discard(epoch_->plan_id());
    if (!discarded.ok()) {
      logging::Warn("ingest", "staged files stay until the next start",
                    {{"plan", epoch_->plan_id()}, {"why", discarded.ToString()}});
    }
  }
  epoch_.reset();
  epoch_input_bytes_ = 0;
  // Rows decoded for the dropped epoch must not enter the next one.
  if (decoder_ != nullptr && decoder_->buffered_rows() > 0) (void)decoder_->Flush().ok();
}

}  // namespace playhead::ingest
