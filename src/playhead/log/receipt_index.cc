#include "playhead/log/receipt_index.h"

#include "playhead/log/journal_folder.h"

namespace playhead::log {

Status ReceiptIndex::Load(sqlite::Database& segment, int64_t number) {
  PH_ASSIGN_OR_RETURN(sqlite::Statement select, segment.Prepare("select id, key from receipt"));
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool has_row, select.Step());
    if (!has_row) return {};
    Add(select.ColumnText(1), number, select.ColumnInt(0));
  }
}

void ReceiptIndex::Add(std::string_view key, int64_t segment, int64_t receipt_id) {
  const Hash128 digest = ContentDigest(key);
  places_[digest] = {segment, receipt_id};
  oldest_first_.emplace_back(digest, segment);
  while (static_cast<int64_t>(places_.size()) > keys_max_) DropOldest();
}

void ReceiptIndex::DropBefore(int64_t first_segment) {
  while (!oldest_first_.empty() && oldest_first_.front().second < first_segment) DropOldest();
  if (open_segment_ && open_segment_->first < first_segment) open_segment_.reset();
}

void ReceiptIndex::DropOldest() {
  const auto [digest, segment] = oldest_first_.front();
  oldest_first_.pop_front();
  const auto found = places_.find(digest);
  if (found != places_.end() && found->second.segment == segment) places_.erase(found);
}

Result<std::optional<StoredReceipt>> ReceiptIndex::Find(std::string_view key) {
  const auto found = places_.find(ContentDigest(key));
  if (found == places_.end()) return std::optional<StoredReceipt>();
  const Place place = found->second;
  if (!open_segment_ || open_segment_->first != place.segment) {
    PH_ASSIGN_OR_RETURN(
        sqlite::Database db,
        sqlite::Database::Open(SegmentPath(folder_, place.segment), {.read_only = true}));
    PH_RETURN_IF_ERROR(CheckSegment(db, journal_id_, place.segment));
    open_segment_.emplace(place.segment, std::move(db));
  }
  PH_ASSIGN_OR_RETURN(std::optional<StoredReceipt> receipt,
                      ReadReceipt(open_segment_->second, place.receipt_id));
  // Another key with the same digest is another key.
  if (receipt && receipt->key != key) receipt.reset();
  return receipt;
}

}  // namespace playhead::log
