#include "playhead/iceberg/avro.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/manifest_schema.h"

#include <array>
#include <limits>

namespace playhead::iceberg {
namespace {

constexpr size_t kManifestsMax = 1 << 20;
constexpr int kNull = 0;
constexpr int kValue = 1;

void WriteBound(AvroEncoder& avro, const std::optional<std::string>& bound) {
  avro.Branch(bound ? kValue : kNull);
  if (bound) avro.Bytes(*bound);
}

void WriteSummaries(AvroEncoder& avro, const std::vector<FieldSummary>& summaries) {
  avro.Branch(kValue);
  avro.BeginArray(summaries.size());
  for (const FieldSummary& summary : summaries) {
    avro.Bool(summary.contains_null);
    avro.Branch(summary.contains_nan ? kValue : kNull);
    if (summary.contains_nan) avro.Bool(*summary.contains_nan);
    WriteBound(avro, summary.lower_bound);
    WriteBound(avro, summary.upper_bound);
  }
  avro.EndArray();
}

void WriteManifestFile(AvroEncoder& avro, const ManifestFile& manifest) {
  avro.Bytes(manifest.path);
  avro.Long(manifest.length);
  avro.Long(manifest.spec_id);
  avro.Long(manifest.content);
  avro.Long(manifest.sequence_number);
  avro.Long(manifest.min_sequence_number);
  avro.Long(manifest.added_snapshot_id);
  avro.Long(manifest.added_files);
  avro.Long(manifest.existing_files);
  avro.Long(manifest.deleted_files);
  avro.Long(manifest.added_rows);
  avro.Long(manifest.existing_rows);
  avro.Long(manifest.deleted_rows);
  WriteSummaries(avro, manifest.partitions);
  avro.Branch(kNull);  // key_metadata
}

struct RequiredField {
  int32_t id;
  std::string_view name;
};

// Version 1 lets writers leave the counts out. Without them it is unknown whether a manifest has
// live files, so such a list is refused rather than read as empty.
constexpr std::array<RequiredField, 10> kRequired = {{
    {field_id::kManifestPath, "manifest_path"},
    {field_id::kManifestLength, "manifest_length"},
    {field_id::kPartitionSpecId, "partition_spec_id"},
    {field_id::kAddedSnapshotId, "added_snapshot_id"},
    {field_id::kAddedFiles, "added_files_count"},
    {field_id::kExistingFiles, "existing_files_count"},
    {field_id::kDeletedFiles, "deleted_files_count"},
    {field_id::kAddedRows, "added_rows_count"},
    {field_id::kExistingRows, "existing_rows_count"},
    {field_id::kDeletedRows, "deleted_rows_count"},
}};

int32_t ReadInt(AvroDecoder& avro, const AvroType& type) {
  const int64_t value = avro.Count(type);
  if (value > std::numeric_limits<int32_t>::max()) avro.Fail("int is out of range");
  return avro.ok() ? static_cast<int32_t>(value) : 0;
}

int64_t ReadId(AvroDecoder& avro, const AvroType& type) {
  const auto id = avro.Integer(type);
  if (!id) avro.Fail("id is missing");
  return id.value_or(0);
}

std::optional<std::string> ReadBound(AvroDecoder& avro, const AvroType& type) {
  const auto bound = avro.Text(type);
  return bound ? std::optional<std::string>(*bound) : std::nullopt;
}

FieldSummary ReadSummary(AvroDecoder& avro, const AvroType& record) {
  FieldSummary summary;
  for (const AvroField& field : record.fields) {
    switch (field.field_id) {
      case field_id::kContainsNull:
        summary.contains_null = avro.Boolean(*field.type).value_or(true);
        break;
      case field_id::kContainsNan:
        summary.contains_nan = avro.Boolean(*field.type);
        break;
      case field_id::kSummaryLowerBound:
        summary.lower_bound = ReadBound(avro, *field.type);
        break;
      case field_id::kSummaryUpperBound:
        summary.upper_bound = ReadBound(avro, *field.type);
        break;
      default:
        avro.Skip(*field.type);
    }
  }
  return summary;
}

void ReadSummaries(AvroDecoder& avro, const AvroType& type, std::vector<FieldSummary>* summaries) {
  const AvroType* array = avro.Resolve(type);
  if (array == nullptr) return;
  if (array->kind != AvroKind::kArray || array->item->kind != AvroKind::kRecord) {
    avro.Fail("partitions is not an array of records");
    return;
  }
  avro.Array([&] { summaries->push_back(ReadSummary(avro, *array->item)); });
}

ManifestFile ReadManifestFile(AvroDecoder& avro, const AvroType& record) {
  ManifestFile manifest;
  for (const AvroField& field : record.fields) {
    const AvroType& type = *field.type;
    switch (field.field_id) {
      case field_id::kManifestPath:
        manifest.path = avro.Text(type).value_or("");
        break;
      case field_id::kManifestLength:
        manifest.length = avro.Count(type);
        break;
      case field_id::kPartitionSpecId:
        manifest.spec_id = ReadInt(avro, type);
        break;
      case field_id::kManifestContent:
        manifest.content = ReadInt(avro, type);
        break;
      case field_id::kManifestSequenceNumber:
        manifest.sequence_number = avro.Count(type);
        break;
      case field_id::kMinSequenceNumber:
        manifest.min_sequence_number = avro.Count(type);
        break;
      case field_id::kAddedSnapshotId:
        manifest.added_snapshot_id = ReadId(avro, type);
        break;
      case field_id::kAddedFiles:
        manifest.added_files = ReadInt(avro, type);
        break;
      case field_id::kExistingFiles:
        manifest.existing_files = ReadInt(avro, type);
        break;
      case field_id::kDeletedFiles:
        manifest.deleted_files = ReadInt(avro, type);
        break;
      case field_id::kAddedRows:
        manifest.added_rows = avro.Count(type);
        break;
      case field_id::kExistingRows:
        manifest.existing_rows = avro.Count(type);
        break;
      case field_id::kDeletedRows:
        manifest.deleted_rows = avro.Count(type);
        break;
      case field_id::kPartitions:
        ReadSummaries(avro, type, &manifest.partitions);
        break;
      default:
        avro.Skip(type);
    }
  }
  return manifest;
}

}  // namespace

Result<std::string> WriteManifestList(const std::vector<ManifestFile>& manifests,
                                      int64_t snapshot_id,
                                      std::optional<int64_t> parent_snapshot_id,
                                      int64_t sequence_number) {
  AvroFileWriter file(
      ManifestListAvroSchema(),
      {{"snapshot-id", std::to_string(snapshot_id)},
       {"parent-snapshot-id", parent_snapshot_id ? std::to_string(*parent_snapshot_id) : "null"},
       {"sequence-number", std::to_string(sequence_number)},
       {"format-version", "2"}});
  for (const ManifestFile& manifest : manifests) {
    WriteManifestFile(file.encoder(), manifest);
    PH_RETURN_IF_ERROR(file.EndObject());
  }
  return std::move(file).Finish();
}

Result<std::vector<ManifestFile>> ReadManifestList(std::string_view bytes) {
  PH_ASSIGN_OR_RETURN(AvroFileReader file, AvroFileReader::Open(bytes));
  const AvroType& record = file.schema().root();
  for (const RequiredField& required : kRequired) {
    if (record.FindField(required.id) != nullptr) continue;
    return Error(StatusCode::kDataCorrupt, "manifest list's Avro schema lacks a field: field={}",
                 required.name);
  }
  std::vector<ManifestFile> manifests;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool has_block, file.NextBlock());
    if (!has_block) return manifests;
    AvroDecoder avro(file.block());
    for (int64_t i = 0; i < file.block_objects(); ++i) {
      if (manifests.size() == kManifestsMax) {
        return Error(StatusCode::kDataCorrupt, "manifest list is too long: manifests_max={}",
                     kManifestsMax);
      }
      manifests.push_back(ReadManifestFile(avro, record));
      PH_RETURN_IF_ERROR(avro.status());
    }
    if (!avro.at_end()) {
      return Error(StatusCode::kDataCorrupt, "manifest list block is longer than its lines");
    }
  }
}

}  // namespace playhead::iceberg
