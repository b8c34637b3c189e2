#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::catalog {

struct TableId {
  std::string table_namespace;
  std::string name;
  auto operator<=>(const TableId&) const = default;
  std::string ToString() const { return table_namespace + "." + name; }
};

/// A table as the catalog knew it at one moment.
struct TableState {
  TableId id;
  std::string metadata_location;
  std::shared_ptr<const iceberg::TableMetadata> metadata;
};

/// One table's move inside a commit.
struct TableMove {
  TableId id;
  std::string old_location;  ///< guard; empty = the table must not exist
  std::string new_location;
  /// What stands at `new_location`, if the caller has it: the next Load() need not read it.
  std::shared_ptr<const iceberg::TableMetadata> new_metadata;
};

/// Offsets of one log partition that a plan covers.
struct PlannedRange {
  LogPartition partition;
  OffsetRange range;
};

struct PlannedFile {
  TableId table;
  std::string staged_uri;
  std::string final_uri;
  int64_t rows = 0;
  int64_t bytes = 0;
};

/// Row of `playhead_plans`: everything needed to finish an epoch after a crash, by whoever finds
/// it.
struct Plan {
  std::string plan_id;
  TableId table;  ///< the stream's main table
  std::vector<PlannedRange> ranges;
  std::vector<PlannedFile> files;
  std::string
      payload_json;  ///< the table folder's own facts: data files with statistics, counts, …
  int64_t created_us = 0;
};

/// Row of `playhead_landing_files`: a landing file whose rows are committed.
struct LandingFile {
  TableId table;
  std::string name;          ///< relative to the landing folder, with `/`
  std::string content_hash;  ///< XXH3-128
  /// The rows' `_topic`: `file:<name>#<12 hex digits>` of the content hash, or of the load's id for
  /// a file that `ingest --stream` took.
  std::string topic;
  int64_t bytes = 0;
  int64_t rows_good = 0;
  int64_t rows_dead = 0;
  int32_t ingestion_date_days = 0;
  std::string raw_uri;
  int64_t committed_us = 0;
  bool is_current = true;  ///< false once replaced by a newer content of the same name
};

struct CommitRequest {
  std::vector<TableMove> moves;  ///< applied in sorted order
  /// The plan that this commit finishes; that it is still open is one more guard.
  std::optional<std::string> finished_plan_id;
  std::vector<LandingFile>
      landing_files;  ///< inserted; earlier rows of (table, name) lose is_current
};

/// The SQL catalog: Iceberg's JDBC tables (schema V1, catalog_name `playhead`) and ours beside
/// them. Every commit is one transaction; an UPDATE that hits no row rolls everything back.
/// Threads: any.
class Catalog {
 public:
  virtual ~Catalog() = default;

  virtual Result<std::vector<TableId>> ListTables() = 0;
  /// Errors: kNotFound; kDataCorrupt (metadata unreadable). Metadata is cached by location.
  virtual Result<TableState> Load(const TableId& id) = 0;
  /// Changes whenever any table moved; cheap (one query), for caches.
  virtual Result<std::string> Fingerprint() = 0;

  /// Errors: kConflict (a guard failed; nothing changed), kUnavailable, kResourceExhausted,
  /// kCommitUnknown (the answer was lost: read the tables, then decide).
  virtual Status Commit(const CommitRequest& request) = 0;

  /// At most one open plan per (table, log partition). Errors: kAlreadyExists names the open plan.
  virtual Status InsertPlan(const Plan& plan) = 0;
  /// Oldest first.
  virtual Result<std::vector<Plan>> OpenPlans() = 0;
  virtual Result<std::optional<Plan>> FindPlan(const std::string& plan_id) = 0;
  virtual Status DeletePlan(const std::string& plan_id) = 0;

  /// Ledger rows of a table, by name and age.
  virtual Result<std::vector<LandingFile>> LandingFiles(const TableId& table,
                                                        bool current_only) = 0;
  /// Small named values of the warehouse itself (its UUID …).
  virtual Result<std::optional<std::string>> GetProperty(const std::string& key) = 0;
  virtual Status SetProperty(const std::string& key, const std::string& value) = 0;
};

/// Opens or makes the SQLite catalog at `path` (local file). `store` reads metadata files. With
/// `read_only` nothing is made and writing calls fail with kPermissionDenied.
/// Errors: kNotFound (read only and not there), kNotSupported (made by a newer version),
/// kUnavailable, kDataCorrupt.
Result<std::unique_ptr<Catalog>> OpenSqliteCatalog(const std::string& path,
                                                   storage::ObjectStore& store,
                                                   bool read_only = false);

}  // namespace playhead::catalog
