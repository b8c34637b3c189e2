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

/// Of the dictionaries of all lanes; the largest begin anew when they come to more.
inline constexpr int64_t kLaneDictionariesBytesMax = 128LL << 20;

/// The column buffers of each partition key, found by the values of a parsed record.
///
/// Threads  one at a time.
class Lanes {
 public:
  /// One partition key and the rows that have it.
  struct Lane {
    PartitionKey key;
    RowBuffers rows;
    bool has_rows = false;  // since the last Finish(), also such that are still to be appended
    int64_t used = 0;       // how many times Finish() had been called when it got its last rows
  };

  /// Errors: kInvalidArgument names a partition field that cannot be computed.
  static Result<Lanes> Make(std::shared_ptr<const RowSchema> schema,
                            std::shared_ptr<arrow::Schema> batch_schema, BlockPool* pool,
                            int64_t dictionaries_bytes_max = kLaneDictionariesBytesMax);

  /// The lane of the parser's record, which then is to be appended to it, made when there is none;
  /// null when the key is refused, and then `problem` says why.
  Lane* Find(const RecordParser& record, std::string* problem);

  /// Of the lanes that have got rows since the last Finish().
  int64_t size() const { return static_cast<int64_t>(filled_.size()); }

  /// Forgets the lanes and which identity values the epoch has seen.
  void StartEpoch();

  /// Calls `visit` with the rows of each lane that has some.
  template <typename Visit>
  void ForEach(const Visit& visit) {
    for (Lane* lane : filled_) visit(lane->rows);
  }

  /// Takes the rows of all lanes, in order of their first rows. Lanes go on, with the dictionaries
  /// of their columns, unless there are many or they have been idle.
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
    PartitionTransform transform;
    size_t column;
    TypeKind kind;
    std::shared_ptr<arrow::DataType> type;
    std::vector<KeyValue> accepted;
    std::string name;
  };

  Lanes() = default;
  void ComputeKey(const RecordParser& record);
  bool Matches(const Lane& lane) const;
  uint64_t HashOfKey() const;
  bool IsAllowed(std::string* problem);
  Lane* Add(uint64_t hash);
  Lane* Take(Lane* lane);
  void Drop(std::unique_ptr<Lane> lane);
  void DropIdle();
  void LimitDictionaries();

  std::shared_ptr<const RowSchema> schema_;
  std::shared_ptr<arrow::Schema> batch_schema_;
  BlockPool* pool_ = nullptr;
  int64_t dictionaries_bytes_max_ = 0;
  std::vector<Field> fields_;

  std::vector<KeyPart> key_;  // of the record in hand
  Lane* last_ = nullptr;      // one of filled_
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<Lane*> filled_;  // those with rows, in order of their first ones
  int64_t finishes_ = 0;
  bool drops_all_ = false;                            // an epoch has begun while there were rows
  std::unordered_multimap<uint64_t, Lane*> by_hash_;  // lanes_
  std::unordered_set<std::string> identities_;        // identity values of the epoch's keys, joined
  std::vector<std::unique_ptr<Lane>> spare_;          // for new lanes
};

}  // namespace playhead::decode
