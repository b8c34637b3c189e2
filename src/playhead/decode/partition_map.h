#pragma once

#include "playhead/base/status.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/record_parser.h"
#include "playhead/decode/row_buffers.h"
#include "playhead/decode/row_schema.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace playhead::decode {

/// Text of a partition key; with Hive's escapes it must still be a file name.
inline constexpr size_t kPartitionTextBytesMax = 64;

/// Of the dictionaries of all partitions; the largest begin anew when they come to more.
inline constexpr int64_t kPartitionDictionariesBytesMax = 128LL << 20;

/// The column buffers of each partition key, found by the values of a parsed record.
///
/// Threads  one at a time.
class PartitionMap {
 public:
  /// One partition key and the rows that have it.
  struct PartitionBuffers {
    PartitionKey key;
    RowBuffers rows;
    bool has_rows = false;  // since the last Finish(), also such that are still to be appended
    int64_t used = 0;       // how many times Finish() had been called when it got its last rows
  };

  /// Errors: kInvalidArgument names a partition field that cannot be computed.
  static Result<PartitionMap> Make(std::shared_ptr<const RowSchema> schema,
                                   std::shared_ptr<arrow::Schema> batch_schema, BlockPool* pool,
                                   int64_t dictionaries_bytes_max = kPartitionDictionariesBytesMax);

  /// The partition of the parser's record, which then is to be appended to it, made when there is
  /// none; null when the key is refused, and then `problem` says why.
  PartitionBuffers* Find(const RecordParser& record, std::string* problem);

  /// Of the partitions that have got rows since the last Finish().
  int64_t size() const { return static_cast<int64_t>(filled_.size()); }

  /// Forgets the partitions and which identity values the epoch has seen.
  void StartEpoch();

  /// Calls `visit` with the rows of each partition that has some.
  template <typename Visit>
  void ForEach(const Visit& visit) {
    for (PartitionBuffers* partition : filled_) visit(partition->rows);
  }

  /// Takes the rows of all partitions, in order of their first rows. Partitions go on, with the
  /// dictionaries of their columns, unless there are many or they have been idle.
  void Finish(std::vector<decode::PartitionBatch>* out);

 private:
  /// One value of a key, borrowed from the record.
  struct KeyPart {
    bool is_null = true;
    bool is_text = false;
    int64_t integer = 0;
    std::string_view text;
  };
  struct Field {
    PartitionTransform transform;
    size_t column;
    TypeKind kind;
    std::shared_ptr<arrow::DataType> type;
    std::vector<KeyValue> accepted;
    std::string name;
  };

  PartitionMap() = default;
  void ComputeKey(const RecordParser& record);
  bool Matches(const PartitionBuffers& partition) const;
  uint64_t HashOfKey() const;
  bool IsAllowed(std::string* problem);
  PartitionBuffers* Add(uint64_t hash);
  PartitionBuffers* Take(PartitionBuffers* partition);
  void Drop(std::unique_ptr<PartitionBuffers> partition);
  void DropIdle();
  void LimitDictionaries();

  std::shared_ptr<const RowSchema> schema_;
  std::shared_ptr<arrow::Schema> batch_schema_;
  BlockPool* pool_ = nullptr;
  int64_t dictionaries_bytes_max_ = 0;
  std::vector<Field> fields_;

  std::vector<KeyPart> key_;          // of the record in hand
  PartitionBuffers* last_ = nullptr;  // one of filled_
  std::vector<std::unique_ptr<PartitionBuffers>> partitions_;
  std::vector<PartitionBuffers*> filled_;  // those with rows, in order of their first ones
  int64_t finishes_ = 0;
  bool drops_all_ = false;  // an epoch has begun while there were rows
  std::unordered_multimap<uint64_t, PartitionBuffers*> by_hash_;  // partitions_
  std::unordered_set<std::string> identities_;  // identity values of the epoch's keys, joined
  std::vector<std::unique_ptr<PartitionBuffers>> spare_;  // for new partitions
};

}  // namespace playhead::decode
