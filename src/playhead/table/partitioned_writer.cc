#include "playhead/table/partitioned_writer.h"

#include "playhead/base/arrow_status.h"
#include "playhead/columnar/column_writers.h"
#include "playhead/iceberg/partition_folders.h"
#include "playhead/iceberg/values.h"
#include "playhead/table/data_file_writer.h"
#include "playhead/table/parquet_properties.h"
#include "playhead/table/row_adapter.h"
#include "playhead/table/row_placement.h"

#include <arrow/api.h>

#include <algorithm>
#include <map>
#include <utility>

namespace playhead::table {
namespace {

// A file that got none of so many rows is idle.
constexpr int64_t kIdleRows = 100'000;
// Files whose footers are written but which wait for their fsync together with others.
constexpr size_t kUnsyncedFilesMax = 64;

using Key = std::vector<iceberg::PartitionValue>;

struct OpenFile {
  int number = 0;
  std::string staged_uri;
  std::unique_ptr<DataFileWriter> writer;
  int64_t memory_bytes = 0;  // of the writer, when it was last used
  int64_t used = 0;          // rows that had come when the file got its last ones
};

struct ClosedFile {
  int number = 0;
  StagedFile staged;
};

std::string EscapeStem(std::string_view stem) {
  std::string escaped;
  for (const char c : stem) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (is_plain) {
      escaped.push_back(c);
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

class Writer final : public PartitionedWriter {
 public:
  Writer(storage::ObjectStore& store, const iceberg::TableMetadata& table, std::string staging_uri,
         PartitionedWriterOptions options, parquet::Compression::type compression,
         RowPlacement placement)
      : store_(store),
        schema_(table.CurrentSchema()),
        spec_(table.DefaultSpec()),
        folders_(table, spec_),
        location_(table.location),
        adapter_(table),
        placement_(std::move(placement)),
        staging_uri_(std::move(staging_uri)),
        options_(options),
        compression_(compression) {}

  Status Append(const Key& key, const std::shared_ptr<arrow::RecordBatch>& rows,
                decode::Generation generation) override {
    if (rows->num_rows() == 0) return {};
    PH_ASSIGN_OR_RETURN(const auto adapted, adapter_.Adapt(rows));
    if (key.size() != placement_.key_size()) {
      return Error(StatusCode::kInvalidArgument,
                   "partition key has another length: table={} expected={} got={}", location_,
                   placement_.key_size(), key.size());
    }
    if (placement_.is_known_by_key()) {
      return AppendPart(placement_.Place(key), *adapted, generation);
    }
    PH_ASSIGN_OR_RETURN(const auto parts, placement_.Split(key, adapted));
    // Chosen rows have the dictionaries of all, which no generation promises.
    for (const auto& part : parts) PH_RETURN_IF_ERROR(AppendPart(part.key, *part.rows, {}));
    return {};
  }

  int64_t bytes() const override {
    int64_t bytes = closed_bytes_;
    for (const auto& [key, file] : files_) bytes += file.writer->bytes();
    return bytes;
  }

  Result<std::vector<StagedFile>> Finish(const std::string& stem) override {
    while (!files_.empty()) PH_RETURN_IF_ERROR(CloseFile(files_.begin()));
    PH_RETURN_IF_ERROR(SyncClosed());
    std::ranges::sort(closed_, {}, &ClosedFile::number);
    std::vector<StagedFile> staged;
    const std::string name = EscapeStem(stem);
    for (ClosedFile& file : closed_) {
      file.staged.file.path =
          fmt::format("{}/data/{}{}-{}.parquet", location_, folders_.Of(file.staged.file.partition),
                      name, file.number);
      staged.push_back(std::move(file.staged));
    }
    closed_.clear();
    return staged;
  }

 private:
  Status AppendPart(const Key& key, const arrow::RecordBatch& rows, decode::Generation generation) {
    rows_ += rows.num_rows();
    PH_ASSIGN_OR_RETURN(OpenFile * file, FileFor(key));
    PH_RETURN_IF_ERROR(file->writer->Write(rows, generation));
    NoteMemory(*file);
    while (memory_bytes_ > options_.buffered_bytes_max) {
      OpenFile& largest = std::ranges::max_element(files_, {}, [](const auto& entry) {
                            return entry.second.memory_bytes;
                          })->second;
      PH_RETURN_IF_ERROR(EndRowGroup(largest));
    }
    PH_RETURN_IF_ERROR(EndIdleRowGroups());
    if (file->writer->bytes() >= options_.file_bytes_max) {
      return CloseFile(files_.find(key));
    }
    return {};
  }

  Result<OpenFile*> FileFor(const Key& key) {
    const auto found = files_.find(key);
    if (found != files_.end()) {
      found->second.used = rows_;
      return &found->second;
    }
    if (files_.size() >= static_cast<size_t>(std::max(options_.open_files_max, 1))) {
      PH_RETURN_IF_ERROR(CloseFile(std::ranges::min_element(
          files_, {}, [](const auto& entry) { return entry.second.used; })));
    }
    OpenFile& file = files_[key];
    file.number = files_begun_++;
    file.staged_uri = fmt::format("{}/{}.staged", staging_uri_, file.number);
    file.writer = std::make_unique<DataFileWriter>(
        store_, file.staged_uri, adapter_.schema(),
        DataFileOptions{.compression = compression_,
                        .row_group_rows = options_.row_group_rows,
                        .row_group_bytes = options_.row_group_bytes},
        writers_);
    file.used = rows_;
    return &file;
  }

  /// Streams are about in order of time: the files of a past day get no more rows, and their memory
  /// serves those of the next.
  Status EndIdleRowGroups() {
    for (auto& [key, file] : files_) {
      if (file.memory_bytes > 0 && rows_ - file.used > kIdleRows) {
        PH_RETURN_IF_ERROR(EndRowGroup(file));
      }
    }
    return {};
  }

  Status EndRowGroup(OpenFile& file) {
    PH_RETURN_IF_ERROR(file.writer->EndRowGroup());
    NoteMemory(file);
    return {};
  }

  void NoteMemory(OpenFile& file) {
    memory_bytes_ -= file.memory_bytes;
    file.memory_bytes = file.writer->memory_bytes();
    memory_bytes_ += file.memory_bytes;
  }

  Status CloseFile(std::map<Key, OpenFile>::iterator it) {
    OpenFile& file = it->second;
    ClosedFile closed{.number = file.number, .staged = {.file = {}, .staged_uri = file.staged_uri}};
    closed.staged.file.spec_id = spec_.spec_id;
    closed.staged.file.partition = it->first;
    PH_ASSIGN_OR_RETURN(auto output, file.writer->Finish(schema_, closed.staged.file));
    unsynced_.push_back(std::move(output));
    closed_bytes_ += closed.staged.file.file_bytes;
    closed_.push_back(std::move(closed));
    memory_bytes_ -= file.memory_bytes;
    files_.erase(it);
    return unsynced_.size() >= kUnsyncedFilesMax ? SyncClosed() : Status();
  }

  Status SyncClosed() {
    const auto outputs = std::exchange(unsynced_, {});
    return store_.CloseMany(outputs);
  }

  storage::ObjectStore& store_;
  const iceberg::Schema schema_;
  const iceberg::PartitionSpec spec_;
  const iceberg::PartitionFolders folders_;
  const std::string location_;
  RowAdapter adapter_;
  const RowPlacement placement_;
  const std::string staging_uri_;
  const PartitionedWriterOptions options_;
  const parquet::Compression::type compression_;

  columnar::ColumnWriters writers_;  // of all files
  std::map<Key, OpenFile> files_;
  std::vector<ClosedFile> closed_;
  std::vector<std::shared_ptr<storage::OutputObject>> unsynced_;
  int64_t memory_bytes_ = 0;
  int64_t closed_bytes_ = 0;
  int64_t rows_ = 0;
  int files_begun_ = 0;
};

}  // namespace

Result<std::unique_ptr<PartitionedWriter>> PartitionedWriter::Open(
    storage::ObjectStore& store, const iceberg::TableMetadata& table,
    const std::string& staging_uri, PartitionedWriterOptions options, const TableSpec* declared) {
  PH_ASSIGN_OR_RETURN(const auto compression, TableCompression(table));
  PH_ASSIGN_OR_RETURN(RowPlacement placement, RowPlacement::Make(table, declared));
  return std::unique_ptr<PartitionedWriter>(std::make_unique<Writer>(
      store, table, staging_uri, options, compression, std::move(placement)));
}

}  // namespace playhead::table
