#include "playhead/decode/partition_map.h"

#include "playhead/decode/json_text.h"
#include "playhead/decode/short_text.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace playhead::decode {
namespace {

constexpr int64_t kMicrosPerDay = 86'400LL * 1'000'000;
constexpr int64_t kMicrosPerHour = 3'600LL * 1'000'000;
constexpr size_t kPartitionsCompared = 8;
constexpr size_t kSparePartitionsMax = 16;
// So many keep their dictionaries from one batch to the next.
constexpr size_t kPartitionsKeptMax = 64;
// After so many batches without a row a partition is dropped: streams are about in order of time,
// so those of a past day get no more.
constexpr int64_t kIdleFinishes = 4;

/// Rounds towards the past, also before 1970.
int64_t FloorDivide(int64_t value, int64_t divisor) {
  int64_t quotient = value / divisor;
  return quotient - (value % divisor < 0 ? 1 : 0);
}

Result<std::vector<KeyValue>> AcceptedKeys(const Column& column, TypeKind kind) {
  std::vector<KeyValue> keys;
  for (const std::string& text : column.accepted_values) {
    if (kind == TypeKind::kText) {
      keys.emplace_back(text);
    } else if (const std::optional<int64_t> value = ParseIdentityValue(*column.type, text)) {
      keys.emplace_back(*value);
    } else {
      return Error(StatusCode::kInvalidArgument,
                   "accepted value is not of the column's type: column={} value={}", column.name,
                   text);
    }
  }
  return keys;
}

uint64_t Mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
  return hash ^ hash >> 29;
}

}  // namespace

Result<PartitionMap> PartitionMap::Make(std::shared_ptr<const RowSchema> schema,
                                        std::shared_ptr<arrow::Schema> batch_schema,
                                        BlockPool* pool, int64_t dictionaries_bytes_max) {
  PartitionMap partitions;
  for (const PartitionDecl& field : schema->partition_by) {
    auto column = std::find_if(schema->columns.begin(), schema->columns.end(),
                               [&](const Column& c) { return c.name == field.source_column; });
    if (column == schema->columns.end()) {
      return Error(StatusCode::kInvalidArgument,
                   "partition field of an unknown column: field={} column={}", field.name,
                   field.source_column);
    }
    PH_ASSIGN_OR_RETURN(TypePlan plan, MakeTypePlan(column->name, *column->type));
    if (!CanPartition(field.transform, *column->type)) {
      return Error(StatusCode::kInvalidArgument,
                   "partition transform does not fit the column's type: field={} column={} type={}",
                   field.name, column->name, plan.type_name);
    }
    std::vector<KeyValue> accepted;
    if (field.transform == PartitionTransform::kIdentity) {
      PH_ASSIGN_OR_RETURN(accepted, AcceptedKeys(*column, plan.kind));
    }
    partitions.fields_.push_back({.transform = field.transform,
                                  .column = static_cast<size_t>(column - schema->columns.begin()),
                                  .kind = plan.kind,
                                  .type = column->type,
                                  .accepted = std::move(accepted),
                                  .name = column->name});
  }
  partitions.schema_ = std::move(schema);
  partitions.batch_schema_ = std::move(batch_schema);
  partitions.pool_ = pool;
  partitions.dictionaries_bytes_max_ = dictionaries_bytes_max;
  partitions.key_.resize(partitions.fields_.size());
  return partitions;
}

void PartitionMap::ComputeKey(const RecordParser& record) {
  for (size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    const Slot& slot = record.column(field.column);
    KeyPart& part = key_[i];
    part = {};
    if (!slot.has_value()) continue;
    part.is_null = false;
    if (field.kind == TypeKind::kText) {
      part.is_text = true;
      part.text = slot.view();
    } else if (field.transform == PartitionTransform::kIdentity ||
               field.kind == TypeKind::kDate32) {
      part.integer = slot.integer;
    } else {
      part.integer =
          FloorDivide(slot.integer,
                      field.transform == PartitionTransform::kDay ? kMicrosPerDay : kMicrosPerHour);
    }
  }
}

bool PartitionMap::Matches(const PartitionBuffers& partition) const {
  for (size_t i = 0; i < key_.size(); ++i) {
    const KeyPart& part = key_[i];
    const KeyValue& value = partition.key[i];
    if (part.is_null) {
      if (!std::holds_alternative<std::monostate>(value)) return false;
    } else if (part.is_text) {
      const auto* text = std::get_if<std::string>(&value);
      if (text == nullptr || !EqualTexts(*text, part.text)) return false;
    } else {
      const auto* integer = std::get_if<int64_t>(&value);
      if (integer == nullptr || *integer != part.integer) return false;
    }
  }
  return true;
}

uint64_t PartitionMap::HashOfKey() const {
  uint64_t hash = 0;
  for (const KeyPart& part : key_) {
    hash = Mix(hash, part.is_null ? 1 : 2);
    hash = Mix(hash, part.is_text ? std::hash<std::string_view>()(part.text)
                                  : static_cast<uint64_t>(part.integer));
  }
  return hash;
}

PartitionMap::PartitionBuffers* PartitionMap::Find(const RecordParser& record,
                                                   std::string* problem) {
  ComputeKey(record);
  if (last_ != nullptr && Matches(*last_)) return last_;
  // Most streams have few partitions at a time, which are told by their first bytes.
  for (size_t i = 0; i < std::min(filled_.size(), kPartitionsCompared); ++i) {
    if (Matches(*filled_[i])) return last_ = filled_[i];
  }
  const uint64_t hash = HashOfKey();
  const auto [begin, end] = by_hash_.equal_range(hash);
  for (auto found = begin; found != end; ++found) {
    if (Matches(*found->second)) return Take(found->second);
  }
  if (!IsAllowed(problem)) return nullptr;
  return Take(Add(hash));
}

PartitionMap::PartitionBuffers* PartitionMap::Take(PartitionBuffers* partition) {
  if (!std::exchange(partition->has_rows, true)) filled_.push_back(partition);
  return last_ = partition;
}

bool PartitionMap::IsAllowed(std::string* problem) {
  std::string joined;
  for (size_t i = 0; i < fields_.size(); ++i) {
    const Field& field = fields_[i];
    const KeyPart& part = key_[i];
    if (field.transform != PartitionTransform::kIdentity) continue;
    if (part.is_null) {
      joined += "n;";
      continue;
    }
    const std::string text =
        part.is_text ? std::string(part.text) : IdentityValueText(*field.type, part.integer);
    if (text.size() > kPartitionTextBytesMax) {
      *problem = fmt::format("{}: longer than {} bytes: {}", field.name, kPartitionTextBytesMax,
                             Excerpt(text));
      return false;
    }
    const KeyValue value = part.is_text ? KeyValue(text) : KeyValue(part.integer);
    if (!field.accepted.empty() &&
        std::find(field.accepted.begin(), field.accepted.end(), value) == field.accepted.end()) {
      *problem = fmt::format("{}: not an accepted value: {}", field.name, Excerpt(text));
      return false;
    }
    joined += fmt::format("{}:{};", text.size(), text);
  }
  // Days and hours are bounded by the event time's range; identity values by nothing but this.
  if (identities_.contains(joined)) return true;
  if (identities_.size() >= static_cast<size_t>(schema_->partition_keys_max)) {
    *problem =
        fmt::format("more than {} partition values in an epoch", schema_->partition_keys_max);
    return false;
  }
  identities_.insert(std::move(joined));
  return true;
}

PartitionMap::PartitionBuffers* PartitionMap::Add(uint64_t hash) {
  std::unique_ptr<PartitionBuffers> partition;
  if (spare_.empty()) {
    partition = std::make_unique<PartitionBuffers>(PartitionBuffers{
        .key = {}, .rows = RowBuffers(batch_schema_, pool_, ColumnBuffer::Text::kCoded)});
  } else {
    partition = std::move(spare_.back());
    spare_.pop_back();
  }
  partition->key.clear();
  for (const KeyPart& part : key_) {
    if (part.is_null) {
      partition->key.emplace_back(std::monostate());
    } else if (part.is_text) {
      partition->key.emplace_back(std::string(part.text));
    } else {
      partition->key.emplace_back(part.integer);
    }
  }
  partitions_.push_back(std::move(partition));
  by_hash_.emplace(hash, partitions_.back().get());
  return partitions_.back().get();
}

void PartitionMap::Drop(std::unique_ptr<PartitionBuffers> partition) {
  if (spare_.size() == kSparePartitionsMax) return;
  partition->rows.StartGeneration();
  spare_.push_back(std::move(partition));
}

void PartitionMap::StartEpoch() {
  identities_.clear();
  drops_all_ = true;
  if (filled_.empty()) Finish(nullptr);
}

void PartitionMap::Finish(std::vector<decode::PartitionBatch>* out) {
  ++finishes_;
  for (PartitionBuffers* partition : filled_) {
    partition->has_rows = false;
    partition->used = finishes_;
    // A decoder for verdicts appends nothing.
    if (partition->rows.row_count() == 0) continue;
    RowBuffers::Batch batch = partition->rows.Finish();
    out->push_back(
        {.key = partition->key, .rows = std::move(batch.rows), .generation = batch.generation});
  }
  filled_.clear();
  last_ = nullptr;

  DropIdle();
  LimitDictionaries();
}

void PartitionMap::LimitDictionaries() {
  int64_t total = 0;
  std::vector<std::pair<int64_t, PartitionBuffers*>> by_bytes;
  for (const auto& partition : partitions_) {
    by_bytes.emplace_back(partition->rows.dictionary_bytes(), partition.get());
    total += by_bytes.back().first;
  }
  if (total <= dictionaries_bytes_max_) return;
  std::ranges::sort(by_bytes, std::greater());
  for (const auto& [bytes, partition] : by_bytes) {
    if (total <= dictionaries_bytes_max_) return;
    partition->rows.StartGeneration();
    total -= bytes;
  }
}

void PartitionMap::DropIdle() {
  const bool drops_all =
      std::exchange(drops_all_, false) || partitions_.size() > kPartitionsKeptMax;
  const auto is_dropped = [&](const PartitionBuffers& partition) {
    return drops_all || finishes_ - partition.used > kIdleFinishes;
  };
  std::erase_if(by_hash_, [&](const auto& entry) { return is_dropped(*entry.second); });
  const auto dropped =
      std::stable_partition(partitions_.begin(), partitions_.end(),
                            [&](const auto& partition) { return !is_dropped(*partition); });
  for (auto partition = dropped; partition != partitions_.end(); ++partition)
    Drop(std::move(*partition));
  partitions_.erase(dropped, partitions_.end());
}

}  // namespace playhead::decode
