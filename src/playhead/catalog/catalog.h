#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"
#include "playhead/storage/object_store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

/// Row of `playhead_landing_files`: a landing file whose rows are committed.
struct LandingFile {
  TableId table;
  /// The table's UUID. A table that was dropped and made anew has another one, and its ledger is
  /// empty. Empty in rows older than this column.
  std::string table_uuid = {};
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
  /// What the file looked like when it was read (SeenFile::stamp). Not part of the row.
  std::string stamp = {};
};

/// A landing file that was found with this content: while its stamp (size and times) stays the
/// same, it need not be read again. A hint; it may be missing or out of date.
struct SeenFile {
  std::string name;
  std::string content_hash;
  std::string stamp;
};

/// Who may finish a plan. A plan that was taken over has another owner and a greater generation, so
/// the former owner, should it wake, is refused.
struct PlanOwner {
  std::string name;
  int64_t generation = 0;
  auto operator<=>(const PlanOwner&) const = default;
};

enum class PlanPhase {
  kOpen,       ///< staged, maybe published, maybe written; its commit has not happened
  kCommitted,  ///< its snapshot is in the tables
  kAbandoned,  ///< it will never commit
};
std::string_view PlanPhaseName(PlanPhase phase);

/// Row of `playhead_plans`: everything to finish an epoch after a crash, by whoever finds it.
struct PlanRow {
  std::string plan_id;
  TableId table;  ///< the main one, for people
  PlanOwner owner;
  int32_t format = 0;  ///< of the payload
  /// The table folder's own facts. Emptied once nothing is left to do for the plan.
  std::string payload;
  /// What no other open plan of the table may hold: `log <id> <topic> <partition>`, `landing
  /// <name>`.
  std::vector<std::string> claims;
  int64_t created_us = 0;  ///< when it was staged
  PlanPhase phase = PlanPhase::kOpen;
  int64_t snapshot_id = 0;  ///< of a committed one, in its main table
  std::string reason;       ///< of an abandoned one
};

/// The table's ledger says that `name` has the content `hash` now, or (none) that it has none.
struct LedgerGuard {
  TableId table;
  std::string table_uuid;
  std::string name;
  std::optional<std::string> hash;
};

/// An object that leaves the lake later, so that readers that found it through an older snapshot
/// can still read it. A manifest list takes the manifests along that only it needs.
struct ExpiredObject {
  int64_t id = 0;  ///< given by the catalog, ascending
  TableId table;
  std::string uri;
  bool is_manifest_list = false;
};

struct CommitRequest {
  std::vector<TableMove> moves;  ///< applied in sorted order
  /// The plan that this commit finishes; that it is open and still its owner's is one more guard.
  struct Finish {
    std::string plan_id;
    PlanOwner owner;
    int64_t snapshot_id = 0;
    bool keeps_payload = false;  ///< something is left to do after the commit
  };
  std::optional<Finish> finish;
  std::vector<LedgerGuard> ledger_guards;
  /// Inserted; earlier rows of (table, name) lose is_current. Those with a stamp are noted as seen.
  std::vector<LandingFile> landing_files;
  std::vector<ExpiredObject> expired;
  /// Small named values of the warehouse, set with it.
  std::map<std::string, std::string> properties;
};

/// Why a transaction was not carried out: one of its guards did not hold.
struct Refusal {
  enum class Guard {
    kTableMoved,   ///< the head is another one, or the table is gone
    kTableExists,  ///< a table to be made is there
    kPlanOpen,     ///< another open plan holds one of the claims; `plan_id` names it
    kPlanGone,     ///< the plan is not open any more, or another's
    kLedger,       ///< the ledger knows another content of a landing file
  };
  Guard guard = Guard::kTableMoved;
  std::string message;
  std::string plan_id = {};
};

/// What became of a transaction.
struct CommitAnswer {
  enum class Kind {
    kCommitted,
    kRefused,   ///< a guard did not hold; nothing changed
    kNotBegun,  ///< it failed before its commit (busy, disk full); nothing changed
    /// Its commit failed or the answer was lost: it may have happened, may still happen when the
    /// database is opened the next time, or never. What it refers to must stay. The same request
    /// may be tried again, and what it did can be read once something else was committed.
    kUnknown,
  };
  Kind kind = Kind::kCommitted;
  std::optional<Refusal> refusal = {};
  Status failure = {};  ///< of kNotBegun and kUnknown

  bool committed() const { return kind == Kind::kCommitted; }
  /// For callers that only stop or try again: kConflict when refused, kCommitUnknown when unknown.
  Status ToStatus() const;

  static CommitAnswer Refused(Refusal::Guard guard, std::string message, std::string plan_id = {});
  static CommitAnswer NotBegun(Status failure);
  static CommitAnswer Unknown(Status failure);
};

/// Everything that the catalog knew at one moment.
struct CatalogSnapshot {
  /// Location of each table's metadata.
  std::map<TableId, std::string> locations;
  std::vector<PlanRow> open_plans;  ///< without payload, oldest first
  std::vector<LandingFile> landing_files;
};

/// The SQL catalog: Iceberg's JDBC tables (schema V1, catalog_name `playhead`) and ours beside
/// them. Every change is one transaction; a guard that does not hold rolls all of it back.
/// Threads: any.
class Catalog {
 public:
  virtual ~Catalog() = default;

  virtual Result<std::vector<TableId>> ListTables() = 0;
  /// The tables as they were together at one moment, in the order of `ids`. Each stands by itself:
  /// kNotFound; kDataCorrupt (metadata unreadable), kNotSupported (of another format). Metadata is
  /// cached by location. Errors: the catalog's own, kUnavailable.
  virtual Result<std::vector<Result<TableState>>> LoadMany(const std::vector<TableId>& ids) = 0;
  /// One of them. Errors: those of LoadMany and of the table.
  Result<TableState> Load(const TableId& id);
  /// The metadata at a location that the catalog gave. Errors: as of a table in LoadMany.
  virtual Result<TableState> LoadAt(const TableId& id, const std::string& location) = 0;
  /// Location of each table's metadata, all of one moment.
  virtual Result<std::map<TableId, std::string>> Locations() = 0;
  virtual Result<CatalogSnapshot> Snapshot() = 0;
  /// Changes whenever any table moved; cheap (one query), for caches.
  virtual Result<std::string> Fingerprint() = 0;

  virtual CommitAnswer Commit(const CommitRequest& request) = 0;

  /// Makes an open plan; its owner alone may touch it for `lease_us` of the database's time.
  /// Refusals: kPlanOpen. Forgets plans that ended more than a day ago.
  virtual CommitAnswer InsertPlan(const PlanRow& plan, int64_t lease_us) = 0;
  /// Makes `to` the owner, if `expected` still is and, unless `is_owner_dead`, its lease is over.
  /// Refusals: kPlanGone.
  virtual CommitAnswer TakeOverPlan(const std::string& plan_id, const PlanOwner& expected,
                                    const PlanOwner& to, int64_t lease_us, bool is_owner_dead) = 0;
  /// Ends an open plan without its commit; the payload stays, for what is left to clean up.
  /// Refusals: kPlanGone.
  virtual CommitAnswer AbandonPlan(const std::string& plan_id, const PlanOwner& owner,
                                   const std::string& reason) = 0;
  /// Nothing is left to do for an ended plan. OK too when there is none.
  virtual Status ForgetPayload(const std::string& plan_id) = 0;
  /// Open ones, and ended ones that still have a payload, oldest first.
  virtual Result<std::vector<PlanRow>> UnfinishedPlans() = 0;
  /// Ended plans are kept for a day.
  virtual Result<std::optional<PlanRow>> FindPlan(const std::string& plan_id) = 0;

  /// Ledger rows of a table, by name and age. Rows of a former table of that name are left out.
  virtual Result<std::vector<LandingFile>> LandingFiles(const TableId& table,
                                                        const std::string& table_uuid,
                                                        bool current_only) = 0;

  /// The rows of one file, by age.
  virtual Result<std::vector<LandingFile>> LandingFilesNamed(const TableId& table,
                                                             const std::string& table_uuid,
                                                             const std::string& name) = 0;

  /// Stamp by name, of the files that were last seen with the content that the ledger has.
  virtual Result<std::map<std::string, std::string>> SeenFiles(const TableId& table,
                                                               const std::string& table_uuid) = 0;
  /// These were seen. Commit() notes its landing files itself.
  virtual Status NoteSeen(const TableId& table, const std::vector<SeenFile>& files) = 0;

  /// Objects of a table that expired at least `age_us` of the database's time ago, oldest first,
  /// and the one expired list that follows them, if there is one.
  struct Expired {
    std::vector<ExpiredObject> due;
    std::optional<ExpiredObject> next_list;
  };
  virtual Result<Expired> ExpiredObjects(const TableId& table, int64_t age_us,
                                         int64_t rows_max) = 0;
  /// They are gone.
  virtual Status ForgetExpired(const std::vector<ExpiredObject>& objects) = 0;

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
