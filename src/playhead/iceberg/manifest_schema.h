#pragma once

#include "playhead/iceberg/types.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::iceberg {

/// Iceberg's field ids in manifests and manifest lists.
/// Source: Iceberg spec, "Manifests" and "Manifest Lists".
namespace field_id {
// manifest_entry
inline constexpr int32_t kStatus = 0;
inline constexpr int32_t kSnapshotId = 1;
inline constexpr int32_t kDataFile = 2;
inline constexpr int32_t kSequenceNumber = 3;
inline constexpr int32_t kFileSequenceNumber = 4;
// data_file
inline constexpr int32_t kFilePath = 100;
inline constexpr int32_t kFileFormat = 101;
inline constexpr int32_t kPartition = 102;
inline constexpr int32_t kRecordCount = 103;
inline constexpr int32_t kFileSize = 104;
inline constexpr int32_t kColumnSizes = 108;
inline constexpr int32_t kValueCounts = 109;
inline constexpr int32_t kNullValueCounts = 110;
inline constexpr int32_t kLowerBounds = 125;
inline constexpr int32_t kUpperBounds = 128;
inline constexpr int32_t kKeyMetadata = 131;
inline constexpr int32_t kSplitOffsets = 132;
inline constexpr int32_t kContent = 134;
inline constexpr int32_t kNanValueCounts = 137;
// manifest_file
inline constexpr int32_t kManifestPath = 500;
inline constexpr int32_t kManifestLength = 501;
inline constexpr int32_t kPartitionSpecId = 502;
inline constexpr int32_t kAddedSnapshotId = 503;
inline constexpr int32_t kAddedFiles = 504;
inline constexpr int32_t kExistingFiles = 505;
inline constexpr int32_t kDeletedFiles = 506;
inline constexpr int32_t kPartitions = 507;
inline constexpr int32_t kContainsNull = 509;
inline constexpr int32_t kSummaryLowerBound = 510;
inline constexpr int32_t kSummaryUpperBound = 511;
inline constexpr int32_t kAddedRows = 512;
inline constexpr int32_t kExistingRows = 513;
inline constexpr int32_t kDeletedRows = 514;
inline constexpr int32_t kManifestSequenceNumber = 515;
inline constexpr int32_t kMinSequenceNumber = 516;
inline constexpr int32_t kManifestContent = 517;
inline constexpr int32_t kContainsNan = 518;
}  // namespace field_id

/// Avro schema of a manifest whose partition values have `types`, one per field of `spec`. The
/// order of its fields is the order in which manifest_write.cc writes them.
std::string ManifestAvroSchema(const PartitionSpec& spec, const std::vector<Type>& types);

/// Avro schema of a manifest list, in the order of manifest_list.cc.
std::string_view ManifestListAvroSchema();

/// `name` with what Avro does not allow in names replaced, as Java does: `_` before a leading
/// digit, `_x2D` for a minus.
std::string AvroName(std::string_view name);

}  // namespace playhead::iceberg
