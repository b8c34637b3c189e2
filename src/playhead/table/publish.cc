#include "playhead/table/publish.h"

#include "playhead/catalog/scan.h"

#include <set>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

// Paths of data files in any snapshot that the tables still have.
Result<std::set<std::string>> HeldPaths(storage::ObjectStore& store,
                                        const std::vector<catalog::TableState>& tables) {
  std::set<std::string> paths;
  catalog::ManifestCache cache;
  for (const catalog::TableState& table : tables) {
    for (const iceberg::Snapshot& snapshot : table.metadata->snapshots) {
      PH_ASSIGN_OR_RETURN(auto files,
                          catalog::LiveFiles(store, *table.metadata, &cache, snapshot.snapshot_id));
      for (catalog::LiveFile& file : files) paths.insert(std::move(file.file.path));
    }
  }
  return paths;
}

// Bytes of an object, nothing when there is none.
Result<std::optional<int64_t>> SizeOf(storage::ObjectStore& store, const std::string& uri) {
  const auto info = store.Stat(uri);
  if (info.ok()) return std::optional<int64_t>(info->bytes);
  if (info.error().code() == StatusCode::kNotFound) return std::optional<int64_t>();
  return info.error();
}

// The careful way, for when the straight one met something unexpected.
Status PublishAgain(storage::ObjectStore& store, const catalog::PlannedFile& file,
                    const std::vector<catalog::TableState>& tables) {
  PH_ASSIGN_OR_RETURN(const auto staged_bytes, SizeOf(store, file.staged_uri));
  PH_ASSIGN_OR_RETURN(const auto final_bytes, SizeOf(store, file.final_uri));
  if (!staged_bytes.has_value()) {
    if (final_bytes == file.bytes) return {};
    return Error(StatusCode::kDataCorrupt,
                 "a planned file is neither staged nor published: path={} expected={} got={}",
                 file.final_uri, file.bytes, final_bytes.value_or(-1));
  }
  if (*staged_bytes != file.bytes) {
    return Error(StatusCode::kDataCorrupt,
                 "a staged file has another size: path={} expected={} "
                 "got={}",
                 file.staged_uri, file.bytes, *staged_bytes);
  }
  if (final_bytes.has_value()) {
    PH_ASSIGN_OR_RETURN(const auto held, HeldPaths(store, tables));
    if (held.contains(file.final_uri)) {
      return Error(StatusCode::kDataCorrupt, "the name of a planned file is taken: path={}",
                   file.final_uri);
    }
    PH_RETURN_IF_ERROR(store.Delete(file.final_uri));
  }
  return store.Publish(file.staged_uri, file.final_uri);
}

}  // namespace

Status PublishPlan(storage::ObjectStore& store, const catalog::Plan& plan,
                   const std::vector<catalog::TableState>& tables) {
  std::vector<storage::ObjectMove> moves;
  for (const catalog::PlannedFile& file : plan.files) {
    moves.push_back({.staged_uri = file.staged_uri, .final_uri = file.final_uri});
  }
  Status status = store.PublishMany(moves);
  if (status.code() != StatusCode::kNotFound && status.code() != StatusCode::kAlreadyExists) {
    return status;
  }
  for (const catalog::PlannedFile& file : plan.files) {
    PH_RETURN_IF_ERROR(PublishAgain(store, file, tables));
  }
  return {};
}

Result<bool> IsAnyPublished(storage::ObjectStore& store, const catalog::Plan& plan) {
  for (const catalog::PlannedFile& file : plan.files) {
    PH_ASSIGN_OR_RETURN(const auto bytes, SizeOf(store, file.final_uri));
    if (!bytes.has_value()) continue;
    // While it is staged too, a final name is somebody else's.
    PH_ASSIGN_OR_RETURN(const auto staged_bytes, SizeOf(store, file.staged_uri));
    if (!staged_bytes.has_value()) return true;
  }
  return false;
}

Status Unpublish(storage::ObjectStore& store, const catalog::Plan& plan,
                 const std::vector<catalog::TableState>& tables) {
  PH_ASSIGN_OR_RETURN(const auto held, HeldPaths(store, tables));
  for (const catalog::PlannedFile& file : plan.files) {
    if (!held.contains(file.final_uri)) PH_RETURN_IF_ERROR(store.Delete(file.final_uri));
  }
  return {};
}

}  // namespace playhead::table
