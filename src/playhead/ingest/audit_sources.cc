#include "playhead/ingest/audit_sources.h"

#include "playhead/ingest/audit_positions.h"

#include <algorithm>
#include <map>
#include <vector>

namespace playhead::ingest {
namespace {

class SourceAudit {
 public:
  SourceAudit(const AuditSubject& subject, AuditContext context)
      : subject_(subject), context_(context) {}

  /// A topic of which nothing is ingested.
  void AuditUnread() {
    if (subject_.topic.empty()) return;
    LogView& view = context_.logs.Of(subject_.topic);
    ReportFailure(view);
    for (const auto& [partition, bounds] : view.bounds) {
      AuditUnreadPartition(view, partition, bounds);
    }
  }

  Status AuditRows(const catalog::TableState& main, const SubjectFiles& files) {
    PH_ASSIGN_OR_RETURN(const table::TableProgress progress, table::ReadProgress(*main.metadata));
    std::vector<ReadRange> ranges = RangesOf(progress, subject_.topic);
    PH_ASSIGN_OR_RETURN(
        const std::vector<catalog::LandingFile> ledger,
        context_.catalog.LandingFiles(subject_.main, main.metadata->table_uuid, false));
    std::set<std::string> file_topics;
    for (const catalog::LandingFile& file : ledger) file_topics.insert(file.topic);
    Positions positions(context_.connection, subject_.main, files.main, subject_.dead, files.dead,
                        ranges, file_topics);
    PH_ASSIGN_OR_RETURN(RowsByTopic found, positions.Count());
    GuessTopics(found, ranges);
    PH_RETURN_IF_ERROR(AuditLogs(ranges, positions, found));
    AuditLanding(ledger, found);
    ReportUnknownTopics(found);
    return {};
  }

 private:
  void Problem(const std::string& what) {
    context_.report.problems.push_back(subject_.main.ToString() + ": " + what);
  }

  void AuditUnreadPartition(LogView& view, const LogPartition& partition,
                            const OffsetRange& bounds) {
    if (bounds.end == 0) return;
    AuditLine line{.stream = subject_.name,
                   .source = fmt::format("{} log={} partition={}", partition.topic,
                                         partition.log_id, partition.partition)};
    JudgeByLog(view, partition, bounds, 0, line);
    context_.report.lines.push_back(std::move(line));
  }

  void ReportFailure(const LogView& view) {
    if (view.failure.ok()) return;
    const std::string what =
        fmt::format("the log of topic {}: {}", subject_.topic, view.failure.message());
    if (view.failure.code() == StatusCode::kDataCorrupt) {
      Problem(what);
    } else {
      context_.report.unchecked.push_back(subject_.main.ToString() + ": " + what);
    }
  }

  /// The log against the offset that the table reads next.
  void JudgeByLog(LogView& view, const LogPartition& partition, const OffsetRange& bounds,
                  int64_t next_offset, AuditLine& line) {
    line.lag = std::max<int64_t>(0, bounds.end - std::max(next_offset, bounds.begin));
    if (next_offset > bounds.end) {
      line.problems.push_back(fmt::format("the table stands at offset {}, beyond the log's end {}",
                                          next_offset, bounds.end));
    }
    if (next_offset < bounds.begin) {
      line.problems.push_back(
          fmt::format("offsets {} to {} are gone from the log before they were ingested",
                      next_offset, bounds.begin - 1));
    }
    if (!JournalTopicOf(partition.log_id) || *line.lag == 0) return;
    const auto lost = FindLostOffsets(*view.reader, partition, next_offset, bounds.end);
    if (!lost.ok()) {
      const std::string what =
          fmt::format("offsets from {} on: {}", next_offset, lost.status().message());
      if (lost.status().code() == StatusCode::kDataCorrupt) {
        line.problems.push_back(what);
      } else {
        context_.report.unchecked.push_back(
            fmt::format("{} {}: {}", line.stream, line.source, what));
      }
      return;
    }
    for (const LostOffsets& part : *lost) {
      line.problems.push_back(fmt::format("offsets {} to {} are lost before they were ingested: {}",
                                          part.range.begin, part.range.end - 1, part.why));
    }
  }

  /// Kafka's log ids do not name their topic. A log that is not one of today's takes the one topic
  /// whose rows are as many as were committed, if the stream's own does not fit.
  void GuessTopics(const RowsByTopic& found, std::vector<ReadRange>& ranges) {
    for (ReadRange& range : ranges) {
      if (JournalTopicOf(range.log_id)) continue;
      const auto fits = [&](const TopicPartition& source, const TopicRows& rows) {
        return source.second == range.partition && rows.rows == range.counts.good &&
               rows.dead_rows == range.counts.dead && !source.first.starts_with("file:");
      };
      if (!subject_.topic.empty()) {
        const LogPartition own{
            .log_id = range.log_id, .topic = subject_.topic, .partition = range.partition};
        if (context_.logs.Of(subject_.topic).Find(own) != nullptr) continue;
        const auto rows = found.find({subject_.topic, range.partition});
        if (rows != found.end() && fits(rows->first, rows->second)) continue;
      }
      const auto other = std::ranges::find_if(
          found, [&](const auto& entry) { return fits(entry.first, entry.second); });
      if (other != found.end()) range.topic = other->first.first;
    }
  }

  /// The log partitions of one stream. Several logs of one topic (a re-created journal) share
  /// `_topic`, so rows are compared with the sum over the logs.
  Status AuditLogs(const std::vector<ReadRange>& ranges, Positions& positions, RowsByTopic& found) {
    std::map<TopicPartition, std::vector<const ReadRange*>> by_source;
    for (const ReadRange& range : ranges) {
      by_source[{range.topic, range.partition}].push_back(&range);
    }
    for (const auto& [source, logs] : by_source) {
      TopicRows rows;
      if (const auto it = found.find(source); it != found.end()) {
        rows = it->second;
        found.erase(it);
      }
      std::vector<AuditLine> lines;
      table::RecordCounts sum;
      for (const ReadRange* range : logs) {
        const table::RecordCounts& counts = range->counts;
        sum.good += counts.good;
        if (subject_.dead) sum.dead += counts.dead;
        AuditLine line{.stream = subject_.name,
                       .source = fmt::format("{} log={} partition={}", range->topic, range->log_id,
                                             range->partition),
                       .next_offset = range->range.end,
                       .counts = counts,
                       .rows = rows.rows,
                       .dead_rows = rows.dead_rows};
        if (counts.read != counts.good + counts.dead + counts.skipped) {
          line.problems.push_back(fmt::format("read {} is not good {} + dead {} + skipped {}",
                                              counts.read, counts.good, counts.dead,
                                              counts.skipped));
        }
        lines.push_back(std::move(line));
      }
      AuditLine& first = lines.front();
      if (rows.rows != sum.good) {
        first.problems.push_back(fmt::format("{} has {} rows, {} were committed",
                                             subject_.main.ToString(), rows.rows, sum.good));
      }
      if (rows.dead_rows != sum.dead) {
        first.problems.push_back(fmt::format("{} has {} rows, {} were committed",
                                             subject_.dead->ToString(), rows.dead_rows, sum.dead));
      }
      PH_RETURN_IF_ERROR(AuditPositions(source, logs, sum, rows, positions, first));
      for (size_t i = 0; i < logs.size(); ++i) {
        CompareWithLog(*logs[i], lines[i]);
        context_.report.lines.push_back(std::move(lines[i]));
      }
    }
    if (subject_.topic.empty() || !subject_.is_declared) return {};
    LogView& view = context_.logs.Of(subject_.topic);
    ReportFailure(view);
    for (const auto& [partition, bounds] : view.bounds) {
      const bool is_known = std::ranges::any_of(ranges, [&](const ReadRange& range) {
        return range.partition == partition.partition && IsLogOf(range.log_id, partition.log_id);
      });
      if (!is_known) AuditUnreadPartition(view, partition, bounds);
    }
    return {};
  }

  /// The positions as a set: the offsets of the ranges, each once.
  Status AuditPositions(const TopicPartition& source, const std::vector<const ReadRange*>& logs,
                        const table::RecordCounts& sum, const TopicRows& rows, Positions& positions,
                        AuditLine& line) {
    const bool went_back =
        std::ranges::any_of(logs, [](const ReadRange* range) { return range->range.begin < 0; });
    if (went_back) {
      context_.report.unchecked.push_back(
          fmt::format("{} {}: positions, since the log was cut back once and ingest went on from "
                      "its end (--accept-gap)",
                      line.stream, line.source));
      return {};
    }
    if (logs.size() > 1) {
      std::vector<ReadRange> ranges;
      for (const ReadRange* range : logs) ranges.push_back(*range);
      PH_ASSIGN_OR_RETURN(const int64_t beyond, positions.CountBeyond(source, ranges));
      if (beyond > 0) {
        line.problems.push_back(
            fmt::format("at {} offsets stand more rows than logs have a record there", beyond));
      }
      return {};
    }
    const OffsetRange& range = logs.front()->range;
    CheckOnce(rows, line);
    if (rows.last >= range.end) {
      line.problems.push_back(
          fmt::format("a row stands at offset {}, beyond the map's next {}", rows.last, range.end));
    }
    if (rows.positions > 0 && rows.first < range.begin) {
      line.problems.push_back(fmt::format("a row stands at offset {}, before the first one read {}",
                                          rows.first, range.begin));
    }
    if (rows.positions < sum.good + sum.dead) {
      PH_ASSIGN_OR_RETURN(const std::string missing, positions.DescribeMissing(source, range));
      line.problems.push_back(fmt::format(
          "no row stands at offset {}{}", missing,
          logs.front()->counts.skipped == 0
              ? ""
              : fmt::format(", of which {} were skipped", logs.front()->counts.skipped)));
    }
    return {};
  }

  static void CheckOnce(const TopicRows& rows, AuditLine& line) {
    const int64_t all = rows.rows + rows.dead_rows;
    if (rows.positions != all) {
      line.problems.push_back(
          fmt::format("{} rows stand at a position that another row has", all - rows.positions));
    }
  }

  /// A map entry of an earlier release has the journal's UUID alone.
  static bool IsLogOf(const LogId& entry, const LogId& log_id) {
    return entry == log_id || (JournalTopicOf(log_id) && log_id.starts_with(entry + "/"));
  }

  /// Today's log that a map's entry is of; null when the topic has another one.
  const std::pair<const LogPartition, OffsetRange>* FindLog(const ReadRange& range) {
    if (range.topic.empty()) return nullptr;
    for (const auto& entry : context_.logs.Of(range.topic).bounds) {
      if (entry.first.partition == range.partition && IsLogOf(range.log_id, entry.first.log_id)) {
        return &entry;
      }
    }
    return nullptr;
  }

  void CompareWithLog(const ReadRange& range, AuditLine& line) {
    const bool is_own = range.topic == subject_.topic;
    const auto* log = FindLog(range);
    if (log == nullptr) {
      // Said once for the stream.
      if (is_own && !range.topic.empty() && !context_.logs.Of(range.topic).failure.ok()) return;
      context_.report.unchecked.push_back(
          fmt::format("{} {}: against its log, which is not the topic's log of today", line.stream,
                      line.source));
      return;
    }
    const auto& [partition, bounds] = *log;
    if (is_own) {
      JudgeByLog(context_.logs.Of(range.topic), partition, bounds, range.range.end, line);
      return;
    }
    if (range.range.end > bounds.end) {
      line.problems.push_back(fmt::format("the table stands at offset {}, beyond the log's end {}",
                                          range.range.end, bounds.end));
    }
    // Another stream reads the topic now, or the table is nobody's.
    if (context_.declared_topics.contains(range.topic) || !subject_.is_declared) return;
    line.lag = std::max<int64_t>(0, bounds.end - range.range.end);
    if (*line.lag > 0) {
      line.problems.push_back(fmt::format(
          "offsets {} to {} of topic {}, which the stream read before, are not ingested",
          range.range.end, bounds.end - 1, range.topic));
    }
  }

  void AuditLanding(const std::vector<catalog::LandingFile>& ledger, RowsByTopic& found) {
    for (const catalog::LandingFile& file : ledger) {
      if (!file.is_current && !subject_.keeps_replaced) {
        if (!subject_.is_declared)
          found.erase({file.topic, 0});  // whether it keeps them is unknown
        continue;
      }
      AuditLine line{.stream = subject_.name,
                     .source = file.topic,
                     .next_offset = file.rows_good + file.rows_dead,
                     .counts = {.read = file.rows_good + file.rows_dead,
                                .good = file.rows_good,
                                .dead = file.rows_dead}};
      TopicRows rows;
      if (const auto it = found.find({file.topic, 0}); it != found.end()) {
        rows = it->second;
        found.erase(it);
      }
      line.rows = rows.rows;
      line.dead_rows = rows.dead_rows;
      if (rows.rows != file.rows_good || (subject_.dead && rows.dead_rows != file.rows_dead)) {
        line.problems.push_back(
            fmt::format("{} rows and {} dead letters, the ledger says {} and {}", rows.rows,
                        rows.dead_rows, file.rows_good, file.rows_dead));
      }
      CheckOnce(rows, line);
      context_.report.lines.push_back(std::move(line));
    }
  }

  /// Rows of a `_topic` that no log and no landing file of ours has.
  void ReportUnknownTopics(const RowsByTopic& found) {
    for (const auto& [topic, rows] : found) {
      if (!rows.is_all_own && !topic.first.starts_with("file:")) {
        context_.report.foreign.push_back(
            {.stream = subject_.name,
             .source = fmt::format("rows of another writer (_topic={} _topic_partition={})",
                                   topic.first, topic.second),
             .rows = rows.rows,
             .dead_rows = rows.dead_rows});
        continue;
      }
      Problem(
          fmt::format("{} rows and {} dead letters of a source nobody committed: _topic={} "
                      "_topic_partition={}",
                      rows.rows, rows.dead_rows, topic.first, topic.second));
    }
  }

  const AuditSubject& subject_;
  AuditContext context_;
};

}  // namespace

void AuditUnreadTopic(const AuditSubject& subject, AuditContext context) {
  SourceAudit(subject, context).AuditUnread();
}

Status AuditSources(const AuditSubject& subject, const catalog::TableState& main,
                    const SubjectFiles& files, AuditContext context) {
  return SourceAudit(subject, context).AuditRows(main, files);
}

}  // namespace playhead::ingest
