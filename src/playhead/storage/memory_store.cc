#include "playhead/storage/memory_store.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <utility>
#include <vector>

namespace playhead::storage {
namespace {

Status CheckUri(std::string_view uri) {
  if (uri.starts_with("memory://")) return {};
  return Error(StatusCode::kInvalidArgument, "not a memory URI: uri={}", uri);
}

Status NoSuchObject(std::string_view uri) {
  return Error(StatusCode::kNotFound, "no such object: uri={}", uri);
}

std::string Prefix(const std::string& folder_uri) {
  return folder_uri.ends_with('/') ? folder_uri : folder_uri + '/';
}

// Keeps the contents alive for as long as somebody reads them.
class SharedText final : public arrow::Buffer {
 public:
  explicit SharedText(std::shared_ptr<const std::string> text)
      : arrow::Buffer(reinterpret_cast<const uint8_t*>(text->data()),
                      static_cast<int64_t>(text->size())),
        text_(std::move(text)) {}

 private:
  std::shared_ptr<const std::string> text_;
};

}  // namespace

class MemoryStore::Output final : public OutputObject {
 public:
  Output(MemoryStore& store, std::string uri) : store_(store), uri_(std::move(uri)) {}

  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return arrow::Status::Invalid("write to a closed object: uri=", uri_);
    contents_.append(static_cast<const char*>(data), static_cast<size_t>(nbytes));
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;
  arrow::Status Close() override {
    // The URI was checked when the stream was opened, and replacing cannot fail.
    PH_CHECK(Seal().ok());
    return arrow::Status::OK();
  }
  Status Seal() override {
    if (std::exchange(closed_, true)) return {};
    position_ = static_cast<int64_t>(contents_.size());
    auto contents = std::make_shared<const std::string>(std::move(contents_));
    return store_.Store(uri_, std::move(contents), /*replace=*/true);
  }
  Status SyncContents() override { return {}; }
  const std::string& uri() const override { return uri_; }
  arrow::Status Abort() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override {
    return closed_ ? position_ : static_cast<int64_t>(contents_.size());
  }
  bool closed() const override { return closed_; }

 private:
  MemoryStore& store_;
  std::string uri_;
  std::string contents_;
  int64_t position_ = 0;
  bool closed_ = false;
};

Status MemoryStore::Store(const std::string& uri, std::shared_ptr<const std::string> contents,
                          bool replace) {
  PH_RETURN_IF_ERROR(CheckUri(uri));
  Object object{.contents = std::move(contents), .modified_us = clock_.NowMicros()};
  const std::lock_guard lock(mutex_);
  if (replace) {
    objects_.insert_or_assign(uri, std::move(object));
    return {};
  }
  if (objects_.try_emplace(uri, std::move(object)).second) return {};
  return Error(StatusCode::kAlreadyExists, "the name is taken: uri={}", uri);
}

Result<std::shared_ptr<const std::string>> MemoryStore::Find(const std::string& uri) {
  PH_RETURN_IF_ERROR(CheckUri(uri));
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(uri);
  if (found == objects_.end()) return NoSuchObject(uri);
  return found->second.contents;
}

Status MemoryStore::Put(const std::string& uri, std::string_view contents) {
  return Store(uri, std::make_shared<const std::string>(contents), /*replace=*/false);
}

Status MemoryStore::Replace(const std::string& uri, std::string_view contents) {
  return Store(uri, std::make_shared<const std::string>(contents), /*replace=*/true);
}

Result<std::shared_ptr<OutputObject>> MemoryStore::OpenForWrite(const std::string& uri) {
  PH_RETURN_IF_ERROR(CheckUri(uri));
  return std::shared_ptr<OutputObject>(std::make_shared<Output>(*this, uri));
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> MemoryStore::OpenForRead(
    const std::string& uri) {
  PH_ASSIGN_OR_RETURN(auto contents, Find(uri));
  return std::shared_ptr<arrow::io::RandomAccessFile>(
      std::make_shared<arrow::io::BufferReader>(std::make_shared<SharedText>(std::move(contents))));
}

Result<std::string> MemoryStore::Get(const std::string& uri) {
  PH_ASSIGN_OR_RETURN(const auto contents, Find(uri));
  return *contents;
}

Result<ObjectInfo> MemoryStore::Stat(const std::string& uri) {
  PH_RETURN_IF_ERROR(CheckUri(uri));
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find(uri);
  if (found == objects_.end()) return NoSuchObject(uri);
  return ObjectInfo{.uri = uri,
                    .bytes = static_cast<int64_t>(found->second.contents->size()),
                    .modified_us = found->second.modified_us};
}

Result<std::vector<PublishOutcome>> MemoryStore::PublishMany(std::span<const ObjectMove> moves) {
  for (const ObjectMove& move : moves) {
    PH_RETURN_IF_ERROR(CheckUri(move.staged_uri));
    PH_RETURN_IF_ERROR(CheckUri(move.final_uri));
  }
  const std::lock_guard lock(mutex_);
  std::vector<PublishOutcome> outcomes;
  for (const ObjectMove& move : moves) {
    const auto staged = objects_.find(move.staged_uri);
    if (objects_.contains(move.final_uri)) {
      outcomes.push_back(PublishOutcome::kAlready);
    } else if (staged == objects_.end()) {
      outcomes.push_back(PublishOutcome::kSourceGone);
    } else {
      objects_[move.final_uri] = std::move(staged->second);
      objects_.erase(staged);
      outcomes.push_back(PublishOutcome::kPublished);
    }
  }
  return outcomes;
}

Status MemoryStore::Delete(const std::string& uri) {
  PH_RETURN_IF_ERROR(CheckUri(uri));
  const std::lock_guard lock(mutex_);
  objects_.erase(uri);
  return {};
}

Status MemoryStore::DeleteTree(const std::string& uri) {
  PH_RETURN_IF_ERROR(CheckUri(uri));
  const std::string prefix = Prefix(uri);
  const std::lock_guard lock(mutex_);
  const auto begin = objects_.lower_bound(prefix);
  auto end = begin;
  while (end != objects_.end() && end->first.starts_with(prefix)) ++end;
  objects_.erase(begin, end);
  return {};
}

Result<ObjectPage> MemoryStore::ListPage(const std::string& folder_uri, const std::string& token,
                                         int64_t objects_max) {
  PH_CHECK(objects_max >= 1);
  PH_RETURN_IF_ERROR(CheckUri(folder_uri));
  const std::string prefix = Prefix(folder_uri);
  ObjectPage page;
  const std::lock_guard lock(mutex_);
  auto it = token.empty() ? objects_.lower_bound(prefix) : objects_.upper_bound(token);
  for (; it != objects_.end() && it->first.starts_with(prefix); ++it) {
    if (page.objects.size() == static_cast<size_t>(objects_max)) {
      page.next_token = page.objects.back().uri;
      break;
    }
    page.objects.push_back({.uri = it->first,
                            .bytes = static_cast<int64_t>(it->second.contents->size()),
                            .modified_us = it->second.modified_us});
  }
  return page;
}

Result<std::vector<std::string>> MemoryStore::ListFolders(const std::string& folder_uri) {
  PH_RETURN_IF_ERROR(CheckUri(folder_uri));
  const std::string prefix = Prefix(folder_uri);
  std::vector<std::string> names;
  const std::lock_guard lock(mutex_);
  auto it = objects_.lower_bound(prefix);
  while (it != objects_.end() && it->first.starts_with(prefix)) {
    const size_t slash = it->first.find('/', prefix.size());
    if (slash == std::string::npos) {
      ++it;
      continue;
    }
    names.push_back(it->first.substr(prefix.size(), slash - prefix.size()));
    // '0' follows '/', so this is the first name behind all of the folder.
    it = objects_.lower_bound(it->first.substr(0, slash) + '0');
  }
  return names;
}

}  // namespace playhead::storage
