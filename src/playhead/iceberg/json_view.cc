#include "playhead/iceberg/json_view.h"

#include <nlohmann/json.hpp>

#include <limits>

namespace playhead::iceberg {
namespace {

using Json = nlohmann::json;

constexpr int kDepthMax = 128;

const Json& Node(const void* node) { return *static_cast<const Json*>(node); }

/// The library parses without recursion but prints and compares with it.
bool IsTooDeep(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthMax) return true;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return false;
}

Status WrongType(std::string_view key, std::string_view wanted) {
  return Error(StatusCode::kDataCorrupt, "JSON value is not what it should be: key={} expected={}",
               key, wanted);
}

Result<int64_t> ToInt64(const Json& node, std::string_view key) {
  if (!node.is_number_integer()) return WrongType(key, "integer");
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (node.is_number_unsigned() && node.get<uint64_t>() > kMax) {
    return WrongType(key, "64-bit integer");
  }
  return node.get<int64_t>();
}

Result<int32_t> ToInt32(const Json& node, std::string_view key) {
  PH_ASSIGN_OR_RETURN(const int64_t value, ToInt64(node, key));
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return WrongType(key, "32-bit integer");
  }
  return static_cast<int32_t>(value);
}

const Json* FindNode(const void* object, std::string_view key) {
  const Json& node = Node(object);
  if (!node.is_object()) return nullptr;
  const auto found = node.find(key);
  return found == node.end() || found->is_null() ? nullptr : &*found;
}

Result<const Json*> GetNode(const void* object, std::string_view key) {
  const Json* node = FindNode(object, key);
  if (node == nullptr) return Error(StatusCode::kDataCorrupt, "JSON key is missing: key={}", key);
  return node;
}

}  // namespace

bool JsonView::is_object() const { return Node(node_).is_object(); }
bool JsonView::is_array() const { return Node(node_).is_array(); }
bool JsonView::is_string() const { return Node(node_).is_string(); }

std::optional<JsonView> JsonView::Find(std::string_view key) const {
  const Json* node = FindNode(node_, key);
  if (node == nullptr) return std::nullopt;
  return JsonView(node);
}

Result<JsonView> JsonView::Get(std::string_view key) const {
  PH_ASSIGN_OR_RETURN(const Json* node, GetNode(node_, key));
  return JsonView(node);
}

Result<int64_t> JsonView::GetInt64(std::string_view key) const {
  PH_ASSIGN_OR_RETURN(const Json* node, GetNode(node_, key));
  return ToInt64(*node, key);
}

Result<int32_t> JsonView::GetInt32(std::string_view key) const {
  PH_ASSIGN_OR_RETURN(const Json* node, GetNode(node_, key));
  return ToInt32(*node, key);
}

Result<bool> JsonView::GetBool(std::string_view key) const {
  PH_ASSIGN_OR_RETURN(const Json* node, GetNode(node_, key));
  if (!node->is_boolean()) return WrongType(key, "boolean");
  return node->get<bool>();
}

Result<std::string> JsonView::GetString(std::string_view key) const {
  PH_ASSIGN_OR_RETURN(const Json* node, GetNode(node_, key));
  if (!node->is_string()) return WrongType(key, "string");
  return node->get_ref<const std::string&>();
}

Result<std::vector<JsonView>> JsonView::GetArray(std::string_view key) const {
  PH_RETURN_IF_ERROR(GetNode(node_, key));
  return FindArray(key);
}

Result<std::optional<int64_t>> JsonView::FindInt64(std::string_view key) const {
  const Json* node = FindNode(node_, key);
  if (node == nullptr) return std::optional<int64_t>();
  PH_ASSIGN_OR_RETURN(const int64_t value, ToInt64(*node, key));
  return std::optional<int64_t>(value);
}

Result<std::optional<int32_t>> JsonView::FindInt32(std::string_view key) const {
  const Json* node = FindNode(node_, key);
  if (node == nullptr) return std::optional<int32_t>();
  PH_ASSIGN_OR_RETURN(const int32_t value, ToInt32(*node, key));
  return std::optional<int32_t>(value);
}

Result<std::vector<JsonView>> JsonView::FindArray(std::string_view key) const {
  const Json* node = FindNode(node_, key);
  if (node == nullptr) return std::vector<JsonView>();
  if (!node->is_array()) return WrongType(key, "array");
  return JsonView(node).Elements();
}

Result<std::vector<int32_t>> JsonView::FindInt32s(std::string_view key) const {
  std::vector<int32_t> values;
  PH_ASSIGN_OR_RETURN(const auto elements, FindArray(key));
  for (const JsonView& element : elements) {
    PH_ASSIGN_OR_RETURN(const int32_t value, ToInt32(Node(element.node_), key));
    values.push_back(value);
  }
  return values;
}

Result<std::vector<std::pair<std::string, std::string>>> JsonView::FindStrings(
    std::string_view key) const {
  std::vector<std::pair<std::string, std::string>> strings;
  const Json* node = FindNode(node_, key);
  if (node == nullptr) return strings;
  if (!node->is_object()) return WrongType(key, "object of strings");
  for (const auto& [name, value] : node->items()) {
    if (!value.is_string()) return WrongType(key, "object of strings");
    strings.emplace_back(name, value.get_ref<const std::string&>());
  }
  return strings;
}

std::vector<JsonView> JsonView::Elements() const {
  std::vector<JsonView> elements;
  elements.reserve(Node(node_).size());
  for (const Json& element : Node(node_)) elements.emplace_back(&element);
  return elements;
}

std::vector<std::pair<std::string_view, JsonView>> JsonView::Members() const {
  std::vector<std::pair<std::string_view, JsonView>> members;
  for (const auto& [key, value] : Node(node_).get_ref<const Json::object_t&>()) {
    members.emplace_back(key, JsonView(&value));
  }
  return members;
}

std::string_view JsonView::string() const { return Node(node_).get_ref<const std::string&>(); }

std::string JsonView::Dump() const {
  return Node(node_).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<JsonDocument> JsonDocument::Parse(std::string_view text) {
  if (IsTooDeep(text)) {
    return Error(StatusCode::kDataCorrupt, "JSON is nested too deeply: levels_max={}", kDepthMax);
  }
  try {
    return JsonDocument(std::make_shared<const Json>(Json::parse(text)));
  } catch (const Json::exception& error) {
    return Error(StatusCode::kDataCorrupt, "text is not JSON: {}", error.what());
  }
}

JsonView JsonDocument::root() const { return JsonView(root_.get()); }

}  // namespace playhead::iceberg
