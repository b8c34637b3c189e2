#pragma once

#include "playhead/storage/object_store.h"

#include <atomic>
#include <cstdint>

namespace playhead::storage {

enum class FaultKind {
  kFails,        ///< the call does nothing and fails
  kAnswerLost,   ///< the call does its work and fails all the same
  kHalfWritten,  ///< a stream stores half of a write and fails; Put stores nothing
};

struct Fault {
  int64_t at_call = 0;  ///< from 1; 0 = never
  FaultKind kind = FaultKind::kFails;
  StatusCode code = StatusCode::kUnavailable;
  /// Calls from `at_call` on that fail; a full disk stays full for a while.
  int64_t calls = 1;
};

/// A store whose n-th call goes wrong; the others reach `store`. Each call of the interface counts
/// as one, each object of a *Many call too, and so do Write() and Close() of an opened stream.
/// Threads: any, but Set() only between calls.
class FaultyStore final : public ObjectStore {
 public:
  explicit FaultyStore(ObjectStore& store) : store_(store) {}

  /// Starts counting anew.
  void Set(Fault fault);
  int64_t calls() const { return calls_; }

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

  /// Counts a call; true when it is to go wrong. For the streams of OpenForWrite().
  bool IsFaulty();
  const Fault& fault() const { return fault_; }

 private:
  Status Failure(std::string_view call, const std::string& uri) const;

  ObjectStore& store_;
  Fault fault_;
  std::atomic<int64_t> calls_ = 0;
};

}  // namespace playhead::storage
