#include "playhead/http/listen_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <optional>

namespace playhead::http {
namespace {

Status BadForm(std::string_view text) {
  return Error(StatusCode::kInvalidArgument,
               "got '{}', expected HOST:PORT, such as 127.0.0.1:8090, localhost:8090 or [::1]:8090",
               text);
}

std::optional<uint16_t> ParsePort(std::string_view text) {
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// Only canonical text gets through, so that what is checked is what is bound.
bool IsLoopback(const std::string& ip) {
  in_addr v4 = {};
  if (inet_pton(AF_INET, ip.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6 = {};
  return inet_pton(AF_INET6, ip.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace

std::string ListenAddress::ToString() const {
  return ip.find(':') == std::string::npos ? fmt::format("{}:{}", ip, port)
                                           : fmt::format("[{}]:{}", ip, port);
}

Result<ListenAddress> ParseListenAddress(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return BadForm(text);
  const std::optional<uint16_t> port = ParsePort(text.substr(colon + 1));
  if (!port) return BadForm(text);
  std::string ip(text.substr(0, colon));
  if (ip.starts_with('[') && ip.ends_with(']')) {
    ip = ip.substr(1, ip.size() - 2);
    if (ip.find(':') == std::string::npos) return BadForm(text);
  } else if (ip.find(':') != std::string::npos) {
    return BadForm(text);
  }
  // The name is not looked up: a hosts file could send it anywhere.
  if (ip == "localhost") ip = "127.0.0.1";
  if (!IsLoopback(ip)) {
    return Error(
        StatusCode::kPermissionDenied,
        "got '{}', expected a loopback address (127.0.0.1, localhost or [::1]); others are "
        "not served until there are keys and TLS",
        text);
  }
  return ListenAddress{.ip = std::move(ip), .port = *port};
}

}  // namespace playhead::http
