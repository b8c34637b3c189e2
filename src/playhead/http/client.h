#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::http {

/// What a server answered.
struct Answer {
  int status = 0;
  std::string body;
};

struct Header {
  std::string name;
  std::string value;
};

/// A client with one kept-alive connection (libcurl). Threads: one at a time.
class Client {
 public:
  explicit Client(int timeout_ms = 30'000);
  ~Client();
  Client(Client&&) noexcept;
  Client& operator=(Client&&) noexcept;

  /// Any HTTP status is an Answer, 4xx and 5xx included. Errors: kUnavailable (no connection,
  /// timeout), kInvalidArgument (not an http URL).
  Result<Answer> Post(const std::string& url, std::string_view body,
                      const std::vector<Header>& headers);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace playhead::http
