#pragma once

#include "playhead/base/hash.h"
#include "playhead/base/sqlite.h"
#include "playhead/base/status.h"
#include "playhead/log/segment.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace playhead::log {

/// Where the receipt of every idempotency key is stored: segment and row. Only a digest of the key
/// is in memory; the receipt itself is read from its segment when the key comes again. Threads: one
/// at a time.
class ReceiptIndex {
 public:
  ReceiptIndex(std::string folder, std::string journal_id, int64_t keys_max)
      : folder_(std::move(folder)), journal_id_(std::move(journal_id)), keys_max_(keys_max) {}

  /// Adds all receipts of a segment; segments come in order of their numbers.
  Status Load(sqlite::Database& segment, int64_t number);
  void Add(std::string_view key, int64_t segment, int64_t receipt_id);
  /// Forgets the receipts of the segments before `first_segment`.
  void DropBefore(int64_t first_segment);

  /// The receipt of `key`, none if it is not known. Errors as sqlite::Database.
  Result<std::optional<StoredReceipt>> Find(std::string_view key);

  size_t size() const { return places_.size(); }

 private:
  struct Place {
    int64_t segment = 0;
    int64_t receipt_id = 0;
  };
  struct HashOfHash {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  void DropOldest();

  const std::string folder_;
  const std::string journal_id_;
  const int64_t keys_max_;
  std::unordered_map<Hash128, Place, HashOfHash> places_;
  std::deque<std::pair<Hash128, int64_t>> oldest_first_;  // with the segment it was added for
  // The segment the last Find() read; repeats come in runs.
  std::optional<std::pair<int64_t, sqlite::Database>> open_segment_;
};

}  // namespace playhead::log
