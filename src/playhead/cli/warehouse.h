#pragma once

#include "playhead/base/file_lock.h"
#include "playhead/catalog/catalog.h"
#include "playhead/config/config.h"
#include "playhead/ingest/lake.h"
#include "playhead/ingest/stream_tables.h"
#include "playhead/storage/object_store.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace playhead::cli {

/// The warehouse of a command, opened for writing: store, catalog, the lock that keeps a second
/// ingest out, recovered from whatever the last process left, all declared tables made but those of
/// refused().
class WritableWarehouse {
 public:
  /// Errors: kAlreadyExists (another ingest holds the lock; names its process), those of recovery,
  /// kUnavailable (catalog or store). `board` outlives it.
  static Result<std::unique_ptr<WritableWarehouse>> Open(const config::ResolvedConfig& config,
                                                         ingest::StatusBoard& board);

  ingest::Lake lake() {
    return {.catalog = *catalog_,
            .store = *store_,
            .warehouse_uri = warehouse_uri_,
            .clock = SystemClock(),
            .board = board_};
  }
  const std::vector<ingest::IngestStream>& streams() const { return streams_; }
  /// By stream: why its tables cannot take rows. The others are not held up.
  const std::map<std::string, Status>& refused() const { return refused_; }
  /// Makes or evolves the tables of a stream. Errors: kPermissionDenied (they lie outside the
  /// warehouse), those of table::EnsureTables().
  Status EnsureTables(const ingest::IngestStream& stream);
  /// Errors: kNotFound with "did you mean".
  Result<const ingest::IngestStream*> FindStream(const std::string& name) const;
  ingest::StatusBoard& board() { return board_; }

 private:
  explicit WritableWarehouse(ingest::StatusBoard& board) : board_(board) {}
  std::string warehouse_uri_;
  std::optional<FileLock> lock_;
  std::unique_ptr<storage::ObjectStore> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
  ingest::StatusBoard& board_;
  std::vector<ingest::IngestStream> streams_;
  std::map<std::string, Status> refused_;
};

/// Epoch limits from the settings.
ingest::EpochLimits EpochLimitsOf(const config::ResolvedConfig& config);

}  // namespace playhead::cli
