#include "playhead/ingest/audit.h"

#include "playhead/catalog/scan.h"
#include "playhead/ingest/foreign_files.h"
#include "playhead/sql/quote.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace playhead::ingest {
namespace {

/// What the tables hold of one (`_topic`, `_topic_partition`).
struct TopicRows {
  int64_t rows = 0;
  int64_t dead_rows = 0;
  int64_t positions = 0;  ///< distinct offsets in both tables
  int64_t first = 0;
  int64_t last = -1;
  bool is_all_own = true;  ///< every row lies in a file that we are known to have added
};

using RowsByTopic = std::map<std::pair<std::string, int32_t>, TopicRows>;

int64_t IntegerCell(const sql::ResultTable& table, int64_t row, int column) {
  const std::string text = table.CellJson(row, column);
  int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// JSON text of a VARCHAR cell without quotes and escapes; topics are plain but for `\"` and `\\`.
std::string TextCell(const sql::ResultTable& table, int64_t row, int column) {
  const std::string json = table.CellJson(row, column);
  if (json.size() < 2 || json.front() != '"') return {};
  std::string text;
  for (size_t i = 1; i + 1 < json.size(); ++i) {
    if (json[i] == '\\' && i + 2 < json.size()) ++i;
    text.push_back(json[i]);
  }
  return text;
}

/// `('a', 'b')`; never empty.
std::string TextList(const auto& texts) {
  std::string list = "(''";
  for (const std::string& text : texts) list += ", " + sql::QuotedText(text);
  return list + ")";
}

/// The positions of a table's rows without those that strangers appended.
std::string PositionsSql(const catalog::TableId& id, const ForeignFiles& foreign, bool is_dead) {
  if (foreign.empty()) {
    return fmt::format(
        "SELECT _topic, _topic_partition, _offset, {} AS is_dead, true AS is_own FROM {}.{}",
        is_dead, sql::QuotedName(id.table_namespace), sql::QuotedName(id.name));
  }
  return fmt::format(
      "SELECT _topic, _topic_partition, _offset, {} AS is_dead, filename IN {} AS is_own "
      "FROM playhead_scan([{}, {}]) WHERE filename NOT IN {}",
      is_dead, TextList(foreign.own), sql::QuotedText(id.table_namespace), sql::QuotedText(id.name),
      TextList(foreign.appended));
}

Result<RowsByTopic> CountRows(const IngestStream& stream, const ForeignFiles& main,
                              const ForeignFiles& dead, sql::Session& session) {
  const std::string sql = fmt::format(
      "SELECT _topic, _topic_partition, count(*) FILTER (NOT is_dead)::BIGINT, "
      "count(*) FILTER (is_dead)::BIGINT, count(DISTINCT _offset)::BIGINT, min(_offset), "
      "max(_offset), count(*) FILTER (NOT is_own)::BIGINT "
      "FROM ({} UNION ALL {}) GROUP BY ALL ORDER BY ALL",
      PositionsSql(stream.main.id, main, false), PositionsSql(stream.dead.id, dead, true));
  PH_ASSIGN_OR_RETURN(const auto table, session.Query(sql));
  RowsByTopic found;
  for (int64_t row = 0; row < table->rows(); ++row) {
    TopicRows& topic =
        found[{TextCell(*table, row, 0), static_cast<int32_t>(IntegerCell(*table, row, 1))}];
    topic = {.rows = IntegerCell(*table, row, 2),
             .dead_rows = IntegerCell(*table, row, 3),
             .positions = IntegerCell(*table, row, 4),
             .first = IntegerCell(*table, row, 5),
             .last = IntegerCell(*table, row, 6),
             .is_all_own = IntegerCell(*table, row, 7) == 0};
  }
  return found;
}

void CheckPositions(const TopicRows& found, AuditLine& line) {
  const int64_t all = found.rows + found.dead_rows;
  if (found.positions != all) {
    line.problems.push_back(
        fmt::format("{} rows stand at a position that another row has", all - found.positions));
  }
}

/// The log partitions of one stream. Several logs of one topic (a re-created journal) share
/// `_topic`, so rows are compared with the sum over the logs, positions only where there is one
/// log.
void AuditLogs(const IngestStream& stream, const table::TableProgress& progress, RowsByTopic& found,
               AuditReport& report) {
  std::map<int32_t, table::RecordCounts> sums;
  std::map<int32_t, int> logs;
  for (const auto& [log_id, partitions] : progress.counts) {
    for (const auto& [partition, counts] : partitions) {
      sums[partition].good += counts.good;
      sums[partition].dead += counts.dead;
      ++logs[partition];
    }
  }
  for (const auto& [log_id, partitions] : progress.offsets) {
    for (const auto& [partition, next_offset] : partitions) {
      AuditLine line{.stream = stream.name,
                     .source = fmt::format("{} log={} partition={}", stream.declaration->topic,
                                           log_id, partition),
                     .next_offset = next_offset};
      if (const auto log = progress.counts.find(log_id); log != progress.counts.end()) {
        if (const auto entry = log->second.find(partition); entry != log->second.end()) {
          line.counts = entry->second;
        }
      }
      const table::RecordCounts& counts = line.counts;
      if (counts.read != counts.good + counts.dead + counts.skipped) {
        line.problems.push_back(fmt::format("read {} is not good {} + dead {} + skipped {}",
                                            counts.read, counts.good, counts.dead, counts.skipped));
      }
      TopicRows rows;
      if (auto it = found.find({stream.declaration->topic, partition}); it != found.end()) {
        rows = it->second;
      }
      line.rows = rows.rows;
      line.dead_rows = rows.dead_rows;
      if (rows.rows != sums[partition].good) {
        line.problems.push_back(fmt::format("{} has {} rows, {} were committed",
                                            stream.main.id.ToString(), rows.rows,
                                            sums[partition].good));
      }
      if (rows.dead_rows != sums[partition].dead) {
        line.problems.push_back(fmt::format("{} has {} rows, {} were committed",
                                            stream.dead.id.ToString(), rows.dead_rows,
                                            sums[partition].dead));
      }
      if (logs[partition] == 1) {
        CheckPositions(rows, line);
        if (rows.last >= next_offset) {
          line.problems.push_back(fmt::format("a row stands at offset {}, beyond the map's next {}",
                                              rows.last, next_offset));
        }
        const int64_t first = next_offset - counts.read;
        if (rows.positions > 0 && rows.first < first) {
          line.problems.push_back(fmt::format(
              "a row stands at offset {}, before the first one read {}", rows.first, first));
        }
      }
      report.lines.push_back(std::move(line));
    }
  }
  for (const auto& [partition, count] : logs) found.erase({stream.declaration->topic, partition});
}

Status AuditLanding(const IngestStream& stream, catalog::Catalog& catalog, RowsByTopic& found,
                    AuditReport& report) {
  PH_ASSIGN_OR_RETURN(const catalog::TableState table, catalog.Load(stream.main.id));
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::LandingFile> ledger,
                      catalog.LandingFiles(stream.main.id, table.metadata->table_uuid, false));
  const bool keeps_all = stream.declaration->on_change == project::OnChange::kAppend;
  for (const catalog::LandingFile& file : ledger) {
    if (!file.is_current && !keeps_all) continue;
    AuditLine line{.stream = stream.name,
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
    if (rows.rows != file.rows_good || rows.dead_rows != file.rows_dead) {
      line.problems.push_back(fmt::format("{} rows and {} dead letters, the ledger says {} and {}",
                                          rows.rows, rows.dead_rows, file.rows_good,
                                          file.rows_dead));
    }
    CheckPositions(rows, line);
    report.lines.push_back(std::move(line));
  }
  return {};
}

void ReportForeign(const IngestStream& stream, const ForeignFiles& found, bool is_dead,
                   AuditReport& report) {
  for (const ForeignSnapshot& snapshot : found.snapshots) {
    ForeignRows rows{
        .stream = stream.name,
        .source = fmt::format("snapshot {} of another writer ({}{}{})", snapshot.snapshot_id,
                              snapshot.operation.empty() ? "unknown operation" : snapshot.operation,
                              snapshot.engine.empty() ? "" : ", ", snapshot.engine)};
    (is_dead ? rows.dead_rows : rows.rows) = snapshot.live_rows;
    report.foreign.push_back(std::move(rows));
  }
}

/// Rows of a `_topic` that no log and no landing file of ours has.
void ReportUnknownTopics(const IngestStream& stream, const RowsByTopic& found,
                         AuditReport& report) {
  for (const auto& [topic, rows] : found) {
    if (!rows.is_all_own) {
      report.foreign.push_back(
          {.stream = stream.name,
           .source = fmt::format("rows of another writer (_topic={} _topic_partition={})",
                                 topic.first, topic.second),
           .rows = rows.rows,
           .dead_rows = rows.dead_rows});
      continue;
    }
    report.problems.push_back(fmt::format(
        "{}: {} rows and {} dead letters of a source nobody committed: _topic={} "
        "_topic_partition={}",
        stream.main.id.ToString(), rows.rows, rows.dead_rows, topic.first, topic.second));
  }
}

/// Every live file is there, as long as its entry says, with as many rows in its footer.
Status AuditFiles(const catalog::TableState& state, const std::vector<catalog::LiveFile>& live,
                  storage::ObjectStore& store, sql::Session& session, AuditReport& report) {
  std::map<std::string, int64_t> expected;  // by local path
  std::string paths;
  for (const auto& entry : live) {
    ++report.files;
    const Result<storage::ObjectInfo> info = store.Stat(entry.file.path);
    if (!info.ok()) {
      report.problems.push_back(
          fmt::format("{}: live file is missing: {}", state.id.ToString(), entry.file.path));
      continue;
    }
    if (info->bytes != entry.file.file_bytes) {
      report.problems.push_back(fmt::format("{}: live file has {} bytes, {} were committed: {}",
                                            state.id.ToString(), info->bytes, entry.file.file_bytes,
                                            entry.file.path));
      continue;
    }
    PH_ASSIGN_OR_RETURN(const std::string path, storage::LocalPath(entry.file.path));
    expected[path] = entry.file.record_count;
    paths += (paths.empty() ? "" : ", ") + sql::QuotedText(path);
  }
  if (expected.empty()) return {};
  const Result<std::unique_ptr<sql::ResultTable>> footers = session.Query(
      fmt::format("SELECT file_name, num_rows FROM parquet_file_metadata([{}])", paths));
  if (!footers.ok()) {
    report.problems.push_back(fmt::format("{}: a live file cannot be read: {}", state.id.ToString(),
                                          footers.error().message()));
    return {};
  }
  for (int64_t row = 0; row < (*footers)->rows(); ++row) {
    const std::string path = TextCell(**footers, row, 0);
    const int64_t rows = IntegerCell(**footers, row, 1);
    const auto it = expected.find(path);
    if (it == expected.end() || it->second != rows) {
      report.problems.push_back(fmt::format("{}: live file has {} rows, {} were committed: {}",
                                            state.id.ToString(), rows,
                                            it == expected.end() ? 0 : it->second, path));
    }
  }
  return {};
}

}  // namespace

bool AuditReport::is_exact() const {
  return problems.empty() &&
         std::ranges::all_of(lines, [](const AuditLine& line) { return line.problems.empty(); });
}

Result<AuditReport> Audit(const std::vector<IngestStream>& streams, catalog::Catalog& catalog,
                          storage::ObjectStore& store, sql::Session& session) {
  AuditReport report;
  PH_ASSIGN_OR_RETURN(const std::vector<catalog::TableId> tables, catalog.ListTables());
  const std::set<catalog::TableId> present(tables.begin(), tables.end());
  PH_ASSIGN_OR_RETURN(const catalog::CatalogSnapshot snapshot, catalog.Snapshot());
  for (const catalog::PlanRow& plan : snapshot.open_plans) {
    report.problems.push_back(
        fmt::format("{}: an epoch is not finished, the next ingest does it: "
                    "plan={}",
                    plan.table.ToString(), plan.plan_id));
  }
  for (const IngestStream& stream : streams) {
    if (!present.contains(stream.main.id)) continue;  // never ingested
    PH_ASSIGN_OR_RETURN(const catalog::TableState main, catalog.Load(stream.main.id));
    PH_ASSIGN_OR_RETURN(const catalog::TableState dead, catalog.Load(stream.dead.id));
    const size_t problems_before = report.problems.size();
    PH_ASSIGN_OR_RETURN(const auto main_files, catalog::LiveFiles(store, *main.metadata));
    PH_ASSIGN_OR_RETURN(const auto dead_files, catalog::LiveFiles(store, *dead.metadata));
    PH_ASSIGN_OR_RETURN(const ForeignFiles main_foreign,
                        FindForeignFiles(*main.metadata, main_files));
    PH_ASSIGN_OR_RETURN(const ForeignFiles dead_foreign,
                        FindForeignFiles(*dead.metadata, dead_files));
    ReportForeign(stream, main_foreign, false, report);
    ReportForeign(stream, dead_foreign, true, report);
    PH_RETURN_IF_ERROR(AuditFiles(main, main_files, store, session, report));
    PH_RETURN_IF_ERROR(AuditFiles(dead, dead_files, store, session, report));
    // Rows cannot be counted through missing or damaged files; those are reported already.
    if (report.problems.size() != problems_before) continue;
    PH_ASSIGN_OR_RETURN(RowsByTopic found, CountRows(stream, main_foreign, dead_foreign, session));
    const Result<table::TableProgress> progress = table::ReadProgress(*main.metadata);
    if (!progress.ok()) {
      report.problems.push_back(stream.main.id.ToString() + ": " + progress.error().message());
      continue;
    }
    AuditLogs(stream, *progress, found, report);
    PH_RETURN_IF_ERROR(AuditLanding(stream, catalog, found, report));
    ReportUnknownTopics(stream, found, report);
  }
  return report;
}

}  // namespace playhead::ingest
