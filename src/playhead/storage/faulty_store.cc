#include "playhead/storage/faulty_store.h"

#include "playhead/base/arrow_status.h"

#include <arrow/io/interfaces.h>
#include <arrow/util/io_util.h>

#include <cerrno>
#include <utility>

namespace playhead::storage {
namespace {

class FaultyOutput final : public OutputObject {
 public:
  FaultyOutput(FaultyStore& store, std::shared_ptr<OutputObject> output)
      : store_(store), output_(std::move(output)) {}

  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (!store_.IsFaulty()) return output_->Write(data, nbytes);
    if (store_.fault().kind == FaultKind::kHalfWritten) {
      ARROW_RETURN_NOT_OK(output_->Write(data, nbytes / 2));
    }
    return Failure();
  }
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override { return output_->Flush(); }
  arrow::Status Close() override {
    if (output_->closed()) return arrow::Status::OK();
    if (!store_.IsFaulty()) return output_->Close();
    if (store_.fault().kind == FaultKind::kAnswerLost) {
      ARROW_RETURN_NOT_OK(output_->Close());
    } else {
      ARROW_RETURN_NOT_OK(output_->Abort());
    }
    return Failure();
  }
  arrow::Status Abort() override { return output_->Abort(); }
  arrow::Result<int64_t> Tell() const override { return output_->Tell(); }
  bool closed() const override { return output_->closed(); }
  const std::string& uri() const override { return output_->uri(); }
  Status Seal() override { return output_->Seal(); }
  Status SyncContents() override { return output_->SyncContents(); }

 private:
  arrow::Status Failure() const {
    const bool is_full = store_.fault().code == StatusCode::kResourceExhausted;
    return arrow::internal::IOErrorFromErrno(is_full ? ENOSPC : EIO, "injected fault");
  }

  FaultyStore& store_;
  std::shared_ptr<OutputObject> output_;
};

}  // namespace

void FaultyStore::Set(Fault fault) {
  fault_ = fault;
  calls_ = 0;
}

bool FaultyStore::IsFaulty() {
  const int64_t call = ++calls_;
  return fault_.at_call > 0 && call >= fault_.at_call && call < fault_.at_call + fault_.calls;
}

Status FaultyStore::Failure(std::string_view call, const std::string& uri) const {
  return Error(fault_.code, "injected fault: call={} uri={}", call, uri);
}

Status FaultyStore::Put(const std::string& uri, std::string_view contents) {
  if (!IsFaulty()) return store_.Put(uri, contents);
  // Put is whole or not at all, so half of it is nothing.
  if (fault_.kind == FaultKind::kAnswerLost) PH_RETURN_IF_ERROR(store_.Put(uri, contents));
  return Failure("Put", uri);
}

Status FaultyStore::Replace(const std::string& uri, std::string_view contents) {
  if (!IsFaulty()) return store_.Replace(uri, contents);
  if (fault_.kind == FaultKind::kAnswerLost) PH_RETURN_IF_ERROR(store_.Replace(uri, contents));
  return Failure("Replace", uri);
}

Result<std::shared_ptr<OutputObject>> FaultyStore::OpenForWrite(const std::string& uri) {
  if (IsFaulty()) return Failure("OpenForWrite", uri);
  PH_ASSIGN_OR_RETURN(auto output, store_.OpenForWrite(uri));
  return std::shared_ptr<OutputObject>(std::make_shared<FaultyOutput>(*this, std::move(output)));
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> FaultyStore::OpenForRead(
    const std::string& uri) {
  if (IsFaulty()) return Failure("OpenForRead", uri);
  return store_.OpenForRead(uri);
}

Result<std::string> FaultyStore::Get(const std::string& uri) {
  if (IsFaulty()) return Failure("Get", uri);
  return store_.Get(uri);
}

Result<ObjectInfo> FaultyStore::Stat(const std::string& uri) {
  if (IsFaulty()) return Failure("Stat", uri);
  return store_.Stat(uri);
}

Result<std::vector<PublishOutcome>> FaultyStore::PublishMany(std::span<const ObjectMove> moves) {
  std::vector<PublishOutcome> outcomes;
  for (const ObjectMove& move : moves) {
    const bool is_faulty = IsFaulty();
    if (!is_faulty || fault_.kind == FaultKind::kAnswerLost) {
      PH_ASSIGN_OR_RETURN(const PublishOutcome outcome,
                          store_.Publish(move.staged_uri, move.final_uri));
      outcomes.push_back(outcome);
    }
    if (is_faulty) return Failure("Publish", move.final_uri);
  }
  return outcomes;
}

Status FaultyStore::Delete(const std::string& uri) {
  if (!IsFaulty()) return store_.Delete(uri);
  if (fault_.kind == FaultKind::kAnswerLost) PH_RETURN_IF_ERROR(store_.Delete(uri));
  return Failure("Delete", uri);
}

Status FaultyStore::DeleteTree(const std::string& uri) {
  if (!IsFaulty()) return store_.DeleteTree(uri);
  if (fault_.kind == FaultKind::kAnswerLost) PH_RETURN_IF_ERROR(store_.DeleteTree(uri));
  return Failure("DeleteTree", uri);
}

Result<ObjectPage> FaultyStore::ListPage(const std::string& folder_uri, const std::string& token,
                                         int64_t objects_max) {
  if (IsFaulty()) return Failure("ListPage", folder_uri);
  return store_.ListPage(folder_uri, token, objects_max);
}

Result<std::vector<std::string>> FaultyStore::ListFolders(const std::string& folder_uri) {
  if (IsFaulty()) return Failure("ListFolders", folder_uri);
  return store_.ListFolders(folder_uri);
}

}  // namespace playhead::storage
