#include "playhead/ingest/audit.h"

#include "playhead/catalog/frozen_catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/ingest/audit_positions.h"
#include "playhead/ingest/foreign_files.h"
#include "playhead/ingest/stray_files.h"
#include "playhead/sql/quote.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace playhead::ingest {
namespace {

constexpr int kTriesMax = 3;
constexpr size_t kStraysNamed = 10;
constexpr std::string_view kDeadSuffix = "_dead";

/// Not the catalog's or the store's, which the next call may get over.
bool IsOfTheTable(const Status& status) {
  return status.code() != StatusCode::kUnavailable &&
         status.code() != StatusCode::kResourceExhausted && status.code() != StatusCode::kCancelled;
}

/// What is audited together: the tables of a stream, or of a stream that is declared no more.
struct Subject {
  std::string name;
  catalog::TableId main;
  std::optional<catalog::TableId> dead;
  std::string topic;  ///< empty: it reads none, or it is not known
  bool keeps_replaced = false;
  bool is_declared = true;
};

/// One of its tables, read.
struct OpenTable {
  catalog::TableState state;
  std::vector<catalog::LiveFile> live;
  ForeignFiles files;
};

class Auditor {
 public:
  Auditor(const std::vector<IngestStream>& streams, catalog::Catalog& catalog,
          storage::ObjectStore& store, const AuditOptions& options)
      : streams_(streams),
        catalog_(catalog),
        store_(store),
        options_(options),
        logs_(options.open_log) {
    for (const IngestStream& stream : streams_) {
      declared_.insert(stream.main.id);
      declared_.insert(stream.dead.id);
      if (!stream.declaration->topic.empty()) topics_.insert(stream.declaration->topic);
    }
  }

  Result<AuditReport> Run() {
    // In this order: a log begins before the tables' moment and ends after it, and a file that is
    // in a folder before that moment has an owner by then.
    for (const std::string& topic : topics_) logs_.Look(topic);
    PH_RETURN_IF_ERROR(ListFolders());
    PH_ASSIGN_OR_RETURN(catalog::CatalogSnapshot snapshot, catalog_.Snapshot());
    frozen_.emplace(catalog_, std::move(snapshot));
    logs_.LookAgain();
    PH_ASSIGN_OR_RETURN(session_, sql::Session::Open(*frozen_, store_, options_.session));
    report_.has_tables = !declared_.empty() || !frozen_->snapshot().locations.empty();
    for (const catalog::PlanRow& plan : frozen_->snapshot().open_plans) {
      report_.notes.push_back(
          fmt::format("{}: an epoch is under way, or the next ingest finishes "
                      "it: plan={}",
                      plan.table.ToString(), plan.plan_id));
    }
    for (const IngestStream& stream : streams_) {
      PH_RETURN_IF_ERROR(AuditSubject(
          {.name = stream.name,
           .main = stream.main.id,
           .dead = stream.dead.id,
           .topic = stream.declaration->topic,
           .keeps_replaced = stream.declaration->on_change == project::OnChange::kAppend}));
    }
    PH_RETURN_IF_ERROR(AuditUndeclared());
    return std::move(report_);
  }

  /// A table whose files were missing is another one by now: its files were replaced meanwhile.
  Result<bool> ShouldTryAgain() {
    if (missing_.empty()) return false;
    PH_ASSIGN_OR_RETURN(const auto now, catalog_.Locations());
    return std::ranges::any_of(missing_, [&](const catalog::TableId& id) {
      const auto found = now.find(id);
      return found == now.end() || found->second != frozen_->snapshot().locations.at(id);
    });
  }

 private:
  void Problem(const catalog::TableId& id, const std::string& what) {
    report_.problems.push_back(id.ToString() + ": " + what);
  }
  void Unchecked(const catalog::TableId& id, const std::string& what) {
    report_.unchecked.push_back(id.ToString() + ": " + what);
  }
  bool IsPresent(const catalog::TableId& id) const {
    return frozen_->snapshot().locations.contains(id);
  }

  Status ListFolders() {
    PH_ASSIGN_OR_RETURN(const auto locations, catalog_.Locations());
    for (const auto& [id, location] : locations) {
      if (!declared_.contains(id)) continue;
      const Result<catalog::TableState> table = catalog_.LoadAt(id, location);
      if (!table.ok()) continue;  // said where it is audited
      auto listed = ListDataFiles(store_, *table->metadata);
      if (!listed.ok()) {
        Unchecked(id, "files in its folder data/: " + listed.status().message());
        continue;
      }
      listed_[id] = *std::move(listed);
    }
    return {};
  }

  /// None: it is not there, or it cannot be read, which is said.
  Result<std::optional<OpenTable>> Open(const catalog::TableId& id) {
    const auto location = frozen_->snapshot().locations.find(id);
    if (location == frozen_->snapshot().locations.end()) return std::optional<OpenTable>();
    Result<catalog::TableState> state = frozen_->LoadAt(id, location->second);
    if (!state.ok() && IsOfTheTable(state.status())) {
      Problem(id, "cannot be read: " + state.status().message());
      return std::optional<OpenTable>();
    }
    PH_RETURN_IF_ERROR(state);
    if (!storage::IsBelow(state->metadata->location, options_.warehouse_uri)) {
      report_.notes.push_back(
          fmt::format("{}: lies outside the warehouse: location={} warehouse={}", id.ToString(),
                      state->metadata->location, options_.warehouse_uri));
    }
    auto live = catalog::LiveFiles(store_, *state->metadata);
    if (!live.ok() && IsOfTheTable(live.status())) {
      if (live.status().code() == StatusCode::kNotFound) missing_.insert(id);
      Problem(id, "cannot be read: " + live.status().message());
      return std::optional<OpenTable>();
    }
    PH_RETURN_IF_ERROR(live);
    OpenTable table{.state = *std::move(state), .live = *std::move(live), .files = {}};
    table.files = FindForeignFiles(*table.state.metadata, table.live);
    return std::optional(std::move(table));
  }

  Status AuditSubject(const Subject& subject) {
    PH_ASSIGN_OR_RETURN(const std::optional<OpenTable> main, Open(subject.main));
    std::optional<OpenTable> dead;
    if (subject.dead) {
      PH_ASSIGN_OR_RETURN(dead, Open(*subject.dead));
    }
    const size_t problems_before = report_.problems.size();
    if (main) ReportForeign(subject.name, main->files, false);
    if (dead) ReportForeign(subject.name, dead->files, true);
    if (main) AuditFiles(*main);
    if (dead) AuditFiles(*dead);
    const bool are_files_whole = report_.problems.size() == problems_before;
    if (main) AuditFolder(*main);
    if (dead) AuditFolder(*dead);
    if (!main) {
      if (IsPresent(subject.main)) return {};  // it cannot be read
      PH_ASSIGN_OR_RETURN(const bool has_left, ReportAbsent(subject.main));
      if (!has_left) AuditUnread(subject);
      return {};
    }
    if (subject.dead && !dead) {
      if (!IsPresent(*subject.dead)) {
        Problem(*subject.dead, "the dead letters' table is not in the catalog");
      }
      return {};
    }
    if (!subject.dead)
      Unchecked(subject.main, "its dead letters, since no table is known to hold them");
    // Rows cannot be counted through missing or damaged files; those are reported already.
    if (!are_files_whole) return {};
    const Status audited = AuditRows(subject, *main, dead ? dead->files : ForeignFiles());
    if (audited.ok() || !IsOfTheTable(audited)) return audited;
    Problem(subject.main, "its rows cannot be read: " + audited.message());
    return {};
  }

  /// A declared table that the catalog does not have, although it was made.
  Result<bool> ReportAbsent(const catalog::TableId& id) {
    const auto& ledger = frozen_->snapshot().landing_files;
    const auto loaded = std::ranges::count(ledger, id, &catalog::LandingFile::table);
    const std::string folder =
        fmt::format("{}/{}/{}", options_.warehouse_uri, id.table_namespace, id.name);
    PH_ASSIGN_OR_RETURN(const storage::ObjectPage metadata,
                        store_.ListPage(folder + "/metadata", "", 1));
    if (metadata.objects.empty() && loaded == 0) return false;
    Problem(id,
            fmt::format(
                "the table is declared and was made, but the catalog does not have it: "
                "another program dropped or renamed it{}{}; rename or register it "
                "under this name again",
                metadata.objects.empty() ? "" : "; its files are in " + folder,
                loaded == 0 ? "" : fmt::format("; {} landing files were loaded into it", loaded)));
    return true;
  }

  /// A topic of which nothing is ingested.
  void AuditUnread(const Subject& subject) {
    if (subject.topic.empty()) return;
    LogView& view = logs_.Of(subject.topic);
    ReportFailure(subject, view);
    for (const auto& [partition, bounds] : view.bounds) {
      AuditUnreadPartition(subject, view, partition, bounds);
    }
  }

  void AuditUnreadPartition(const Subject& subject, LogView& view, const LogPartition& partition,
                            const OffsetRange& bounds) {
    if (bounds.end == 0) return;
    AuditLine line{.stream = subject.name,
                   .source = fmt::format("{} log={} partition={}", partition.topic,
                                         partition.log_id, partition.partition)};
    JudgeByLog(view, partition, bounds, 0, line);
    report_.lines.push_back(std::move(line));
  }

  void ReportFailure(const Subject& subject, const LogView& view) {
    if (view.failure.ok()) return;
    const std::string what =
        fmt::format("the log of topic {}: {}", subject.topic, view.failure.message());
    if (view.failure.code() == StatusCode::kDataCorrupt) {
      Problem(subject.main, what);
    } else {
      Unchecked(subject.main, what);
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
        report_.unchecked.push_back(fmt::format("{} {}: {}", line.stream, line.source, what));
      }
      return;
    }
    for (const LostOffsets& part : *lost) {
      line.problems.push_back(fmt::format("offsets {} to {} are lost before they were ingested: {}",
                                          part.range.begin, part.range.end - 1, part.why));
    }
  }

  Status AuditRows(const Subject& subject, const OpenTable& main, const ForeignFiles& dead_files) {
    PH_ASSIGN_OR_RETURN(const table::TableProgress progress,
                        table::ReadProgress(*main.state.metadata));
    std::vector<ReadRange> ranges = RangesOf(progress, subject.topic);
    PH_ASSIGN_OR_RETURN(
        const std::vector<catalog::LandingFile> ledger,
        frozen_->LandingFiles(subject.main, main.state.metadata->table_uuid, false));
    std::set<std::string> file_topics;
    for (const catalog::LandingFile& file : ledger) file_topics.insert(file.topic);
    Positions positions(*session_, subject.main, main.files, subject.dead, dead_files, ranges,
                        file_topics);
    PH_ASSIGN_OR_RETURN(RowsByTopic found, positions.Count());
    GuessTopics(subject, found, ranges);
    PH_RETURN_IF_ERROR(AuditLogs(subject, ranges, positions, found));
    AuditLanding(subject, ledger, found);
    ReportUnknownTopics(subject, found);
    return {};
  }

  /// Kafka's log ids do not name their topic. A log that is not one of today's takes the one topic
  /// whose rows are as many as were committed, if the stream's own does not fit.
  void GuessTopics(const Subject& subject, const RowsByTopic& found,
                   std::vector<ReadRange>& ranges) {
    for (ReadRange& range : ranges) {
      if (JournalTopicOf(range.log_id)) continue;
      const auto fits = [&](const TopicPartition& source, const TopicRows& rows) {
        return source.second == range.partition && rows.rows == range.counts.good &&
               rows.dead_rows == range.counts.dead && !source.first.starts_with("file:");
      };
      if (!subject.topic.empty()) {
        const LogPartition own{
            .log_id = range.log_id, .topic = subject.topic, .partition = range.partition};
        if (logs_.Of(subject.topic).Find(own) != nullptr) continue;
        const auto rows = found.find({subject.topic, range.partition});
        if (rows != found.end() && fits(rows->first, rows->second)) continue;
      }
      const auto other = std::ranges::find_if(
          found, [&](const auto& entry) { return fits(entry.first, entry.second); });
      if (other != found.end()) range.topic = other->first.first;
    }
  }

  /// The log partitions of one stream. Several logs of one topic (a re-created journal) share
  /// `_topic`, so rows are compared with the sum over the logs.
  Status AuditLogs(const Subject& subject, const std::vector<ReadRange>& ranges,
                   Positions& positions, RowsByTopic& found) {
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
        if (subject.dead) sum.dead += counts.dead;
        AuditLine line{.stream = subject.name,
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
                                             subject.main.ToString(), rows.rows, sum.good));
      }
      if (rows.dead_rows != sum.dead) {
        first.problems.push_back(fmt::format("{} has {} rows, {} were committed",
                                             subject.dead->ToString(), rows.dead_rows, sum.dead));
      }
      PH_RETURN_IF_ERROR(AuditPositions(source, logs, sum, rows, positions, first));
      for (size_t i = 0; i < logs.size(); ++i) {
        CompareWithLog(subject, *logs[i], lines[i]);
        report_.lines.push_back(std::move(lines[i]));
      }
    }
    if (subject.topic.empty() || !subject.is_declared) return {};
    LogView& view = logs_.Of(subject.topic);
    ReportFailure(subject, view);
    for (const auto& [partition, bounds] : view.bounds) {
      const bool is_known = std::ranges::any_of(ranges, [&](const ReadRange& range) {
        return range.partition == partition.partition && IsLogOf(range.log_id, partition.log_id);
      });
      if (!is_known) AuditUnreadPartition(subject, view, partition, bounds);
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
      report_.unchecked.push_back(
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
    for (const auto& entry : logs_.Of(range.topic).bounds) {
      if (entry.first.partition == range.partition && IsLogOf(range.log_id, entry.first.log_id)) {
        return &entry;
      }
    }
    return nullptr;
  }

  void CompareWithLog(const Subject& subject, const ReadRange& range, AuditLine& line) {
    const bool is_own = range.topic == subject.topic;
    const auto* log = FindLog(range);
    if (log == nullptr) {
      // Said once for the stream.
      if (is_own && !range.topic.empty() && !logs_.Of(range.topic).failure.ok()) return;
      report_.unchecked.push_back(
          fmt::format("{} {}: against its log, which is not the topic's log of today", line.stream,
                      line.source));
      return;
    }
    const auto& [partition, bounds] = *log;
    if (is_own) {
      JudgeByLog(logs_.Of(range.topic), partition, bounds, range.range.end, line);
      return;
    }
    if (range.range.end > bounds.end) {
      line.problems.push_back(fmt::format("the table stands at offset {}, beyond the log's end {}",
                                          range.range.end, bounds.end));
    }
    // Another stream reads the topic now, or the table is nobody's.
    if (topics_.contains(range.topic) || !subject.is_declared) return;
    line.lag = std::max<int64_t>(0, bounds.end - range.range.end);
    if (*line.lag > 0) {
      line.problems.push_back(fmt::format(
          "offsets {} to {} of topic {}, which the stream read before, are not ingested",
          range.range.end, bounds.end - 1, range.topic));
    }
  }

  void AuditLanding(const Subject& subject, const std::vector<catalog::LandingFile>& ledger,
                    RowsByTopic& found) {
    for (const catalog::LandingFile& file : ledger) {
      if (!file.is_current && !subject.keeps_replaced) {
        if (!subject.is_declared) found.erase({file.topic, 0});  // whether it keeps them is unknown
        continue;
      }
      AuditLine line{.stream = subject.name,
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
      if (rows.rows != file.rows_good || (subject.dead && rows.dead_rows != file.rows_dead)) {
        line.problems.push_back(
            fmt::format("{} rows and {} dead letters, the ledger says {} and {}", rows.rows,
                        rows.dead_rows, file.rows_good, file.rows_dead));
      }
      CheckOnce(rows, line);
      report_.lines.push_back(std::move(line));
    }
  }

  void ReportForeign(const std::string& name, const ForeignFiles& found, bool is_dead) {
    for (const ForeignSnapshot& snapshot : found.snapshots) {
      ForeignRows rows{.stream = name,
                       .source = fmt::format(
                           "snapshot {} of another writer ({}{}{})", snapshot.snapshot_id,
                           snapshot.operation.empty() ? "unknown operation" : snapshot.operation,
                           snapshot.engine.empty() ? "" : ", ", snapshot.engine)};
      (is_dead ? rows.dead_rows : rows.rows) = snapshot.live_rows;
      report_.foreign.push_back(std::move(rows));
    }
  }

  /// Rows of a `_topic` that no log and no landing file of ours has.
  void ReportUnknownTopics(const Subject& subject, const RowsByTopic& found) {
    for (const auto& [topic, rows] : found) {
      if (!rows.is_all_own && !topic.first.starts_with("file:")) {
        report_.foreign.push_back(
            {.stream = subject.name,
             .source = fmt::format("rows of another writer (_topic={} _topic_partition={})",
                                   topic.first, topic.second),
             .rows = rows.rows,
             .dead_rows = rows.dead_rows});
        continue;
      }
      Problem(subject.main,
              fmt::format("{} rows and {} dead letters of a source nobody committed: _topic={} "
                          "_topic_partition={}",
                          rows.rows, rows.dead_rows, topic.first, topic.second));
    }
  }

  /// Every live file is there, as long as its entry says, with as many rows in its footer.
  void AuditFiles(const OpenTable& table) {
    const catalog::TableId& id = table.state.id;
    std::map<std::string, int64_t> expected;  // by plain path
    std::string paths;
    for (const catalog::LiveFile& entry : table.live) {
      ++report_.files;
      const Result<storage::ObjectInfo> info = store_.Stat(entry.file.path);
      if (!info.ok()) {
        missing_.insert(id);
        Problem(id, "live file is missing: " + entry.file.path);
        continue;
      }
      if (info->bytes != entry.file.file_bytes) {
        Problem(id, fmt::format("live file has {} bytes, {} were committed: {}", info->bytes,
                                entry.file.file_bytes, entry.file.path));
        continue;
      }
      expected[PlainPath(entry.file.path)] = entry.file.record_count;
      paths += (paths.empty() ? "" : ", ") + sql::QuotedText(entry.file.path);
    }
    if (expected.empty()) return;
    const Result<std::unique_ptr<sql::ResultTable>> footers = session_->Query(
        fmt::format("SELECT file_name, num_rows FROM parquet_file_metadata([{}])", paths));
    if (!footers.ok()) {
      missing_.insert(id);
      Problem(id, "a live file cannot be read: " + footers.error().message());
      return;
    }
    for (int64_t row = 0; row < (*footers)->rows(); ++row) {
      const std::string path = PlainPath((*footers)->CellText(row, 0).value_or(""));
      const std::string text = (*footers)->CellText(row, 1).value_or("0");
      int64_t rows = 0;
      std::from_chars(text.data(), text.data() + text.size(), rows);
      const auto it = expected.find(path);
      if (it != expected.end() && it->second == rows) continue;
      Problem(id, fmt::format("live file has {} rows, {} were committed: {}", rows,
                              it == expected.end() ? 0 : it->second, path));
    }
  }

  /// Nothing else is in the folder, or whoever reads it by a glob would count it.
  void AuditFolder(const OpenTable& table) {
    const catalog::TableId& id = table.state.id;
    const auto listed = listed_.find(id);
    if (listed == listed_.end()) return;
    const Result<StrayFiles> strays = FindStrayFiles(
        catalog_, store_, table.state, frozen_->snapshot().open_plans, table.live, listed->second);
    if (!strays.ok()) {
      Unchecked(id, "stray files in its folder data/: " + strays.status().message());
      return;
    }
    if (strays->of_plans > 0) {
      report_.notes.push_back(fmt::format("{}: {} files in data/ are of epochs under way",
                                          id.ToString(), strays->of_plans));
    }
    if (strays->uris.empty()) return;
    std::string names;
    for (size_t i = 0; i < std::min(strays->uris.size(), kStraysNamed); ++i) {
      names += (names.empty() ? "" : ", ") + strays->uris[i];
    }
    Problem(id, fmt::format("{} files in data/ are in no snapshot of the table, and readers of the "
                            "folder count them: {}{}",
                            strays->uris.size(), names,
                            strays->uris.size() > kStraysNamed ? ", …" : ""));
  }

  /// Tables of the catalog that no stream declares, by their own account if they have one.
  Status AuditUndeclared() {
    std::set<catalog::TableId> ids;
    for (const auto& [id, location] : frozen_->snapshot().locations) {
      if (!declared_.contains(id)) ids.insert(id);
    }
    for (const catalog::TableId& id : ids) {
      const std::string base = id.name.ends_with(kDeadSuffix)
                                   ? id.name.substr(0, id.name.size() - kDeadSuffix.size())
                                   : "";
      if (ids.contains({id.table_namespace, base})) continue;  // audited with its table
      const Result<catalog::TableState> state =
          frozen_->LoadAt(id, frozen_->snapshot().locations.at(id));
      const bool has_account = state.ok() && HasAccount(*state);
      report_.notes.push_back(
          fmt::format("{}: no stream of the project declares the table; {}", id.ToString(),
                      has_account ? "it is checked by its own account"
                                  : "playhead has no account of its rows, so only its files are "
                                    "looked at"));
      const catalog::TableId dead{id.table_namespace, id.name + std::string(kDeadSuffix)};
      if (has_account) {
        PH_RETURN_IF_ERROR(
            AuditSubject({.name = id.ToString(),
                          .main = id,
                          .dead = ids.contains(dead) ? std::optional(dead) : std::nullopt,
                          .is_declared = false}));
        continue;
      }
      for (const catalog::TableId& alone : {id, dead}) {
        if (!ids.contains(alone)) continue;
        PH_ASSIGN_OR_RETURN(const std::optional<OpenTable> table, Open(alone));
        if (table) AuditFiles(*table);
      }
    }
    return {};
  }

  bool HasAccount(const catalog::TableState& state) {
    const auto progress = table::ReadProgress(*state.metadata);
    if (!progress.ok() || !progress->offsets.empty()) return true;
    const auto ledger = frozen_->LandingFiles(state.id, state.metadata->table_uuid, false);
    return ledger.ok() && !ledger->empty();
  }

  const std::vector<IngestStream>& streams_;
  catalog::Catalog& catalog_;
  storage::ObjectStore& store_;
  const AuditOptions& options_;
  LogViews logs_;
  std::set<catalog::TableId> declared_;
  std::set<std::string> topics_;
  std::map<catalog::TableId, std::vector<std::string>> listed_;  // files of their folders
  std::set<catalog::TableId> missing_;                           // tables with missing files
  std::optional<catalog::FrozenCatalog> frozen_;
  std::unique_ptr<sql::Session> session_;  // after frozen_, which it reads
  AuditReport report_;
};

}  // namespace

bool AuditReport::has_problems() const {
  return !problems.empty() ||
         std::ranges::any_of(lines, [](const AuditLine& line) { return !line.problems.empty(); });
}

bool AuditReport::is_exact() const { return !has_problems() && (!lines.empty() || !has_tables); }

Result<AuditReport> Audit(const std::vector<IngestStream>& streams, catalog::Catalog& catalog,
                          storage::ObjectStore& store, const AuditOptions& options) {
  for (int tries = 1;; ++tries) {
    Auditor auditor(streams, catalog, store, options);
    PH_ASSIGN_OR_RETURN(AuditReport report, auditor.Run());
    if (tries == kTriesMax) return report;
    PH_ASSIGN_OR_RETURN(const bool again, auditor.ShouldTryAgain());
    if (!again) return report;
  }
}

}  // namespace playhead::ingest
