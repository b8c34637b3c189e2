#include "playhead/ingest/audit_positions.h"

#include "playhead/ingest/log_views.h"
#include "playhead/sql/quote.h"

#include <charconv>

namespace playhead::ingest {
namespace {

constexpr int kMissingMax = 5;

int64_t Integer(const sql::ResultTable& table, int64_t row, int column) {
  const std::string text = table.CellText(row, column).value_or("0");
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// What SQL's hex() gave. A cell of text is made fit to be printed, so it may not be the text.
std::string FromHex(std::string_view hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    int byte = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, byte, 16);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

/// `('a', 'b')`; never empty.
std::string TextList(const auto& texts) {
  std::string list = "(''";
  for (const std::string& text : texts) list += ", " + sql::QuotedText(text);
  return list + ")";
}

std::string IsIn(const OffsetRange& range) {
  return fmt::format("(_offset >= {} AND _offset < {})", range.begin, range.end);
}

std::string IsOf(const TopicPartition& source) {
  return fmt::format("_topic = {} AND _topic_partition = {}", sql::QuotedText(source.first),
                     source.second);
}

std::string RowsSql(const catalog::TableId& id, const ForeignFiles& files, bool is_dead,
                    const std::string& is_ours) {
  if (files.empty()) {
    return fmt::format(
        "SELECT _topic, _topic_partition, _offset, {} AS is_dead, true AS is_own FROM {}.{}",
        is_dead, sql::QuotedName(id.table_namespace), sql::QuotedName(id.name));
  }
  return fmt::format(
      "SELECT _topic, _topic_partition, _offset, {} AS is_dead, file IN {} AS is_own FROM "
      "(SELECT *, regexp_replace(filename, '^file:/*', '/') AS file FROM playhead_scan([{}, {}])) "
      "WHERE file NOT IN {} OR {}",
      is_dead, TextList(files.own), sql::QuotedText(id.table_namespace), sql::QuotedText(id.name),
      TextList(files.appended), is_ours);
}

}  // namespace

Positions::Positions(sql::Connection& connection, const catalog::TableId& main,
                     const ForeignFiles& main_files, const std::optional<catalog::TableId>& dead,
                     const ForeignFiles& dead_files, const std::vector<ReadRange>& ranges,
                     const std::set<std::string>& file_topics)
    : connection_(connection) {
  std::string is_ours = "coalesce(_topic IN " + TextList(file_topics);
  for (const ReadRange& range : ranges) {
    is_ours +=
        fmt::format(" OR ({} AND {})", IsOf({range.topic, range.partition}), IsIn(range.range));
  }
  is_ours += ", false)";
  sql_ = RowsSql(main, main_files, false, is_ours);
  if (dead) sql_ += " UNION ALL " + RowsSql(*dead, dead_files, true, is_ours);
}

Result<RowsByTopic> Positions::Count() {
  PH_ASSIGN_OR_RETURN(
      const auto table,
      connection_.Query(fmt::format(
          "SELECT hex(_topic), _topic_partition, count(*) FILTER (NOT is_dead), "
          "count(*) FILTER (is_dead), count(DISTINCT _offset), min(_offset), max(_offset), "
          "count(*) FILTER (NOT is_own) FROM ({}) GROUP BY ALL ORDER BY ALL",
          sql_)));
  RowsByTopic found;
  for (int64_t row = 0; row < table->rows(); ++row) {
    found[{FromHex(table->CellText(row, 0).value_or("")),
           static_cast<int32_t>(Integer(*table, row, 1))}] = {
        .rows = Integer(*table, row, 2),
        .dead_rows = Integer(*table, row, 3),
        .positions = Integer(*table, row, 4),
        .first = Integer(*table, row, 5),
        .last = Integer(*table, row, 6),
        .is_all_own = Integer(*table, row, 7) == 0};
  }
  return found;
}

Result<int64_t> Positions::CountBeyond(const TopicPartition& source,
                                       const std::vector<ReadRange>& ranges) {
  std::string expected = "0";
  for (const ReadRange& range : ranges) {
    if (range.topic != source.first || range.partition != source.second) continue;
    expected += " + " + IsIn(range.range) + "::INTEGER";
  }
  PH_ASSIGN_OR_RETURN(
      const auto table,
      connection_.Query(fmt::format("SELECT count(*) FROM (SELECT _offset, count(*) AS n FROM ({}) "
                                    "WHERE {} GROUP BY _offset) WHERE n > {}",
                                    sql_, IsOf(source), expected)));
  return Integer(*table, 0, 0);
}

Result<std::string> Positions::DescribeMissing(const TopicPartition& source, OffsetRange range) {
  PH_ASSIGN_OR_RETURN(
      const auto table,
      connection_.Query(fmt::format(
          "SELECT before + 1, _offset - 1 FROM (SELECT _offset, lag(_offset, 1, {}) OVER (ORDER BY "
          "_offset) AS before FROM (SELECT DISTINCT _offset FROM ({}) WHERE {} AND {} UNION ALL "
          "SELECT {})) WHERE _offset > before + 1 ORDER BY 1 LIMIT {}",
          range.begin - 1, sql_, IsOf(source), IsIn(range), range.end, kMissingMax + 1)));
  std::string text;
  for (int64_t row = 0; row < table->rows(); ++row) {
    if (row == kMissingMax) return text + " and more";
    const int64_t first = Integer(*table, row, 0);
    const int64_t last = Integer(*table, row, 1);
    text += (text.empty() ? "" : ", ") +
            (first == last ? fmt::format("{}", first) : fmt::format("{} to {}", first, last));
  }
  return text;
}

std::vector<ReadRange> RangesOf(const table::TableProgress& progress,
                                const std::string& declared_topic) {
  std::vector<ReadRange> ranges;
  for (const auto& [log_id, partitions] : progress.offsets) {
    for (const auto& [partition, next_offset] : partitions) {
      ReadRange range{.log_id = log_id,
                      .topic = JournalTopicOf(log_id).value_or(declared_topic),
                      .partition = partition};
      if (const auto log = progress.counts.find(log_id); log != progress.counts.end()) {
        if (const auto entry = log->second.find(partition); entry != log->second.end()) {
          range.counts = entry->second;
        }
      }
      range.range = {.begin = next_offset - range.counts.read, .end = next_offset};
      ranges.push_back(std::move(range));
    }
  }
  return ranges;
}

}  // namespace playhead::ingest
