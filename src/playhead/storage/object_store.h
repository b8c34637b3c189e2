#pragma once

#include "playhead/base/status.h"

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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

/// A part of a listing, in the order of the bytes of the URIs.
struct ObjectPage {
  std::vector<ObjectInfo> objects;
  std::string next_token;  ///< for the next page; empty = this is the last
};

/// An object that is being written. Readers do not see it before it is sealed; one that is
/// destroyed before that, or aborted, leaves nothing.
///
/// Seal()   all that was written is whole under its name, and nothing more can be written; a power
///          cut may still take it. ObjectStore::CloseMany() makes sealed objects durable together.
/// Close()  seals and makes durable. OK when the object has been closed before.
class OutputObject : public arrow::io::OutputStream {
 public:
  virtual const std::string& uri() const = 0;
  virtual Status Seal() = 0;
  /// The contents of a sealed object are on the disk; its name is not yet. For CloseMany() of the
  /// store that opened it.
  virtual Status SyncContents() = 0;
};

/// The files of one warehouse. Objects are named by full URIs (`file:///lake/bronze/…`), as Iceberg
/// metadata wants them; names are raw, not percent-encoded (Hive folders keep their `%3A`).
///
/// Durable means: contents and the name survive a power cut once the call has returned OK. Readers
/// see an object whole or not at all; only a power cut during the call may leave a torn one.
///
/// Unknown  a write, publish or delete that fails with kUnavailable may have happened, and may
///          still happen: the answer was lost. So names are made unique by what they hold (a plan
///          id, a UUID), a repeat writes the same bytes, and nobody concludes from the error that
///          an object is not there.
/// Errors   kNotFound, kAlreadyExists, kUnavailable (retry), kResourceExhausted (disk full),
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
  /// Opens an object for writing; once sealed it replaces what is there. Parents are made.
  virtual Result<std::shared_ptr<OutputObject>> OpenForWrite(const std::string& uri) = 0;
  /// Seals what is not sealed yet, in order and up to the first failure, then makes all of it
  /// durable. The objects were opened by this store. A local store syncs them together, which costs
  /// little more than one Close().
  virtual Status CloseMany(std::span<const std::shared_ptr<OutputObject>> outputs);
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
  /// Objects below a folder, recursively, at most `objects_max` (at least 1) of them: the first
  /// ones for an empty `token`, else those behind the page that gave it. Memory: a page, and the
  /// names directly in the folders on the way to it. None when there is no such folder. Objects
  /// that come or go during the listing may or may not be in it.
  virtual Result<ObjectPage> ListPage(const std::string& folder_uri, const std::string& token,
                                      int64_t objects_max) = 0;
  /// All pages of a folder that is known to be small.
  Result<std::vector<ObjectInfo>> List(const std::string& folder_uri);
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
/// True when an object lies below a folder: by its name, or on local disk by where links lead, so
/// that `/tmp/lake`, `/private/tmp/lake` and a link to it are one place. A URI that names no place
/// (a relative one, one of another store) lies nowhere.
bool IsBelow(std::string_view uri, std::string_view folder_uri);
/// The same place without links on the way to it, as far as it exists; other URIs as they are.
std::string RealPlace(std::string_view uri);
/// The local folder of a warehouse; none when it is not on local disk. Only the configuration asks:
/// what else lies beside a local warehouse (catalog, journal, lock) has settings of its own.
std::optional<std::string> LocalFolder(std::string_view uri);
/// The store for a normalized warehouse URI.
Result<std::unique_ptr<ObjectStore>> OpenStore(std::string_view uri);

}  // namespace playhead::storage
