#pragma once

#include "playhead/iceberg/types.h"

#include <string>
#include <string_view>
#include <vector>

namespace playhead::iceberg {

/// The bytes of a manifest (an Avro object container). All entries have `spec`.
Result<std::string> WriteManifest(const Schema& schema, const PartitionSpec& spec,
                                  const std::vector<ManifestEntry>& entries);
/// The manifest-list line for it; counts, min sequence number and summaries come from `entries`.
/// Sequence number and snapshot are those of the commit that adds the manifest.
ManifestFile DescribeManifest(const Schema& schema, const PartitionSpec& spec,
                              const std::vector<ManifestEntry>& entries, std::string path,
                              int64_t length, int64_t sequence_number, int64_t snapshot_id);

/// Says of manifests that left it open that they hold no NaN, where the partition field's type has
/// none: readers that take null for damage (Spark's `all_manifests`) then read the next list.
void SettleContainsNan(const TableMetadata& table, std::vector<ManifestFile>& manifests);

/// Entries with inherited numbers filled in from `manifest`. Unknown fields are skipped by the
/// writer's schema in the file. Errors: kDataCorrupt; kNotSupported for delete files.
Result<std::vector<ManifestEntry>> ReadManifest(std::string_view bytes,
                                                const ManifestFile& manifest);

Result<std::string> WriteManifestList(const std::vector<ManifestFile>& manifests,
                                      int64_t snapshot_id,
                                      std::optional<int64_t> parent_snapshot_id,
                                      int64_t sequence_number);
Result<std::vector<ManifestFile>> ReadManifestList(std::string_view bytes);

}  // namespace playhead::iceberg
