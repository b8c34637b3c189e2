#include "playhead/ingest/row_stager.h"

#include <arrow/record_batch.h>
#include <sched.h>

#include <optional>

namespace playhead::ingest {
namespace {

// They hold whole records and are read by few: less memory is worth more than large row groups.
constexpr int64_t kDeadRowGroupBytes = 32LL << 20;

/// Whether a second thread would only take turns with the first.
bool HasOneCore() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  return sched_getaffinity(0, sizeof(cores), &cores) == 0 && CPU_COUNT(&cores) == 1;
}

}  // namespace

RowStager::~RowStager() {
  // What waits is of no use any more.
  if (thread_.joinable()) thread_.request_stop();
  waiting_.Close();
}

Status RowStager::Take(decode::DecodedRows rows) {
  if (!thread_.joinable() && HasOneCore()) return Stage(std::move(rows));
  if (!thread_.joinable()) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Work(stop); });
  }
  if (waiting_.Push(std::move(rows), {})) return {};
  const std::lock_guard lock(mutex_);
  return failure_;
}

void RowStager::Work(const std::stop_token& stop) {
  while (std::optional<decode::DecodedRows> rows = waiting_.Pop(stop)) {
    Status status = Stage(std::move(*rows));
    if (status.ok()) continue;
    {
      const std::lock_guard lock(mutex_);
      failure_ = std::move(status);
    }
    waiting_.Close();
    return;
  }
}

Status RowStager::Join() {
  waiting_.Close();
  if (thread_.joinable()) thread_.join();
  const std::lock_guard lock(mutex_);
  return failure_;
}

Status RowStager::OpenOnce(std::unique_ptr<table::PartitionedWriter>& writer,
                           const iceberg::TableMetadata& table, const table::TableSpec& declared,
                           const char* folder, const table::PartitionedWriterOptions& options) {
  if (writer != nullptr) return {};
  PH_ASSIGN_OR_RETURN(
      writer, table::PartitionedWriter::Open(*target_.store, table, target_.staging_uri + folder,
                                             options, &declared));
  return {};
}

Status RowStager::Stage(decode::DecodedRows rows) {
  for (decode::PartitionBatch& partition : rows.partitions) {
    PH_RETURN_IF_ERROR(OpenOnce(main_writer_, *target_.main, target_.stream->main, "/main", {}));
    PH_RETURN_IF_ERROR(main_writer_->Append(TableKey(*target_.stream->row_schema, partition.key),
                                            std::exchange(partition.rows, nullptr),
                                            partition.generation));
  }
  if (rows.dead_letters != nullptr && rows.dead_letters->num_rows() > 0) {
    PH_RETURN_IF_ERROR(OpenOnce(dead_writer_, *target_.dead, target_.stream->dead, "/dead",
                                {.row_group_bytes = kDeadRowGroupBytes}));
    PH_RETURN_IF_ERROR(dead_writer_->Append({}, rows.dead_letters));
  }
  bytes_ = (main_writer_ == nullptr ? 0 : main_writer_->bytes()) +
           (dead_writer_ == nullptr ? 0 : dead_writer_->bytes());
  return {};
}

Status RowStager::Finish(decode::DecodedRows last, const std::string& stem, table::Epoch* epoch) {
  PH_RETURN_IF_ERROR(Join());
  PH_RETURN_IF_ERROR(Stage(std::move(last)));
  if (main_writer_ != nullptr) {
    PH_ASSIGN_OR_RETURN(epoch->main_files, main_writer_->Finish(stem));
  }
  if (dead_writer_ != nullptr) {
    PH_ASSIGN_OR_RETURN(epoch->dead_files, dead_writer_->Finish(stem));
  }
  return {};
}

}  // namespace playhead::ingest
