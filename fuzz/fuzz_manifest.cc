// Manifests and manifest lists from outside: no crash, and what was read is written so that it
// reads the same.

#include "playhead/iceberg/manifest.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using playhead::iceberg::ManifestEntry;
using playhead::iceberg::ManifestFile;
using playhead::iceberg::PartitionField;
using playhead::iceberg::PartitionSpec;
using playhead::iceberg::ReadManifest;
using playhead::iceberg::ReadManifestList;
using playhead::iceberg::Schema;
using playhead::iceberg::WriteManifest;
using playhead::iceberg::WriteManifestList;

void FuzzList(std::string_view bytes) {
  const auto manifests = ReadManifestList(bytes);
  if (!manifests.ok()) return;
  const auto written = WriteManifestList(*manifests, 1, std::nullopt, 1);
  const auto again = ReadManifestList(*written);
  if (!again.ok() || *WriteManifestList(*again, 1, std::nullopt, 1) != *written) std::abort();
}

/// A spec for whatever partition values were read; their types follow from the values.
PartitionSpec SpecFor(const std::vector<ManifestEntry>& entries) {
  PartitionSpec spec;
  const size_t count = entries.empty() ? 0 : entries.front().file.partition.size();
  for (size_t i = 0; i < count; ++i) {
    PartitionField field;
    field.source_id = static_cast<int32_t>(i) + 1;
    field.field_id = static_cast<int32_t>(i) + 1000;
    field.name = "p" + std::to_string(i);
    spec.fields.push_back(field);
  }
  return spec;
}

void FuzzManifest(std::string_view bytes) {
  ManifestFile manifest;
  manifest.sequence_number = 3;
  manifest.added_snapshot_id = 7;
  const auto entries = ReadManifest(bytes, manifest);
  if (!entries.ok()) return;
  const PartitionSpec spec = SpecFor(*entries);
  const auto written = WriteManifest(Schema(), spec, *entries);
  // A hostile union can give one column values of several types, which no schema has.
  if (!written.ok()) return;
  const auto again = ReadManifest(*written, manifest);
  if (!again.ok() || *WriteManifest(Schema(), spec, *again) != *written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FuzzList(bytes);
  FuzzManifest(bytes);
  return 0;
}
