#include "playhead/storage/object_store.h"

#include "playhead/base/arrow_status.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

namespace playhead::storage {
namespace {

constexpr std::string_view kFileScheme = "file:";

// The scheme of `text`, empty for a plain path. One letter is no scheme.
std::string_view SchemeOf(std::string_view text) {
  const size_t colon = text.find(':');
  const size_t slash = text.find('/');
  if (colon == std::string_view::npos || colon < 2) return {};
  if (slash != std::string_view::npos && slash < colon) return {};
  return text.substr(0, colon);
}

// Names that step back (`/lake/../other`) say nothing about the place.
bool IsBelowByName(std::string_view path, std::string_view folder) {
  while (folder.ends_with('/')) folder.remove_suffix(1);
  if (!path.starts_with(folder) || path.size() <= folder.size() + 1) return false;
  return path[folder.size()] == '/' && path.find("/../") == std::string_view::npos &&
         !path.ends_with("/..");
}

}  // namespace

Status ObjectStore::PutMany(std::span<const NewObject> objects) {
  for (const NewObject& object : objects) {
    PH_RETURN_IF_ERROR(Put(object.uri, object.contents));
  }
  return {};
}

Result<PublishOutcome> ObjectStore::Publish(const std::string& staged_uri,
                                            const std::string& final_uri) {
  const ObjectMove move{.staged_uri = staged_uri, .final_uri = final_uri};
  PH_ASSIGN_OR_RETURN(const std::vector<PublishOutcome> outcomes, PublishMany(std::span(&move, 1)));
  return outcomes.front();
}

Status ObjectStore::CloseMany(std::span<const std::shared_ptr<OutputObject>> outputs) {
  for (const auto& output : outputs) PH_RETURN_IF_ERROR(output->Close());
  return {};
}

Result<std::vector<ObjectInfo>> ObjectStore::List(const std::string& folder_uri) {
  constexpr int64_t kPageObjects = 1000;
  std::vector<ObjectInfo> all;
  std::string token;
  do {
    PH_ASSIGN_OR_RETURN(ObjectPage page, ListPage(folder_uri, token, kPageObjects));
    std::ranges::move(page.objects, std::back_inserter(all));
    token = std::move(page.next_token);
  } while (!token.empty());
  return all;
}

Result<std::string> LocalPath(std::string_view uri) {
  std::string_view path = uri;
  if (path.starts_with(kFileScheme)) {
    path.remove_prefix(kFileScheme.size());
    if (path.starts_with("//")) path.remove_prefix(2);
  }
  if (!path.starts_with('/') || path.find('\0') != std::string_view::npos) {
    return Error(StatusCode::kInvalidArgument, "not a local file URI: uri={}", uri);
  }
  return std::string(path);
}

Result<std::string> NormalizeUri(std::string_view uri_or_path, const std::string& base_folder) {
  if (uri_or_path.empty()) {
    return Error(StatusCode::kInvalidArgument, "a location is empty");
  }
  std::filesystem::path path;
  const std::string_view scheme = SchemeOf(uri_or_path);
  if (scheme == "file") {
    PH_ASSIGN_OR_RETURN(path, LocalPath(uri_or_path));
  } else if (scheme.empty()) {
    path = std::filesystem::path(base_folder) / uri_or_path;
  } else {
    return Error(StatusCode::kNotSupported, "this build has no store for the scheme: uri={}",
                 uri_or_path);
  }
  std::error_code error;
  path = std::filesystem::absolute(path, error).lexically_normal();
  if (error) {
    return Error(StatusCode::kInvalidArgument, "cannot resolve a location: path={} error={}",
                 path.string(), error.message());
  }
  std::string text = path.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return "file://" + text;
}

bool IsBelow(std::string_view uri, std::string_view folder_uri) {
  const Result<std::string> path = LocalPath(uri);
  const Result<std::string> folder = LocalPath(folder_uri);
  if (path.ok() != folder.ok()) return false;
  if (!path.ok()) return IsBelowByName(uri, folder_uri);
  return IsBelowByName(*path, *folder) || IsBelowByName(RealPlace(*path), RealPlace(*folder));
}

std::string RealPlace(std::string_view uri) {
  const Result<std::string> path = LocalPath(uri);
  if (!path.ok()) return std::string(uri);
  std::error_code error;
  const std::filesystem::path real = std::filesystem::weakly_canonical(*path, error);
  return "file://" + (error ? *path : real.string());
}

std::optional<std::string> LocalFolder(std::string_view uri) {
  Result<std::string> path = LocalPath(uri);
  if (!path.ok()) return std::nullopt;
  return *std::move(path);
}

Result<std::unique_ptr<ObjectStore>> OpenStore(std::string_view uri) {
  const std::string_view scheme = SchemeOf(uri);
  if (scheme.empty() || scheme == "file") return MakeLocalStore();
  return Error(StatusCode::kNotSupported, "this build has no store for the scheme: uri={}", uri);
}

}  // namespace playhead::storage
