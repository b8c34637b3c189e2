#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/metrics.h"
#include "playhead/base/status.h"
#include "playhead/log/log.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::log {

/// Offset by topic.
using TopicOffsets = std::map<std::string, int64_t, std::less<>>;

/// Per topic the offset before which everything is committed to the tables of every stream that
/// reads it; 0 when nothing is. A topic it does not name is read by no stream.
/// Errors: why it is not known now.
using CommittedOffsets = std::function<Result<TopicOffsets>(const std::string& journal_id)>;

struct JournalOptions {
  /// Whole segments older than this are dropped, once `committed` says that no stream needs them.
  int64_t retention_us = 24LL * 3600 * 1'000'000;
  /// Asked on the upkeep's thread. None, or an error: nothing is dropped.
  CommittedOffsets committed;
  int64_t segment_bytes = 256LL << 20;          ///< a segment is closed at this size …
  int64_t segment_age_us = 3600LL * 1'000'000;  ///< … or age
  int64_t queue_bytes_max = 64LL << 20;         ///< waiting appends; more are kResourceExhausted
  /// Bytes written to a segment's WAL after which the checkpoint thread moves them on.
  int64_t checkpoint_bytes = 16LL << 20;
  /// Idempotency keys that are remembered, about 80 bytes each; beyond it the oldest are forgotten
  /// before their time.
  int64_t idempotency_keys_max = 2'000'000;
  /// Where the journal counts; must outlive it. None: it does not count.
  Metrics* metrics = nullptr;
};

/// One body's records for one topic, written and acknowledged together.
struct JournalAppend {
  std::string topic;
  std::vector<std::string_view> records;  ///< at least one; live until the append is acknowledged
  std::string headers_json;               ///< the same for all records; empty = none
  /// Idempotency-Key of the request; kept as long as the segment it was written to (≥ 24 h).
  std::string idempotency_key;
  /// What else the caller wants to know of a repeated key; kept and returned as it is.
  std::string note;
};

/// The log id of a journal's topic.
LogId JournalLogId(std::string_view journal_id, std::string_view topic);

/// Proof of a durable append: records have offsets [first_offset, first_offset + count).
struct JournalReceipt {
  LogId log_id;
  int32_t partition = 0;
  int64_t first_offset = 0;
  int64_t count = 0;
  bool is_repeat = false;  ///< the key was known: this is the first append's receipt …
  std::string note;        ///< … and its note; empty for a first append
};

/// Told once what became of an append.
using AppendDone = std::function<void(Result<JournalReceipt>)>;

/// The embedded log: one partition (0) per topic, durable in SQLite segments below
/// `<warehouse>/journal/` (docs/formats/journal.md). What is acknowledged stays until it is older
/// than the retention and committed by every stream that reads it. A damaged segment is named and
/// left where it is: appends go on behind it. Appends of all threads are written in groups: one
/// transaction and one fsync serve everything that waits. Checkpoints run on a thread of their own,
/// never in the commit path.
///
/// Steps that tests can kill at (base/crash_point.h): journal.before_write, journal.before_commit,
/// journal.after_commit, journal.before_ack, journal.new_segment (once before its file is made,
/// once before journal.db names it, once after), journal.trim (before journal.db is changed, then
/// before each file is removed).
/// Threads  any.
class Journal {
 public:
  /// Errors: kAlreadyExists (another process writes it), kDataCorrupt (journal.db is damaged, lost
  /// or older than its segments), kUnavailable, kResourceExhausted (disk full).
  static Result<std::unique_ptr<Journal>> Open(const std::string& folder, const Clock& clock,
                                               JournalOptions options = {});
  virtual ~Journal() = default;

  /// Its UUID; empty for Kafka.
  virtual const std::string& id() const = 0;
  /// Blocks until the records are durable. Errors: kResourceExhausted (queue full; nothing was
  /// written), kUnavailable (disk full or failing: whether they were written is not known, and a
  /// repeat with the same idempotency key finds out), kConflict (idempotency key reused for another
  /// topic or other records), kInvalidArgument (no topic, no records), kCancelled (closed).
  virtual Result<JournalReceipt> Append(JournalAppend append) = 0;
  /// The same without waiting. `done` is called exactly once: by the journal's own thread, which
  /// must not be held up, or by the caller's before this returns when the append is refused at
  /// once.
  virtual void AppendAsync(JournalAppend append, AppendDone done) = 0;
  /// Offset after the last durable record of the topic.
  virtual Result<int64_t> EndOffset(const std::string& topic) = 0;
  /// OK, or why the last write failed (kUnavailable). It becomes OK again by itself: while it is
  /// not, it tries a small write once a second.
  virtual Status Health() const = 0;
  /// Stops the threads after what was accepted is durable.
  virtual void Close() = 0;
};

/// Reads one topic of a journal folder, also while another process or thread appends. The folder
/// may not exist yet (Partitions() is then empty until it does). A topic without records is a
/// partition with bounds [0, 0). Offsets that cannot be read (a checksum that is wrong, a damaged
/// page, a segment that is lost) are a batch with `damage`.
Result<std::unique_ptr<LogReader>> OpenJournalReader(const std::string& folder,
                                                     const std::string& topic);

}  // namespace playhead::log
