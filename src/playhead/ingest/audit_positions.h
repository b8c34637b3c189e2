#pragma once

#include "playhead/catalog/catalog.h"
#include "playhead/ingest/foreign_files.h"
#include "playhead/sql/engine.h"
#include "playhead/table/progress.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace playhead::ingest {

/// What a table's map says of one log partition.
struct ReadRange {
  LogId log_id;
  std::string topic;  ///< as in the rows' `_topic`
  int32_t partition = 0;
  OffsetRange range;  ///< begins at the first offset ever read, also where it was passed over
  table::RecordCounts counts;
};

/// `_topic` and `_topic_partition`.
using TopicPartition = std::pair<std::string, int32_t>;

/// What the tables hold of one source.
struct TopicRows {
  int64_t rows = 0;
  int64_t dead_rows = 0;
  int64_t positions = 0;  ///< distinct offsets in both tables
  int64_t first = 0;
  int64_t last = -1;
  bool is_all_own = true;  ///< every row lies in a file that we are known to have added
};
using RowsByTopic = std::map<TopicPartition, TopicRows>;

/// The positions of a table and, if there are any, of its dead letters.
class Positions {
 public:
  /// Rows that strangers appended at positions outside `ranges` and of no landing file among
  /// `file_topics` are left out.
  Positions(sql::Connection& connection, const catalog::TableId& main,
            const ForeignFiles& main_files, const std::optional<catalog::TableId>& dead,
            const ForeignFiles& dead_files, const std::vector<ReadRange>& ranges,
            const std::set<std::string>& file_topics);

  /// Errors: the connection's.
  Result<RowsByTopic> Count();
  /// Positions of a source with more rows than ranges that hold it, for a source of several logs.
  Result<int64_t> CountBeyond(const TopicPartition& source, const std::vector<ReadRange>& ranges);
  /// The first few ranges of offsets within `range` that have no row: `5, 7 to 9`.
  Result<std::string> DescribeMissing(const TopicPartition& source, OffsetRange range);

 private:
  sql::Connection& connection_;
  std::string sql_;  // of all rows that are judged
};

/// The map of a table by log partition. A journal's log id names its topic, so that a stream whose
/// topic was renamed is judged right; of other logs it is the declared one.
std::vector<ReadRange> RangesOf(const table::TableProgress& progress,
                                const std::string& declared_topic);

}  // namespace playhead::ingest
