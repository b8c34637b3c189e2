#pragma once

#include "playhead/base/status.h"
#include "playhead/decode/column_buffer.h"
#include "playhead/decode/record_decoder.h"
#include "playhead/decode/record_parser.h"
#include "playhead/decode/row_schema.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace playhead::decode {

/// Text of a partition key; with Hive's escapes it must still be a file name.
inline constexpr size_t kPartitionTextBytesMax = 64;

/// The column buffers of each partition key, found by the values of a parsed record.
///
/// Threads  one at a time.
class Lanes {
 public:
  /// One partition key and the rows that have it.
  struct Lane {
    PartitionKey key;
    RowBuffers rows;
  };

  /// Errors: kInvalidArgument names a partition field that cannot be computed.
  static Result<Lanes> Make(std::shared_ptr<const RowSchema> schema,
                            std::shared_ptr<arrow::Schema> batch_schema, BlockPool* pool);

  /// The lane of the parser's record, made when there is none; null when the key is refused, and
  /// then `problem` says why.
  Lane* Find(const RecordParser& record, std::string* problem);

  int64_t size() const { return static_cast<int64_t>(lanes_.size()); }

  /// Forgets which identity values the epoch has seen.
  void StartEpoch() { identities_.clear(); }

  /// Calls `visit` with the rows of each lane.
  template <typename Visit>
  void ForEach(const Visit& visit) {
    for (const auto& lane : lanes_) visit(lane->rows);
  }

  /// Takes the rows of all lanes, in order of their first rows.
  void Finish(std::vector<decode::Lane>* out);

 private:
  /// One value of a key, borrowed from the record.
  struct KeyPart {
    bool is_null = true;
    bool is_text = false;
    int64_t integer = 0;
    std::string_view text;
  };
  struct Field {
    Transform transform;
    size_t column;
    TypeKind kind;
    std::vector<std::string> accepted;
    std::string name;
  };

  Lanes() = default;
  void ComputeKey(const RecordParser& record);
  bool Matches(const Lane& lane) const;
  uint64_t HashOfKey() const;
  bool IsAllowed(std::string* problem);
  Lane* Add(uint64_t hash);
  void GrowTable();

  std::shared_ptr<const RowSchema> schema_;
  std::shared_ptr<arrow::Schema> batch_schema_;
  BlockPool* pool_ = nullptr;
  std::vector<Field> fields_;

  std::vector<KeyPart> key_;  // of the record in hand
  Lane* last_ = nullptr;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<uint64_t> hashes_;                // of lanes_
  std::vector<int32_t> table_;                  // open addressing by hash, -1 = free
  std::unordered_set<std::string> identities_;  // identity values of the epoch's keys, joined
  std::vector<std::unique_ptr<Lane>> spare_;    // lanes of earlier epochs
};

}  // namespace playhead::decode
