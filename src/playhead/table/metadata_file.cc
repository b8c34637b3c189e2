#include "playhead/table/metadata_file.h"

#include "playhead/base/logging.h"
#include "playhead/base/uuid.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/update.h"
#include "playhead/table/expired_files.h"

#include <set>
#include <utility>

namespace playhead::table {
namespace {

constexpr std::string_view kMetadataSuffix = ".metadata.json";

void LogFailure(std::string_view what, const std::string& uri, const Status& status) {
  if (status.ok()) return;
  logging::Warn("table", what, {{"uri", uri}, {"error", status.ToString()}});
}

}  // namespace

NextMetadata MakeNextMetadata(const catalog::TableId& id, const std::string& old_location,
                              iceberg::TableMetadata metadata) {
  const std::string location = fmt::format("{}/metadata/{}", metadata.location,
                                           iceberg::NextMetadataFileName(old_location, NewUuid()));
  auto shared = std::make_shared<const iceberg::TableMetadata>(std::move(metadata));
  return {.object = {.uri = location, .contents = iceberg::SerializeMetadata(*shared)},
          .move = {.id = id,
                   .old_location = old_location,
                   .new_location = location,
                   .new_metadata = std::move(shared)}};
}

void WriteVersionHint(storage::ObjectStore& store, const NextMetadata& next) {
  const std::string& location = next.move.new_location;
  std::string_view version = location;
  version.remove_prefix(version.rfind('/') + 1);
  version.remove_suffix(kMetadataSuffix.size());
  const std::string uri = next.move.new_metadata->location + "/metadata/version-hint.text";
  LogFailure("cannot write a version hint", uri, store.Replace(uri, version));
}

void TidyAfterCommit(storage::ObjectStore& store, const iceberg::TableMetadata& base,
                     const NextMetadata& next) {
  std::set<std::string_view> kept;
  for (const auto& entry : next.move.new_metadata->metadata_log) kept.insert(entry.metadata_file);
  const std::string folder = base.location + "/metadata/";
  for (const auto& entry : base.metadata_log) {
    const std::string& uri = entry.metadata_file;
    if (kept.contains(uri) || !uri.starts_with(folder)) continue;
    LogFailure("cannot delete an old metadata file", uri, store.Delete(uri));
  }
  DeleteExpiredManifests(store, base, *next.move.new_metadata);
}

}  // namespace playhead::table
