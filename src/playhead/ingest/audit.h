#pragma once

#include "playhead/base/ids.h"
#include "playhead/catalog/catalog.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/sql/session.h"
#include "playhead/table/epoch_commit.h"

#include <string>
#include <vector>

namespace playhead::ingest {

/// One log partition or landing file of one stream, and whether the lake agrees with what was
/// counted.
struct AuditLine {
  std::string stream;
  std::string source;  ///< `journal <uuid> 0`, or the landing file's `_topic`
  int64_t next_offset = 0;
  table::RecordCounts counts;         ///< as committed
  int64_t rows = 0;                   ///< in the table now
  int64_t dead_rows = 0;              ///< in the dead-letter table now
  std::vector<std::string> problems;  ///< empty = exact
};

/// Rows in a stream's tables that another program wrote. They are named, not judged.
struct ForeignRows {
  std::string stream;
  std::string source;  ///< `snapshot 123 of another writer (append)`, or the rows' `_topic`
  int64_t rows = 0;    ///< in the table now; of a deletion or compaction, those it wrote anew
  int64_t dead_rows = 0;
};

struct AuditReport {
  std::vector<AuditLine> lines;
  std::vector<ForeignRows> foreign;
  int64_t files = 0;  ///< live data files looked at
  /// Files that are missing, of another size or with other row counts, tables that cannot be read,
  /// open plans; each names the exact place.
  std::vector<std::string> problems;

  bool is_exact() const;
};

/// Proves the lake against its own account: per log partition read = good + dead + skipped, no
/// position twice, none outside [first, next_offset), every live file present with its stated size
/// and rows, every landing file's rows as its ledger entry says. What other programs appended is
/// left out of that account and reported beside it; what they deleted of ours is missing. Reads
/// only. Errors: kUnavailable, kInternal; what is wrong with the data is in the report.
Result<AuditReport> Audit(const std::vector<IngestStream>& streams, catalog::Catalog& catalog,
                          storage::ObjectStore& store, sql::Session& session);

}  // namespace playhead::ingest
