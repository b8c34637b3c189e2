#include "playhead/table/metadata_file.h"

#include "playhead/base/logging.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/update.h"

#include <utility>

namespace playhead::table {
namespace {

constexpr std::string_view kMetadataSuffix = ".metadata.json";

}  // namespace

NextMetadata MakeNextMetadata(const catalog::TableId& id, const std::string& old_location,
                              iceberg::TableMetadata metadata, const std::string& uuid) {
  const std::string location = fmt::format("{}/metadata/{}", metadata.location,
                                           iceberg::NextMetadataFileName(old_location, uuid));
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
  const Status status = store.Replace(uri, version);
  if (!status.ok()) {
    logging::Warn("table", "cannot write a version hint",
                  {{"uri", uri}, {"error", status.ToString()}});
  }
}

}  // namespace playhead::table
