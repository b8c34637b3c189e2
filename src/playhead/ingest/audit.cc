#include "playhead/ingest/audit.h"

#include "playhead/catalog/frozen_catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/ingest/audit_sources.h"
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
    PH_ASSIGN_OR_RETURN(engine_, sql::Engine::Open(*frozen_, store_, options_.sql));
    PH_ASSIGN_OR_RETURN(connection_, engine_->Connect());
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
  AuditContext Context() {
    return {.logs = logs_,
            .declared_topics = topics_,
            .catalog = *frozen_,
            .connection = *connection_,
            .report = report_};
  }
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

  Status AuditSubject(const AuditSubject& subject) {
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
      if (!has_left) AuditUnreadTopic(subject, Context());
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
    const ForeignFiles nothing;
    Status audited =
        AuditSources(subject, main->state,
                     {.main = main->files, .dead = dead ? dead->files : nothing}, Context());
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
    const Result<std::unique_ptr<sql::ResultTable>> footers = connection_->Query(
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
  std::unique_ptr<sql::Engine> engine_;  // after frozen_, which it reads
  std::unique_ptr<sql::Connection> connection_;
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
