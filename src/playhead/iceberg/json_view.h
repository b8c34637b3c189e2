#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::iceberg {

/// A read-only view of one value of a JsonDocument, which must outlive it.
///
/// Getters judge outside input: a missing key, a wrong type or a number out of range is
/// kDataCorrupt and names the key. Finders take an absent key and null for the same thing: nothing.
class JsonView {
 public:
  explicit JsonView(const void* node) : node_(node) {}

  bool is_object() const;
  bool is_array() const;
  bool is_string() const;

  std::optional<JsonView> Find(std::string_view key) const;
  Result<JsonView> Get(std::string_view key) const;

  Result<int64_t> GetInt64(std::string_view key) const;
  Result<int32_t> GetInt32(std::string_view key) const;
  Result<bool> GetBool(std::string_view key) const;
  Result<std::string> GetString(std::string_view key) const;
  /// The elements of the array at `key`.
  Result<std::vector<JsonView>> GetArray(std::string_view key) const;

  Result<std::optional<int64_t>> FindInt64(std::string_view key) const;
  Result<std::optional<int32_t>> FindInt32(std::string_view key) const;
  Result<std::vector<JsonView>> FindArray(std::string_view key) const;  ///< absent: empty
  /// Errors: kDataCorrupt unless every value is an int32.
  Result<std::vector<int32_t>> FindInt32s(std::string_view key) const;
  /// An object of strings; absent: empty.
  Result<std::vector<std::pair<std::string, std::string>>> FindStrings(std::string_view key) const;

  std::vector<JsonView> Elements() const;                              ///< of an array
  std::vector<std::pair<std::string_view, JsonView>> Members() const;  ///< of an object
  std::string_view string() const;                                     ///< only if is_string()
  /// Compact JSON text of this value.
  std::string Dump() const;

 private:
  const void* node_;  // a node of the JSON library, which stays out of headers
};

/// Parsed JSON text. Nesting deeper than 128 levels is refused, so that recursion over it is safe.
class JsonDocument {
 public:
  /// Errors: kDataCorrupt with the position of the mistake.
  static Result<JsonDocument> Parse(std::string_view text);

  JsonView root() const;

 private:
  explicit JsonDocument(std::shared_ptr<const void> root) : root_(std::move(root)) {}

  std::shared_ptr<const void> root_;
};

}  // namespace playhead::iceberg
