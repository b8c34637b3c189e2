#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/partition_type.h"
#include "playhead/iceberg/values.h"

#include <algorithm>
#include <cmath>

namespace playhead::iceberg {
namespace {

/// Their order is not the order of our values (a decimal's bytes have a sign), so they have no
/// bounds.
bool HasBounds(const Type& type) {
  return type.kind != TypeKind::kDecimal && type.kind != TypeKind::kUuid;
}

bool IsNan(const PartitionValue& value) {
  if (const auto* number = std::get_if<float>(&value)) return std::isnan(*number);
  if (const auto* number = std::get_if<double>(&value)) return std::isnan(*number);
  return false;
}

/// Zeros of both signs are equal, but readers may compare bounds by bits: -0.0 below, +0.0 above.
PartitionValue WithZeroSign(const PartitionValue& value, double sign) {
  if (const auto* number = std::get_if<float>(&value); number != nullptr && *number == 0) {
    return std::copysign(0.0F, static_cast<float>(sign));
  }
  if (const auto* number = std::get_if<double>(&value); number != nullptr && *number == 0) {
    return std::copysign(0.0, sign);
  }
  return value;
}

class SummaryBuilder {
 public:
  explicit SummaryBuilder(const Type& type) : type_(type) {
    // Optional in the specification, but Spark's `all_manifests` fails on null.
    summary_.contains_nan = false;
  }

  void Add(const PartitionValue& original) {
    if (std::holds_alternative<std::monostate>(original)) {
      summary_.contains_null = true;
      return;
    }
    if (IsNan(original)) {
      summary_.contains_nan = true;
      return;
    }
    auto value = ToPartitionType(original, type_);
    // A value that no manifest could hold either: WriteManifest refuses it.
    if (!value.ok()) return;
    if (!lower_ || *value < *lower_) lower_ = *value;
    if (!upper_ || *upper_ < *value) upper_ = *std::move(value);
  }

  FieldSummary Finish() && {
    if (lower_ && HasBounds(type_)) {
      summary_.lower_bound = EncodePartitionValue(WithZeroSign(*lower_, -1));
      summary_.upper_bound = EncodePartitionValue(WithZeroSign(*upper_, 1));
    }
    return std::move(summary_);
  }

 private:
  const Type& type_;
  FieldSummary summary_;
  std::optional<PartitionValue> lower_;
  std::optional<PartitionValue> upper_;
};

/// False as well for a source column that no schema knows.
bool HasNoNan(const TableMetadata& table, const PartitionField& field) {
  if (field.transform != Transform::kIdentity) return true;  // others give no floats
  for (const Schema& schema : table.schemas) {
    const NestedField* source = schema.FindById(field.source_id);
    if (source == nullptr) continue;
    return source->type->kind != TypeKind::kFloat && source->type->kind != TypeKind::kDouble;
  }
  return false;
}

}  // namespace

void SettleContainsNan(const TableMetadata& table, std::vector<ManifestFile>& manifests) {
  for (ManifestFile& manifest : manifests) {
    const auto spec = std::ranges::find(table.specs, manifest.spec_id, &PartitionSpec::spec_id);
    if (spec == table.specs.end()) continue;
    const size_t count = std::min(spec->fields.size(), manifest.partitions.size());
    for (size_t i = 0; i < count; ++i) {
      std::optional<bool>& contains_nan = manifest.partitions[i].contains_nan;
      if (!contains_nan && HasNoNan(table, spec->fields[i])) contains_nan = false;
    }
  }
}

ManifestFile DescribeManifest(const Schema& schema, const PartitionSpec& spec,
                              const std::vector<ManifestEntry>& entries, std::string path,
                              int64_t length, int64_t sequence_number, int64_t snapshot_id) {
  ManifestFile manifest;
  manifest.path = std::move(path);
  manifest.length = length;
  manifest.spec_id = spec.spec_id;
  manifest.sequence_number = sequence_number;
  manifest.min_sequence_number = sequence_number;
  manifest.added_snapshot_id = snapshot_id;

  const std::vector<Type> types = PartitionTypes(schema, spec, entries);
  std::vector<SummaryBuilder> summaries(types.begin(), types.end());
  for (const ManifestEntry& entry : entries) {
    switch (entry.status) {
      case EntryStatus::kAdded:
        ++manifest.added_files;
        manifest.added_rows += entry.file.record_count;
        break;
      case EntryStatus::kExisting:
        ++manifest.existing_files;
        manifest.existing_rows += entry.file.record_count;
        break;
      case EntryStatus::kDeleted:
        ++manifest.deleted_files;
        manifest.deleted_rows += entry.file.record_count;
        break;
    }
    // Readers use it to decide which delete files can matter, which a dead entry's cannot.
    if (entry.status != EntryStatus::kDeleted) {
      manifest.min_sequence_number =
          std::min(manifest.min_sequence_number, entry.sequence_number.value_or(sequence_number));
    }
    const size_t count = std::min(summaries.size(), entry.file.partition.size());
    for (size_t i = 0; i < count; ++i) summaries[i].Add(entry.file.partition[i]);
  }
  for (SummaryBuilder& summary : summaries) {
    manifest.partitions.push_back(std::move(summary).Finish());
  }
  return manifest;
}

}  // namespace playhead::iceberg
