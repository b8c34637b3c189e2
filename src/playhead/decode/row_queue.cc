#include "playhead/decode/row_queue.h"

#include <algorithm>

namespace playhead::decode {
namespace {

bool IsText(const TypePlan& plan) {
  return plan.kind == TypeKind::kText || plan.kind == TypeKind::kBinary;
}

bool HasText(const TypePlan& plan) {
  return IsText(plan) || std::ranges::any_of(plan.children, HasText);
}

bool HasDecimal(const TypePlan& plan) {
  return plan.kind == TypeKind::kDecimal128 || std::ranges::any_of(plan.children, HasDecimal);
}

}  // namespace

RowQueue::RowQueue(const TypePlan& plan)
    : columns_(plan.children.size()), bytes_(kBytesMax), slots_(kSlotsMax) {
  for (uint32_t i = 0; i < columns_; ++i) {
    const TypePlan& column = plan.children[i];
    if (IsText(column)) {
      text_columns_.push_back(i);
    } else if (column.kind == TypeKind::kList && IsText(column.children[0])) {
      list_columns_.push_back(i);
    } else if (HasText(column) || HasDecimal(column)) {
      can_wait_ = false;
    }
  }
}

bool RowQueue::Copy(std::string_view record, bool is_stable, const SlotArena& arena,
                    size_t slot_count) {
  char* bytes = bytes_.data() + bytes_used_;
  Slot* slots = slots_.data() + slots_used_;
  std::copy_n(arena.slots, slot_count, slots);
  if (!is_stable) std::copy(record.begin(), record.end(), bytes);
  const auto move = [&](Slot& slot) {
    if (!slot.has_value() || slot.size == 0) return true;
    const auto at =
        reinterpret_cast<uintptr_t>(slot.text) - reinterpret_cast<uintptr_t>(record.data());
    if (at >= record.size()) return false;  // made by the parser, e.g. from escapes
    if (!is_stable) slot.text = bytes + at;
    return true;
  };
  for (const uint32_t i : text_columns_) {
    if (!move(slots[i])) return false;
  }
  for (const uint32_t i : list_columns_) {
    if (!slots[i].has_value()) continue;
    uint32_t at = slots[i].first;
    for (uint32_t k = 0; k < slots[i].size; ++k) {
      if (!move(slots[at])) return false;
      at = slots[at].next;
    }
  }
  return true;
}

RowQueue::Rows& RowQueue::RowsOf(RowBuffers& to) {
  // Neighbours mostly are of a few partitions.
  for (size_t i = 0; i < rows_used_; ++i) {
    if (rows_[i].to == &to) return rows_[i];
  }
  if (rows_used_ == rows_.size()) rows_.emplace_back();
  Rows& rows = rows_[rows_used_++];
  rows.to = &to;
  return rows;
}

void RowQueue::Put(RowBuffers& to, std::string_view record, bool is_stable, const SlotArena& arena,
                   size_t slot_count) {
  const bool fits =
      can_wait_ && slot_count <= kSlotsMax / 8 && (is_stable || record.size() <= kBytesMax / 8);
  const size_t bytes = is_stable ? 0 : record.size();
  if (!fits || row_count_ == kRowsMax || bytes_used_ + bytes > kBytesMax ||
      slots_used_ + slot_count > kSlotsMax) {
    ReleaseInput();
  }
  if (fits && Copy(record, is_stable, arena, slot_count)) {
    RowsOf(to).slots.push_back(slots_.data() + slots_used_);
    bytes_used_ += bytes;
    slots_used_ += slot_count;
    ++row_count_;
    return;
  }
  ReleaseInput();
  to.AppendRow(arena, columns_);
}

void RowQueue::ReleaseInput() {
  for (size_t i = 0; i < rows_used_; ++i) {
    rows_[i].to->AppendRows(rows_[i].slots, columns_);
    rows_[i].slots.clear();
  }
  bytes_used_ = slots_used_ = rows_used_ = row_count_ = 0;
}

}  // namespace playhead::decode
