#pragma once

#include "playhead/base/ids.h"
#include "playhead/catalog/catalog.h"
#include "playhead/ingest/log_views.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/sql/engine.h"
#include "playhead/table/epoch_commit.h"

#include <optional>
#include <string>
#include <vector>

namespace playhead::ingest {

/// One log partition or landing file of one stream, and whether the lake agrees with what was
/// counted.
struct AuditLine {
  std::string stream;  ///< of a table that no stream declares, its name
  std::string source;  ///< `plays log=<uuid>/plays partition=0`, or the landing file's `_topic`
  int64_t next_offset = 0;
  table::RecordCounts counts;         ///< as committed
  int64_t rows = 0;                   ///< in the table, at this source's positions
  int64_t dead_rows = 0;              ///< in the dead-letter table, the same
  std::optional<int64_t> lag;         ///< records of the log that are not ingested; none: not known
  std::vector<std::string> problems;  ///< empty = exact
};

/// Rows in a stream's tables that another program wrote.
struct ForeignRows {
  std::string stream;
  std::string source;  ///< `snapshot 123 of another writer (append)`, or the rows' `_topic`
  int64_t rows = 0;    ///< in the table; of a deletion or compaction, those it wrote anew
  int64_t dead_rows = 0;
};

struct AuditReport {
  std::vector<AuditLine> lines;
  std::vector<ForeignRows> foreign;
  int64_t files = 0;  ///< live data files looked at
  /// Files that are missing, of another size, with other row counts or nobody's; tables that cannot
  /// be read or have left the catalog; each names the exact place.
  std::vector<std::string> problems;
  std::vector<std::string> unchecked;  ///< what could not be looked at, and why
  std::vector<std::string> notes;      ///< what a reader may want to know; nothing is wrong with it
  bool has_tables = false;             ///< the project declares some, or the catalog has some

  bool has_problems() const;
  /// Something was looked at, and nothing is wrong with it.
  bool is_exact() const;
};

struct AuditOptions {
  std::string warehouse_uri;
  OpenLog open_log;
  sql::EngineOptions sql;
};

/// Proves the lake against the logs and against its own account, all of it as it was at one moment,
/// while others write. Reads only.
///
///   tables     every declared one is in the catalog if it ever was; every live file is there with
///              its stated size and rows; nothing else lies in the folder `data/`
///   positions  per log partition read = good + dead + skipped; the positions in a table and its
///              dead letters, whoever wrote them, are the read offsets, each once
///   logs       no offset was dropped or damaged before it was ingested, none is beyond the end
///   files      a landing file's rows are as many as its ledger entry says
///
/// What other programs appended at positions that are not ours is named, not judged; what they
/// deleted of ours is missing. Errors: kUnavailable, kInternal; what is wrong with the data is in
/// the report.
Result<AuditReport> Audit(const std::vector<IngestStream>& streams, catalog::Catalog& catalog,
                          storage::ObjectStore& store, const AuditOptions& options);

}  // namespace playhead::ingest
