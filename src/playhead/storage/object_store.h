#pragma once

#include "playhead/base/status.h"

#include <arrow/io/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::storage {

struct ObjectInfo {
  std::string uri;
  int64_t bytes = 0;
  int64_t modified_us = 0;
};

struct NewObject {
  std::string uri;
  std::string contents;
};

struct ObjectMove {
  std::string staged_uri;
  std::string final_uri;
};

/// What a publish found or did. Of a final name that is one mover's alone, kAlready means that an
/// earlier try had done it.
enum class PublishOutcome {
  kPublished,
  kAlready,     ///< the final name is taken, whatever became of the staged object
  kSourceGone,  ///< nothing is staged, and nothing has the final name
};

/// The files of one warehouse. Objects are named by full URIs (`file:///lake/bronze/…`), as Iceberg
/// metadata wants them; names are raw, not percent-encoded (Hive folders keep their `%3A`).
///
/// Durable means: contents and the name survive a power cut once the call has returned OK. Readers
/// see an object whole or not at all; only a power cut during the call may leave a torn one. Errors
/// kNotFound, kAlreadyExists, kUnavailable (retry), kResourceExhausted (disk full),
///          kPermissionDenied, kInvalidArgument (URI of another store).
/// Threads  any.
class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  /// Writes a small object durably; fails with kAlreadyExists if it is there.
  virtual Status Put(const std::string& uri, std::string_view contents) = 0;
  /// Put for each, in order, up to the first failure. A local store syncs them together, which
  /// costs little more than one Put.
  virtual Status PutMany(std::span<const NewObject> objects);
  /// Writes a small object, replacing what is there, without waiting for the disk: a power cut may
  /// bring back the former contents (version hints).
  virtual Status Replace(const std::string& uri, std::string_view contents) = 0;
  /// Opens an object for writing; it exists, durable, once Close() has returned OK, and readers do
  /// not see it before. It replaces what is there. Parents are made. A stream that is destroyed
  /// without Close() leaves nothing.
  virtual Result<std::shared_ptr<arrow::io::OutputStream>> OpenForWrite(const std::string& uri) = 0;
  /// Close() for each stream of OpenForWrite(), up to the first failure; a local store syncs them
  /// together.
  virtual Status CloseMany(std::span<const std::shared_ptr<arrow::io::OutputStream>> outputs);
  virtual Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenForRead(
      const std::string& uri) = 0;
  virtual Result<std::string> Get(const std::string& uri) = 0;
  virtual Result<ObjectInfo> Stat(const std::string& uri) = 0;
  /// Moves a staged object to its final name. May be repeated after any failure: what has the final
  /// name stays as it is, nothing is replaced or deleted. Names are durable on return, also those
  /// that an earlier try, or a process that is gone, had given.
  Result<PublishOutcome> Publish(const std::string& staged_uri, const std::string& final_uri);
  /// Publish for each, in order, up to the first failure; a local store syncs them together.
  virtual Result<std::vector<PublishOutcome>> PublishMany(std::span<const ObjectMove> moves) = 0;
  /// OK also when there is no such object. A power cut may bring the object back.
  virtual Status Delete(const std::string& uri) = 0;
  /// Removes a folder and all below it, as Delete(); OK when there is none.
  virtual Status DeleteTree(const std::string& uri) = 0;
  /// All objects below a folder, recursively, in name order; none when there is no such folder.
  virtual Result<std::vector<ObjectInfo>> List(const std::string& folder_uri) = 0;
  /// Names (not URIs) of the folders directly below a folder, in order, empty ones too.
  virtual Result<std::vector<std::string>> ListFolders(const std::string& folder_uri) = 0;
};

/// Local disk: temp file, rename, fsync of the file, of its folder and of new parents. A temp file
/// is named `.<uuid>.tmp`, which neither List() nor any reader's glob shows.
std::unique_ptr<ObjectStore> MakeLocalStore();

/// `./lake`, `/data/lake` or `file:///data/lake` → `file:///data/lake` (absolute, no trailing
/// slash). Errors: kNotSupported names a scheme that this build has no store for; kInvalidArgument.
Result<std::string> NormalizeUri(std::string_view uri_or_path, const std::string& base_folder);
/// Local path of a file URI; `file:/x`, `file:///x` and `/x` are one path, since engines write all
/// three. Errors: kInvalidArgument.
Result<std::string> LocalPath(std::string_view uri);
/// The store for a normalized warehouse URI.
Result<std::unique_ptr<ObjectStore>> OpenStore(std::string_view uri);

}  // namespace playhead::storage
