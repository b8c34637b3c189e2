#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace playhead::http {

/// Where a server listens.
struct ListenAddress {
  std::string ip;  ///< `127.0.0.1` or `::1`
  uint16_t port = 0;

  /// `127.0.0.1:8090`, `[::1]:8090`.
  std::string ToString() const;
};

/// Reads `127.0.0.1:8090`, `localhost:8090` or `[::1]:8090`; port 0 is one that the system chooses.
/// Errors: kInvalidArgument (no such form), kPermissionDenied (an address other than loopback:
/// there are no keys and no TLS yet).
Result<ListenAddress> ParseListenAddress(std::string_view text);

}  // namespace playhead::http
