#include "playhead/cli/warehouse.h"

#include "playhead/base/suggest.h"
#include "playhead/cli/output.h"
#include "playhead/cli/table_places.h"
#include "playhead/storage/scoped_store.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/migrate_tables.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace playhead::cli {
namespace {

/// No table's own fault, so that the next would fail alike.
bool IsOfTheWarehouse(StatusCode code) {
  return code == StatusCode::kUnavailable || code == StatusCode::kResourceExhausted ||
         code == StatusCode::kCommitUnknown;
}

/// The folders of the warehouse, if it is local, and of the lock.
Status MakeFolders(const config::ResolvedConfig& config) {
  std::vector<std::string> folders = {
      std::filesystem::path(config.lock_file).parent_path().string()};
  if (const auto warehouse = storage::LocalFolder(config.warehouse_uri)) {
    folders.push_back(*warehouse);
  }
  for (const std::string& folder : folders) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
      return Error(StatusCode::kPermissionDenied, "cannot make a folder: path={} why={}", folder,
                   error.message());
    }
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WritableWarehouse>> WritableWarehouse::Open(
    const config::ResolvedConfig& config, ingest::StatusBoard& board) {
  std::unique_ptr<WritableWarehouse> opened(new WritableWarehouse(board));
  opened->warehouse_uri_ = config.warehouse_uri;
  PH_RETURN_IF_ERROR(MakeFolders(config));
  Result<FileLock> lock = FileLock::Acquire(config.lock_file);
  if (!lock.ok()) return lock.error().WithContext("one ingest a warehouse");
  opened->lock_ = std::move(lock).value();
  PH_ASSIGN_OR_RETURN(auto store, storage::OpenStore(config.warehouse_uri));
  opened->store_ = std::make_unique<storage::ScopedStore>(std::move(store), config.warehouse_uri);
  PH_ASSIGN_OR_RETURN(opened->catalog_,
                      catalog::OpenSqliteCatalog(config.catalog_path, *opened->store_));
  table::Committer committer(*opened->catalog_, *opened->store_, opened->warehouse_uri_,
                             SystemClock());
  // What could not be finished holds its own tables only, and has been logged.
  PH_RETURN_IF_ERROR(committer.Recover());
  PH_RETURN_IF_ERROR(table::MigrateTables(*opened->catalog_, *opened->store_,
                                          opened->warehouse_uri_, SystemClock()));
  for (const project::Stream& stream : config.project.streams) {
    opened->streams_.push_back(ingest::MakeIngestStream(stream));
  }
  for (const ingest::IngestStream& stream : opened->streams_) {
    const Status ensured = opened->EnsureTables(stream);
    if (IsOfTheWarehouse(ensured.code())) return ensured;
    if (!ensured.ok()) opened->refused_.emplace(stream.name, ensured);
  }
  return opened;
}

Status WritableWarehouse::EnsureTables(const ingest::IngestStream& stream) {
  PH_ASSIGN_OR_RETURN(auto elsewhere, TablesElsewhere(*catalog_, warehouse_uri_));
  std::erase_if(elsewhere, [&](const catalog::TablePlace& place) {
    return place.id != stream.main.id && place.id != stream.dead.id;
  });
  if (!elsewhere.empty()) {
    return Error(StatusCode::kPermissionDenied, "{}", DescribeElsewhere(elsewhere, warehouse_uri_));
  }
  return ingest::EnsureStreamTables(*catalog_, *store_, warehouse_uri_, stream, SystemClock())
      .status();
}

Result<const ingest::IngestStream*> WritableWarehouse::FindStream(const std::string& name) const {
  const auto found = std::ranges::find(streams_, name, &ingest::IngestStream::name);
  if (found != streams_.end()) return &*found;
  std::vector<std::string> names;
  for (const ingest::IngestStream& stream : streams_) names.push_back(stream.name);
  return Error(StatusCode::kNotFound, "no such stream in models/sources.yml: {}{}", name,
               DidYouMean(name, names));
}

ingest::EpochLimits EpochLimitsOf(const config::ResolvedConfig& config) {
  return {.interval_us = config.settings.Integer("epoch.interval_ms") * 1000,
          .rows_max = config.settings.Integer("epoch.rows_max"),
          .bytes_max = config.settings.Integer("epoch.bytes_max")};
}

}  // namespace playhead::cli
