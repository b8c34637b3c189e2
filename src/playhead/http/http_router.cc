#include "playhead/http/http_router.h"

#include "playhead/base/status.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace playhead::http {
namespace {

std::optional<std::string> PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    const std::string_view digits = text.substr(at + 1, 2);
    unsigned char byte = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (error != std::errc() || end != digits.data() + 2) return std::nullopt;
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

bool IsArgument(std::string_view segment) { return segment.starts_with('{'); }

/// The arguments of `path`, or none when the pattern does not match.
std::optional<std::vector<std::string>> ArgumentsOf(const std::vector<std::string>& pattern,
                                                    const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::vector<std::string> arguments;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (IsArgument(pattern[i])) {
      arguments.push_back(path[i]);
    } else if (pattern[i] != path[i]) {
      return std::nullopt;
    }
  }
  return arguments;
}

}  // namespace

std::optional<std::vector<std::string>> PathSegments(std::string_view path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string> segments;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    std::optional<std::string> segment = PercentDecoded(path.substr(0, slash));
    if (!segment) return std::nullopt;
    segments.push_back(*std::move(segment));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return segments;
}

HttpRouter::HttpRouter(std::vector<HttpRoute> routes) {
  for (HttpRoute& route : routes) {
    std::vector<std::string> segments = *PathSegments(route.pattern);
    entries_.push_back({.route = std::move(route), .segments = std::move(segments)});
  }
}

HttpRouter::Match HttpRouter::Find(const HttpRequest& request) const {
  Match match;
  const auto path = PathSegments(request.path);
  if (!path) return match;
  for (const Entry& entry : entries_) {
    auto arguments = ArgumentsOf(entry.segments, *path);
    if (!arguments) continue;
    const std::string& method = entry.route.method;
    if (method == request.method || (method == "GET" && request.method == "HEAD")) {
      return {.entry = &entry, .arguments = *std::move(arguments), .allowed = {}};
    }
    if (!match.allowed.empty()) match.allowed += ", ";
    match.allowed += method == "GET" ? "GET, HEAD" : method;
  }
  return match;
}

std::optional<HttpResponse> HttpRouter::Refuse(const HttpRequest& head) {
  const Match match = Find(head);
  if (match.entry != nullptr) {
    const auto& refuse = match.entry->route.refuse;
    return refuse ? refuse(head, match.arguments) : std::nullopt;
  }
  if (match.allowed.empty()) {
    std::string patterns;
    for (const Entry& entry : entries_) {
      patterns += fmt::format("{}{} {}", patterns.empty() ? "" : ", ", entry.route.method,
                              entry.route.pattern);
    }
    return ErrorResponse(404, "not_found", fmt::format("no such path; there are {}", patterns));
  }
  HttpResponse response = ErrorResponse(405, "method_not_allowed",
                                        fmt::format("this path takes {} only", match.allowed));
  response.fields.emplace_back("Allow", match.allowed);
  return response;
}

void HttpRouter::Handle(HttpRequest request, InFlightShare share, Respond respond) {
  const Match match = Find(request);
  PH_CHECK(match.entry != nullptr);  // or Refuse() would have answered
  match.entry->route.handle(std::move(request), match.arguments, std::move(share),
                            std::move(respond));
}

}  // namespace playhead::http
