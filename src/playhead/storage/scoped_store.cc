#include "playhead/storage/scoped_store.h"

#include <utility>

namespace playhead::storage {

ScopedStore::ScopedStore(std::unique_ptr<ObjectStore> store, std::string root_uri)
    : store_(std::move(store)), root_uri_(std::move(root_uri)) {}

Status ScopedStore::Check(const std::string& uri) const {
  if (IsBelow(uri, root_uri_)) return {};
  return Error(StatusCode::kPermissionDenied,
               "this lies outside the warehouse, where nothing is written or deleted: uri={} "
               "warehouse={}",
               uri, root_uri_);
}

Status ScopedStore::Put(const std::string& uri, std::string_view contents) {
  PH_RETURN_IF_ERROR(Check(uri));
  return store_->Put(uri, contents);
}

Status ScopedStore::PutMany(std::span<const NewObject> objects) {
  for (const NewObject& object : objects) PH_RETURN_IF_ERROR(Check(object.uri));
  return store_->PutMany(objects);
}

Status ScopedStore::Replace(const std::string& uri, std::string_view contents) {
  PH_RETURN_IF_ERROR(Check(uri));
  return store_->Replace(uri, contents);
}

Result<std::shared_ptr<OutputObject>> ScopedStore::OpenForWrite(const std::string& uri) {
  PH_RETURN_IF_ERROR(Check(uri));
  return store_->OpenForWrite(uri);
}

Status ScopedStore::CloseMany(std::span<const std::shared_ptr<OutputObject>> outputs) {
  return store_->CloseMany(outputs);
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> ScopedStore::OpenForRead(
    const std::string& uri) {
  return store_->OpenForRead(uri);
}

Result<std::string> ScopedStore::Get(const std::string& uri) { return store_->Get(uri); }

Result<ObjectInfo> ScopedStore::Stat(const std::string& uri) { return store_->Stat(uri); }

Result<std::vector<PublishOutcome>> ScopedStore::PublishMany(std::span<const ObjectMove> moves) {
  for (const ObjectMove& move : moves) {
    PH_RETURN_IF_ERROR(Check(move.staged_uri));
    PH_RETURN_IF_ERROR(Check(move.final_uri));
  }
  return store_->PublishMany(moves);
}

Status ScopedStore::Delete(const std::string& uri) {
  PH_RETURN_IF_ERROR(Check(uri));
  return store_->Delete(uri);
}

Status ScopedStore::DeleteTree(const std::string& uri) {
  PH_RETURN_IF_ERROR(Check(uri));
  return store_->DeleteTree(uri);
}

Result<ObjectPage> ScopedStore::ListPage(const std::string& folder_uri, const std::string& token,
                                         int64_t objects_max) {
  return store_->ListPage(folder_uri, token, objects_max);
}

Result<std::vector<std::string>> ScopedStore::ListFolders(const std::string& folder_uri) {
  return store_->ListFolders(folder_uri);
}

}  // namespace playhead::storage
