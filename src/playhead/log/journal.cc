#include "playhead/log/journal.h"

#include "playhead/base/bounded_queue.h"
#include "playhead/base/crash_point.h"
#include "playhead/base/file_lock.h"
#include "playhead/base/hash.h"
#include "playhead/base/logging.h"
#include "playhead/base/thread_annotations.h"
#include "playhead/log/journal_folder.h"
#include "playhead/log/journal_recovery.h"
#include "playhead/log/journal_upkeep.h"
#include "playhead/log/receipt_index.h"
#include "playhead/log/segment.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace playhead::log {
namespace {

// How long the appending thread sleeps when nothing comes; then it looks at the segment's age and,
// after a failure, whether it can write again.
constexpr std::chrono::seconds kIdle(1);
// Bytes of one transaction, unless a single append is larger.
constexpr int64_t kGroupBytesMax = 8LL << 20;
// Cost of a waiting append besides its records.
constexpr int64_t kAppendBytes = 256;

struct Pending {
  JournalAppend append;
  AppendDone done;
  std::string request_hash;  // with an idempotency key only
  int64_t record_bytes = 0;
};

// The topic is compared for itself; the record borders count, so that two cuts of the same bytes
// differ.
std::string HashOfRecords(const JournalAppend& append) {
  ContentHasher hasher;
  hasher.Update(EncodeLengths(append.records));
  for (const std::string_view record : append.records) hasher.Update(record);
  return hasher.Hex();
}

}  // namespace

LogId JournalLogId(std::string_view journal_id, std::string_view topic) {
  return fmt::format("{}/{}", journal_id, topic);
}

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(std::string folder, const Clock& clock, JournalOptions options, FileLock lock,
                JournalDb db, JournalState state)
      : folder_(std::move(folder)),
        clock_(clock),
        options_(std::move(options)),
        lock_(std::move(lock)),
        db_(std::move(db)),
        journal_id_(std::move(state.journal_id)),
        receipts_(folder_, journal_id_, options_.idempotency_keys_max),
        queue_(options_.queue_bytes_max) {}
  ~SqliteJournal() override { Close(); }

  Status Start(const JournalState& state) {
    PH_ASSIGN_OR_RETURN(JournalDb notes, JournalDb::OpenForWriting(folder_));
    PH_RETURN_IF_ERROR(notes.SkipSyncs());
    notes_ = std::move(notes);
    PH_ASSIGN_OR_RETURN(const TopicOffsets noted, notes_->NotedEnds());
    PH_ASSIGN_OR_RETURN(RecoveredJournal recovered,
                        RecoverJournal(folder_, state, noted, receipts_));
    PH_ASSIGN_OR_RETURN(JournalDb upkeep_db, JournalDb::OpenForWriting(folder_));
    upkeep_.emplace(folder_, std::move(upkeep_db), state, clock_,
                    JournalUpkeepOptions{.retention_us = options_.retention_us,
                                         .committed = options_.committed,
                                         .checkpoint_bytes = options_.checkpoint_bytes,
                                         .metrics = options_.metrics});
    if (options_.metrics != nullptr) {
      options_.metrics->Set(Metric::kLogDamagedSegments,
                            static_cast<double>(recovered.damaged.size()));
    }
    // A journal of an older version has no such note.
    if (const auto first = recovered.segments.find(state.first_segment);
        first != recovered.segments.end()) {
      PH_RETURN_IF_ERROR(db_.SetFirstSegment(state.first_segment, first->second.bases));
    }
    for (auto& segment : recovered.unfinished) upkeep_->OnUnfinished(std::move(segment));
    end_offsets_ = std::move(recovered.end_offsets);
    NoteEnds(end_offsets_);
    for (auto& [number, facts] : recovered.segments) {
      if (!recovered.current || number < recovered.current->info().number) {
        upkeep_->OnOldSegment(number, std::move(facts));
      }
    }
    if (recovered.current) {
      const SegmentInfo info = recovered.current->info();
      upkeep_->OnNewSegment(info, std::move(recovered.segments[info.number].bases), nullptr);
      const int64_t age_us =
          std::clamp<int64_t>(clock_.NowMicros() - info.created_at_us, 0, options_.segment_age_us);
      began_ticks_ = clock_.TicksMicros() - age_us;
      current_ = std::move(recovered.current);
    } else {
      PH_RETURN_IF_ERROR(NewSegment(state.last_segment + 1));
    }
    committer_ = std::jthread([this] { CommitLoop(); });
    return {};
  }

  const std::string& id() const override { return journal_id_; }

  Result<JournalReceipt> Append(JournalAppend append) override {
    std::promise<Result<JournalReceipt>> promise;
    AppendAsync(std::move(append),
                [&](Result<JournalReceipt> receipt) { promise.set_value(std::move(receipt)); });
    return promise.get_future().get();
  }

  void AppendAsync(JournalAppend append, AppendDone done) override {
    if (append.topic.empty() || append.records.empty()) {
      done(Error(StatusCode::kInvalidArgument, "append without topic or records: topic={}",
                 append.topic));
      return;
    }
    Pending pending{.append = std::move(append), .done = std::move(done)};
    if (!pending.append.idempotency_key.empty()) {
      pending.request_hash = HashOfRecords(pending.append);
    }
    for (const std::string_view record : pending.append.records) {
      pending.record_bytes += static_cast<int64_t>(record.size());
    }
    if (queue_.TryPush(pending, pending.record_bytes + kAppendBytes)) return;
    if (queue_.is_closed()) {
      pending.done(Status(StatusCode::kCancelled, "the journal is closed"));
    } else {
      pending.done(Error(StatusCode::kResourceExhausted,
                         "the journal's queue is full: queue_bytes_max={}",
                         options_.queue_bytes_max));
    }
  }

  Result<int64_t> EndOffset(const std::string& topic) override {
    const std::lock_guard lock(mutex_);
    const auto found = end_offsets_.find(topic);
    return found == end_offsets_.end() ? 0 : found->second;
  }

  Status Health() const override {
    const std::lock_guard lock(mutex_);
    return health_;
  }

  void Close() override {
    queue_.Close();
    if (committer_.joinable()) committer_.join();
    if (upkeep_) upkeep_->Stop();
    if (!current_) return;
    const Status status = current_->db().CheckpointAndTruncate();
    if (!status.ok()) {
      logging::Info("log", "journal closed with a WAL", {{"error", status.ToString()}});
    }
    current_.reset();
  }

 private:
  using Outcome = Result<JournalReceipt>;

  void CommitLoop() {
    while (true) {
      std::vector<Pending> group = queue_.PopGroup(kIdle, kGroupBytesMax);
      if (group.empty() && queue_.is_closed()) return;
      if (group.empty()) {
        Idle();
      } else {
        WriteGroup(std::move(group));
      }
    }
  }

  void Idle() {
    if (!Health().ok()) {
      Status status = Settle();
      if (status.ok()) status = current_->TestWrite();
      SetHealth(status.ok() ? status : WriteFailure(status));
    }
    RollIfDue();
    FinishCheckpointIfAsked();
  }

  void FinishCheckpointIfAsked() {
    if (!upkeep_->wants_finish() || current_->is_unsure()) return;
    const Result<sqlite::WalProgress> progress = current_->db().Checkpoint();
    if (!progress.ok()) {
      logging::Warn("log", "cannot checkpoint the journal",
                    {{"error", progress.status().ToString()}});
    }
    upkeep_->OnFinished();
  }

  void RollIfDue() {
    if (next_ || current_->is_unsure()) return;
    const int64_t age_us = clock_.TicksMicros() - began_ticks_;
    const bool is_due = current_->bytes() >= options_.segment_bytes ||
                        (current_->has_entries() && age_us >= options_.segment_age_us);
    if (!is_due) return;
    const Status status = NewSegment(current_->info().number + 1);
    // Unless it may have begun, the old segment still takes records; the next group tries again.
    if (!status.ok()) {
      logging::Warn("log", "cannot begin a journal segment", {{"error", status.ToString()}});
    }
  }

  // end_offsets_ is read without its lock here and below: only this thread changes it.
  Status NewSegment(int64_t number) {
    CrashPoint("journal.new_segment");
    const SegmentInfo info{
        .journal_id = journal_id_, .number = number, .created_at_us = clock_.NowMicros()};
    PH_ASSIGN_OR_RETURN(next_,
                        SegmentWriter::Create(SegmentPath(folder_, number), info, end_offsets_));
    Status status = SyncFolder(folder_);
    CrashPoint("journal.new_segment");
    if (status.ok()) status = BeginNext();
    // journal.db surely does not name it, so the old one goes on.
    if (!status.ok() && status.code() != StatusCode::kCommitUnknown) next_.reset();
    return status;
  }

  // From here until journal.db is known to name it, no record may be added to the segment before:
  // after a crash `next_` might follow it, and says where it ended.
  Status BeginNext() {
    PH_RETURN_IF_ERROR(db_.SetLastSegment(next_->info().number));
    CrashPoint("journal.new_segment");
    std::swap(current_, next_);
    began_ticks_ = clock_.TicksMicros();
    upkeep_->OnNewSegment(current_->info(), end_offsets_, std::move(next_));
    return {};
  }

  // Finds out what became of a COMMIT that failed, before anything else is written.
  Status Settle() {
    if (next_) {
      PH_ASSIGN_OR_RETURN(db_, JournalDb::OpenForWriting(folder_));
      PH_RETURN_IF_ERROR(BeginNext());
    }
    if (!current_->is_unsure()) return {};
    const SegmentInfo info = current_->info();
    PH_ASSIGN_OR_RETURN(std::unique_ptr<SegmentWriter> again,
                        SegmentWriter::Open(current_->path(), journal_id_, info.number));
    // A commit that succeeds here stands in the WAL's place of the one that failed.
    PH_RETURN_IF_ERROR(again->TestWrite());
    TopicOffsets found;
    PH_ASSIGN_OR_RETURN(const TopicOffsets bases, BaseOffsets(again->db()));
    for (const auto& [topic, base] : bases) {
      PH_ASSIGN_OR_RETURN(const std::optional<int64_t> end,
                          EndOffsetIn(again->db(), topic, info.format));
      found[topic] = end.value_or(base);
    }
    current_ = std::move(again);
    for (const auto& [topic, end] : end_offsets_) {
      if (found[topic] >= end) continue;
      logging::Error("log", "a journal segment lost acknowledged records",
                     {{"file", current_->path()}, {"topic", topic}, {"acknowledged_to", end}});
      return NewSegment(info.number + 1);
    }
    if (found == end_offsets_) return {};
    PH_RETURN_IF_ERROR(receipts_.Load(current_->db(), info.number));
    const std::lock_guard lock(mutex_);
    end_offsets_ = std::move(found);
    return {};
  }

  void WriteGroup(std::vector<Pending> group) {
    CrashPoint("journal.before_write");
    receipts_.DropBefore(upkeep_->first_segment());
    if (Status settled = Settle(); !settled.ok()) return RefuseGroup(group, settled);
    RollIfDue();
    if (next_) {
      return RefuseGroup(group,
                         Status(StatusCode::kUnavailable, "the next segment may have begun"));
    }
    std::vector<std::optional<Outcome>> outcomes(group.size());
    // Keys that this group itself brings: a second append of one waits for the first.
    std::map<std::string_view, size_t> first_of_key;
    std::vector<std::pair<size_t, size_t>> twins;
    std::vector<size_t> to_write;
    for (size_t i = 0; i < group.size(); ++i) {
      const std::string& key = group[i].append.idempotency_key;
      if (!key.empty()) {
        if (const auto first = first_of_key.find(key); first != first_of_key.end()) {
          twins.emplace_back(i, first->second);
          continue;
        }
        const Result<std::optional<StoredReceipt>> known = receipts_.Find(key);
        if (!known.ok()) {
          outcomes[i] = known.status();
          continue;
        }
        if (known->has_value()) {
          outcomes[i] = AnswerRepeat(**known, group[i]);
          continue;
        }
        first_of_key.emplace(key, i);
      }
      to_write.push_back(i);
    }
    Write(group, to_write, outcomes);
    for (const auto& [i, first] : twins) {
      outcomes[i] = outcomes[first]->ok()
                        ? AnswerRepeat(ReceiptOf(group[first], **outcomes[first]), group[i])
                        : *outcomes[first];
    }
    CrashPoint("journal.before_ack");
    for (size_t i = 0; i < group.size(); ++i) group[i].done(*std::move(outcomes[i]));
    FinishCheckpointIfAsked();
  }

  void RefuseGroup(const std::vector<Pending>& group, const Status& why) {
    const Status failure = WriteFailure(why);
    SetHealth(failure);
    for (const Pending& pending : group) pending.done(failure);
  }

  void Write(const std::vector<Pending>& group, const std::vector<size_t>& to_write,
             std::vector<std::optional<Outcome>>& outcomes) {
    if (to_write.empty()) return;
    const auto began = std::chrono::steady_clock::now();
    const int64_t now_us = clock_.NowMicros();
    TopicOffsets ends;
    std::vector<std::pair<size_t, int64_t>> receipt_ids;
    const Status status = current_->InTransaction([&]() -> Status {
      for (const size_t i : to_write) {
        const JournalAppend& append = group[i].append;
        int64_t& end = ends.try_emplace(append.topic, EndOf(append.topic)).first->second;
        PH_RETURN_IF_ERROR(current_->AddEntry({.topic = append.topic,
                                               .records = append.records,
                                               .headers_json = append.headers_json,
                                               .first_offset = end,
                                               .received_at_us = now_us}));
        const JournalReceipt receipt{.log_id = JournalLogId(journal_id_, append.topic),
                                     .first_offset = end,
                                     .count = static_cast<int64_t>(append.records.size())};
        end += receipt.count;
        if (!append.idempotency_key.empty()) {
          PH_ASSIGN_OR_RETURN(const int64_t id, current_->AddReceipt(ReceiptOf(group[i], receipt)));
          receipt_ids.emplace_back(i, id);
        }
        outcomes[i] = receipt;
      }
      CrashPoint("journal.before_commit");
      return {};
    });
    if (!status.ok()) {
      const Status failure = WriteFailure(status);
      for (const size_t i : to_write) outcomes[i] = failure;
      SetHealth(failure);
      if (options_.metrics != nullptr) options_.metrics->Add(Metric::kLogCommitFailures, 1);
      return;
    }
    CrashPoint("journal.after_commit");
    for (const auto& [i, id] : receipt_ids) {
      receipts_.Add(group[i].append.idempotency_key, current_->info().number, id);
    }
    SetHealth({});
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [topic, end] : ends) end_offsets_[topic] = end;
    }
    NoteEnds(ends);
    Count(group, to_write, std::chrono::steady_clock::now() - began);
  }

  void Count(const std::vector<Pending>& group, const std::vector<size_t>& written,
             std::chrono::duration<double> seconds) {
    int64_t bytes = 0;
    std::map<std::string_view, std::pair<int64_t, int64_t>> by_topic;
    for (const size_t i : written) {
      auto& [topic_records, topic_bytes] = by_topic[group[i].append.topic];
      topic_records += static_cast<int64_t>(group[i].append.records.size());
      topic_bytes += group[i].record_bytes;
      bytes += group[i].record_bytes;
    }
    // A commit writes whole pages: at least the one it adds to and the tree's upper one.
    upkeep_->OnCommit(bytes + 2 * SegmentWriter::kPageBytes);
    if (options_.metrics == nullptr) return;
    options_.metrics->Add(Metric::kLogCommits, 1);
    options_.metrics->Observe(Metric::kLogCommitSeconds, seconds.count());
    options_.metrics->Set(Metric::kLogQueueBytes, static_cast<double>(queue_.cost()));
    for (const auto& [topic, counts] : by_topic) {
      options_.metrics->Add(Metric::kLogRecords, static_cast<double>(counts.first), {topic});
      options_.metrics->Add(Metric::kLogRecordBytes, static_cast<double>(counts.second), {topic});
    }
  }

  // Only a damaged segment needs the note, so an append does not fail with it.
  void NoteEnds(const TopicOffsets& ends) {
    const Status status = notes_->NoteEnds(ends);
    if (status.ok() == is_noting_) return;
    is_noting_ = status.ok();
    if (!status.ok()) {
      logging::Warn("log", "cannot note where the journal ends", {{"error", status.ToString()}});
    }
  }

  int64_t EndOf(const std::string& topic) const {
    const auto found = end_offsets_.find(topic);
    return found == end_offsets_.end() ? 0 : found->second;
  }

  static StoredReceipt ReceiptOf(const Pending& pending, const JournalReceipt& receipt) {
    return {.key = pending.append.idempotency_key,
            .topic = pending.append.topic,
            .first_offset = receipt.first_offset,
            .count = receipt.count,
            .request_hash = pending.request_hash,
            .note = pending.append.note};
  }

  Outcome AnswerRepeat(const StoredReceipt& receipt, const Pending& pending) const {
    if (receipt.topic != pending.append.topic || receipt.request_hash != pending.request_hash) {
      return Error(StatusCode::kConflict,
                   "the idempotency key was used for another topic or other records: key={}",
                   receipt.key);
    }
    return JournalReceipt{.log_id = JournalLogId(journal_id_, receipt.topic),
                          .first_offset = receipt.first_offset,
                          .count = receipt.count,
                          .is_repeat = true,
                          .note = receipt.note};
  }

  static Status WriteFailure(const Status& status) {
    const bool is_full = status.code() == StatusCode::kResourceExhausted;
    return Error(StatusCode::kUnavailable, "{}: {}",
                 is_full ? "the journal's disk is full" : "the journal cannot write",
                 status.message());
  }

  void SetHealth(Status health) {
    const std::lock_guard lock(mutex_);
    if (health_.ok() && !health.ok()) {
      logging::Error("log", "journal cannot write", {{"error", health.ToString()}});
    } else if (!health_.ok() && health.ok()) {
      logging::Info("log", "journal writes again");
    }
    health_ = std::move(health);
  }

  const std::string folder_;
  const Clock& clock_;
  const JournalOptions options_;
  const FileLock lock_;
  JournalDb db_;
  const std::string journal_id_;

  // The committer's own.
  std::optional<JournalDb> notes_;
  bool is_noting_ = true;
  ReceiptIndex receipts_;
  std::unique_ptr<SegmentWriter> current_;
  std::unique_ptr<SegmentWriter> next_;  // journal.db may name it
  int64_t began_ticks_ = 0;

  mutable std::mutex mutex_;
  TopicOffsets end_offsets_ PH_GUARDED_BY(mutex_);  // written by the committer only
  Status health_ PH_GUARDED_BY(mutex_);

  BoundedQueue<Pending> queue_;
  std::optional<JournalUpkeep> upkeep_;
  std::jthread committer_;
};

Result<std::unique_ptr<Journal>> Journal::Open(const std::string& folder, const Clock& clock,
                                               JournalOptions options) {
  PH_RETURN_IF_ERROR(MakeFolder(folder));
  PH_ASSIGN_OR_RETURN(FileLock lock, FileLock::Acquire(JournalLockPath(folder)));
  PH_RETURN_IF_ERROR(CheckBeforeOpen(folder));
  PH_ASSIGN_OR_RETURN(JournalDb db, JournalDb::OpenForWriting(folder));
  PH_ASSIGN_OR_RETURN(const JournalState state, db.Read());
  auto journal = std::make_unique<SqliteJournal>(folder, clock, std::move(options), std::move(lock),
                                                 std::move(db), state);
  PH_RETURN_IF_ERROR(journal->Start(state));
  return std::unique_ptr<Journal>(std::move(journal));
}

}  // namespace playhead::log
