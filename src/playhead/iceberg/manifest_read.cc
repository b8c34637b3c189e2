#include "playhead/iceberg/avro.h"
#include "playhead/iceberg/json_view.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/manifest_schema.h"
#include "playhead/iceberg/schema_json.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace playhead::iceberg {
namespace {

constexpr size_t kEntriesMax = 1 << 20;

bool EqualsIgnoringCase(std::string_view text, std::string_view upper_case) {
  return std::equal(text.begin(), text.end(), upper_case.begin(), upper_case.end(),
                    [](unsigned char a, char b) { return std::toupper(a) == b; });
}

Status NotThere(std::string_view what) {
  return Error(StatusCode::kDataCorrupt, "manifest's Avro schema lacks a field: field={}", what);
}

/// A record with `field` as its type; null if the field is not there or no record.
const AvroType* RecordField(const AvroType& record, int32_t field) {
  const AvroField* found = record.FindField(field);
  return found != nullptr && found->type->kind == AvroKind::kRecord ? found->type : nullptr;
}

/// Reads entries in the order of the file's own schema, by field id.
class EntryReader {
 public:
  /// `entry` is the file's schema; `spec_field_ids` says in which order partition values are
  /// returned.
  static Result<EntryReader> Make(const AvroType& entry, std::vector<int32_t> spec_field_ids) {
    if (entry.FindField(field_id::kStatus) == nullptr) return NotThere("status");
    const AvroType* file = RecordField(entry, field_id::kDataFile);
    if (file == nullptr) return NotThere("data_file");
    static constexpr std::array<std::pair<int32_t, std::string_view>, 4> kRequired = {{
        {field_id::kFilePath, "file_path"},
        {field_id::kFileFormat, "file_format"},
        {field_id::kRecordCount, "record_count"},
        {field_id::kFileSize, "file_size_in_bytes"},
    }};
    for (const auto& [id, name] : kRequired) {
      if (file->FindField(id) == nullptr) return NotThere(name);
    }
    const AvroType* partition = RecordField(*file, field_id::kPartition);
    if (partition == nullptr) return NotThere("partition");
    if (partition->fields.size() != spec_field_ids.size()) {
      return Error(StatusCode::kDataCorrupt, "manifest's partition differs from its spec");
    }
    std::vector<size_t> slots;
    for (const AvroField& field : partition->fields) {
      const auto at = std::find(spec_field_ids.begin(), spec_field_ids.end(), field.field_id);
      if (at == spec_field_ids.end()) return NotThere("a partition field's id");
      slots.push_back(static_cast<size_t>(at - spec_field_ids.begin()));
    }
    return EntryReader(entry, std::move(slots));
  }

  Result<ManifestEntry> Read(AvroDecoder& avro) const {
    ManifestEntry entry;
    for (const AvroField& field : entry_.fields) {
      switch (field.field_id) {
        case field_id::kStatus:
          entry.status = ReadStatus(avro, *field.type);
          break;
        case field_id::kSnapshotId:
          entry.snapshot_id = avro.Integer(*field.type);
          break;
        case field_id::kSequenceNumber:
          entry.sequence_number = avro.Integer(*field.type);
          break;
        case field_id::kFileSequenceNumber:
          entry.file_sequence_number = avro.Integer(*field.type);
          break;
        case field_id::kDataFile:
          PH_RETURN_IF_ERROR(ReadDataFile(avro, *field.type, &entry.file));
          break;
        default:
          avro.Skip(*field.type);
      }
    }
    PH_RETURN_IF_ERROR(avro.status());
    return entry;
  }

 private:
  EntryReader(const AvroType& entry, std::vector<size_t> partition_slots)
      : entry_(entry), partition_slots_(std::move(partition_slots)) {}

  static EntryStatus ReadStatus(AvroDecoder& avro, const AvroType& type) {
    const int64_t status = avro.Count(type);
    if (status <= static_cast<int64_t>(EntryStatus::kDeleted)) {
      return static_cast<EntryStatus>(status);
    }
    avro.Fail("entry has no such status");
    return EntryStatus::kExisting;
  }

  /// Calls `read_value(key, value_type)` for each pair of a map with int keys.
  template <typename ReadValue>
  static void ReadMap(AvroDecoder& avro, const AvroType& type, ReadValue read_value) {
    const AvroType* array = avro.Resolve(type);
    if (array == nullptr) return;
    if (array->kind != AvroKind::kArray || array->item->kind != AvroKind::kRecord ||
        array->item->fields.size() != 2) {
      avro.Fail("field is not a map with int keys");
      return;
    }
    const AvroField& key = array->item->fields[0];
    const AvroField& value = array->item->fields[1];
    avro.Array([&] {
      const auto id = avro.Integer(*key.type);
      if (!id || *id != static_cast<int32_t>(*id)) avro.Fail("column id is not an int");
      read_value(static_cast<int32_t>(id.value_or(0)), *value.type);
    });
  }

  static void ReadCounts(AvroDecoder& avro, const AvroType& type,
                         std::map<int32_t, int64_t>* counts) {
    ReadMap(avro, type, [&](int32_t id, const AvroType& value) {
      counts->insert_or_assign(counts->end(), id, avro.Integer(value).value_or(0));
    });
  }

  static void ReadBounds(AvroDecoder& avro, const AvroType& type,
                         std::map<int32_t, std::string>* bounds) {
    ReadMap(avro, type, [&](int32_t id, const AvroType& value) {
      bounds->insert_or_assign(bounds->end(), id, std::string(avro.Text(value).value_or("")));
    });
  }

  static PartitionValue ReadValue(AvroDecoder& avro, const AvroType& type) {
    const AvroType* resolved = avro.Resolve(type);
    if (resolved == nullptr) return {};
    switch (resolved->kind) {
      case AvroKind::kBoolean:
        return avro.Bool();
      case AvroKind::kInt:
        return avro.Int();
      case AvroKind::kLong:
        return avro.Long();
      case AvroKind::kFloat:
        return avro.Float();
      case AvroKind::kDouble:
        return avro.Double();
      case AvroKind::kString:
      case AvroKind::kBytes:
        return std::string(avro.Bytes());
      case AvroKind::kFixed:
        return std::string(avro.Fixed(resolved->size));
      default:
        avro.Fail("partition value is not primitive");
        return {};
    }
  }

  void ReadPartition(AvroDecoder& avro, const AvroType& type, DataFile* file) const {
    file->partition.resize(partition_slots_.size());
    for (size_t i = 0; i < partition_slots_.size(); ++i) {
      file->partition[partition_slots_[i]] = ReadValue(avro, *type.fields[i].type);
    }
  }

  Status ReadDataFile(AvroDecoder& avro, const AvroType& record, DataFile* file) const {
    for (const AvroField& field : record.fields) {
      const AvroType& type = *field.type;
      switch (field.field_id) {
        case field_id::kContent:
          if (avro.Count(type) != 0) {
            return Error(StatusCode::kNotSupported, "manifest lists delete files");
          }
          break;
        case field_id::kFilePath:
          file->path = avro.Text(type).value_or("");
          break;
        case field_id::kFileFormat:
          if (const auto format = avro.Text(type).value_or("");
              avro.ok() && !EqualsIgnoringCase(format, "PARQUET")) {
            return Error(StatusCode::kNotSupported, "data file is not Parquet: format={}", format);
          }
          break;
        case field_id::kPartition:
          ReadPartition(avro, type, file);
          break;
        case field_id::kRecordCount:
          file->record_count = avro.Count(type);
          break;
        case field_id::kFileSize:
          file->file_bytes = avro.Count(type);
          break;
        case field_id::kColumnSizes:
          ReadCounts(avro, type, &file->column_sizes);
          break;
        case field_id::kValueCounts:
          ReadCounts(avro, type, &file->value_counts);
          break;
        case field_id::kNullValueCounts:
          ReadCounts(avro, type, &file->null_value_counts);
          break;
        case field_id::kNanValueCounts:
          ReadCounts(avro, type, &file->nan_value_counts);
          break;
        case field_id::kLowerBounds:
          ReadBounds(avro, type, &file->lower_bounds);
          break;
        case field_id::kUpperBounds:
          ReadBounds(avro, type, &file->upper_bounds);
          break;
        case field_id::kKeyMetadata:
          if (avro.Text(type)) {
            return Error(StatusCode::kNotSupported, "data file is encrypted: path={}", file->path);
          }
          break;
        case field_id::kSplitOffsets:
          if (const AvroType* array = avro.Resolve(type)) {
            if (array->kind != AvroKind::kArray) {
              avro.Fail("split_offsets is not an array");
              break;
            }
            avro.Array([&] { file->split_offsets.push_back(avro.Count(*array->item)); });
          }
          break;
        default:
          avro.Skip(type);
      }
    }
    return {};
  }

  const AvroType& entry_;
  std::vector<size_t> partition_slots_;
};

Result<std::vector<int32_t>> SpecFieldIds(const AvroFileReader& file) {
  const std::string_view json = file.Metadata("partition-spec");
  if (json.empty()) return Error(StatusCode::kDataCorrupt, "manifest has no partition-spec");
  PH_ASSIGN_OR_RETURN(const JsonDocument document, JsonDocument::Parse(json));
  if (!document.root().is_array()) {
    return Error(StatusCode::kDataCorrupt, "manifest's partition-spec is not an array");
  }
  PH_ASSIGN_OR_RETURN(const auto fields, ParsePartitionFields(document.root().Elements()));
  std::vector<int32_t> ids;
  ids.reserve(fields.size());
  for (const PartitionField& field : fields) ids.push_back(field.field_id);
  return ids;
}

/// Source: Iceberg spec, "Sequence Number Inheritance". Files of version 1 have sequence number 0.
Status Inherit(const ManifestFile& manifest, ManifestEntry* entry) {
  if (!entry->snapshot_id) entry->snapshot_id = manifest.added_snapshot_id;
  entry->file.spec_id = manifest.spec_id;
  const bool inherits = entry->status == EntryStatus::kAdded || manifest.sequence_number == 0;
  if (!inherits && !entry->sequence_number) {
    return Error(StatusCode::kDataCorrupt,
                 "manifest entry that is not new has no sequence number: path={}",
                 entry->file.path);
  }
  if (!entry->sequence_number) entry->sequence_number = manifest.sequence_number;
  // Writers before it existed left it out everywhere; the data's own number is the best that is
  // known.
  if (!entry->file_sequence_number) {
    entry->file_sequence_number = inherits ? manifest.sequence_number : *entry->sequence_number;
  }
  return {};
}

Result<std::vector<ManifestEntry>> ReadEntries(std::string_view bytes,
                                               const ManifestFile& manifest) {
  if (manifest.content != 0) {
    return Error(StatusCode::kNotSupported, "manifest lists delete files");
  }
  PH_ASSIGN_OR_RETURN(AvroFileReader file, AvroFileReader::Open(bytes));
  PH_ASSIGN_OR_RETURN(auto spec_field_ids, SpecFieldIds(file));
  PH_ASSIGN_OR_RETURN(const EntryReader reader,
                      EntryReader::Make(file.schema().root(), std::move(spec_field_ids)));
  std::vector<ManifestEntry> entries;
  while (true) {
    PH_ASSIGN_OR_RETURN(const bool has_block, file.NextBlock());
    if (!has_block) return entries;
    AvroDecoder avro(file.block());
    for (int64_t i = 0; i < file.block_objects(); ++i) {
      if (entries.size() == kEntriesMax) {
        return Error(StatusCode::kDataCorrupt, "manifest has too many entries: entries_max={}",
                     kEntriesMax);
      }
      PH_ASSIGN_OR_RETURN(ManifestEntry entry, reader.Read(avro));
      PH_RETURN_IF_ERROR(Inherit(manifest, &entry));
      entries.push_back(std::move(entry));
    }
    if (!avro.at_end()) {
      return Error(StatusCode::kDataCorrupt, "manifest block is longer than its entries");
    }
  }
}

}  // namespace

Result<std::vector<ManifestEntry>> ReadManifest(std::string_view bytes,
                                                const ManifestFile& manifest) {
  auto entries = ReadEntries(bytes, manifest);
  if (!entries.ok()) {
    return entries.error().WithContext(fmt::format("manifest={}", manifest.path));
  }
  return entries;
}

}  // namespace playhead::iceberg
