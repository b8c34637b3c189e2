#include "playhead/collector/record_headers.h"

#include "playhead/base/json_text.h"

#include <algorithm>
#include <array>

namespace playhead::collector {
namespace {

// Whoever may read dead letters must not find keys to somebody's account in them.
constexpr std::array<std::string_view, 5> kSecretHeaders = {
    "authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"};

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsTokenCharacter(char c) {
  const bool is_word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  return is_word || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

/// Cuts before the character that does not fit whole.
std::string_view Cut(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  const auto is_continuation = [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
  };
  size_t end = bytes_max;
  while (end > 0 && is_continuation(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace

Result<std::vector<std::string>> ParseRecordHeaders(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string name;
    for (const char c : text.substr(0, comma)) {
      if (c != ' ') name.push_back(Lower(c));
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
    if (name.empty() || !std::ranges::all_of(name, IsTokenCharacter)) {
      return Error(StatusCode::kInvalidArgument, "got '{}', expected names of headers", name);
    }
    if (std::ranges::find(kSecretHeaders, name) != kSecretHeaders.end()) {
      return Error(StatusCode::kInvalidArgument,
                   "got '{}', which carries secrets and is never kept", name);
    }
    if (std::ranges::find(names, name) != names.end()) {
      return Error(StatusCode::kInvalidArgument, "got '{}' twice", name);
    }
    names.push_back(std::move(name));
  }
  if (names.size() > kRecordHeaderNamesMax) {
    return Error(StatusCode::kInvalidArgument, "got {} headers, expected at most {}", names.size(),
                 kRecordHeaderNamesMax);
  }
  return names;
}

std::string RecordHeadersJson(const http::HttpRequest& request,
                              const std::vector<std::string>& names) {
  std::string json;
  for (const std::string& name : names) {
    const std::string value = request.Field(name);
    if (value.empty()) continue;
    json += json.empty() ? '{' : ',';
    AppendJsonBytes(name, &json);
    json += ':';
    AppendJsonBytes(Cut(value, kRecordHeaderBytesMax), &json);
  }
  if (!json.empty()) json += '}';
  return json;
}

}  // namespace playhead::collector
