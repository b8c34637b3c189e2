#pragma once

#include "playhead/base/clock.h"
#include "playhead/storage/object_store.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace playhead::storage {

/// Objects in memory, for tests and the simulator: every promise of ObjectStore but durability
/// beyond the process. Nothing in it is random, and times are those of `clock`.
///
/// URIs     `memory://<anything>`. Folders are the parts of names, so there are no empty ones.
/// Cost     contents are shared, not copied, between the store and its readers.
/// Threads  any; each call is one step.
class MemoryStore final : public ObjectStore {
 public:
  explicit MemoryStore(const Clock& clock = SystemClock()) : clock_(clock) {}

  Status Put(const std::string& uri, std::string_view contents) override;
  Status Replace(const std::string& uri, std::string_view contents) override;
  Result<std::shared_ptr<OutputObject>> OpenForWrite(const std::string& uri) override;
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
  class Output;

  struct Object {
    std::shared_ptr<const std::string> contents;
    int64_t modified_us = 0;
  };
  using Objects = std::map<std::string, Object, std::less<>>;

  Result<std::shared_ptr<const std::string>> Find(const std::string& uri);
  Status Store(const std::string& uri, std::shared_ptr<const std::string> contents, bool replace);

  const Clock& clock_;
  std::mutex mutex_;
  Objects objects_;  // by URI; guarded by mutex_
};

}  // namespace playhead::storage
