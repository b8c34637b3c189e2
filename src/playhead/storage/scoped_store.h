#pragma once

#include "playhead/storage/object_store.h"

#include <memory>
#include <string>

namespace playhead::storage {

/// The store of a warehouse that is open for writing: what would write, publish or delete outside
/// its root is refused, whoever asks and whatever table metadata or a plan names. Reading is not:
/// data may lie elsewhere. Errors: as the store's, and kPermissionDenied, which names both places.
class ScopedStore final : public ObjectStore {
 public:
  ScopedStore(std::unique_ptr<ObjectStore> store, std::string root_uri);

  Status Put(const std::string& uri, std::string_view contents) override;
  Status PutMany(std::span<const NewObject> objects) override;
  Status Replace(const std::string& uri, std::string_view contents) override;
  Result<std::shared_ptr<OutputObject>> OpenForWrite(const std::string& uri) override;
  Status CloseMany(std::span<const std::shared_ptr<OutputObject>> outputs) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenForRead(const std::string& uri) override;
  Result<std::string> Get(const std::string& uri) override;
  Result<ObjectInfo> Stat(const std::string& uri) override;
  Result<std::vector<PublishOutcome>> PublishMany(std::span<const ObjectMove> moves) override;
  Status Delete(const std::string& uri) override;
  Status DeleteTree(const std::string& uri) override;
  Result<ObjectPage> ListPage(const std::string& folder_uri, const std::string& token,
                              int64_t objects_max) override;
  Result<std::vector<std::string>> ListFolders(const std::string& folder_uri) override;

 private:
  Status Check(const std::string& uri) const;

  std::unique_ptr<ObjectStore> store_;
  std::string root_uri_;
};

}  // namespace playhead::storage
