#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace playhead::http {

/// A client for tests that can also send what no library would: one connection, bytes out, answers
/// in. Reads give up after ten seconds. Threads: one at a time.
class RawHttpClient {
 public:
  struct Answer {
    int status = 0;
    std::map<std::string, std::string> fields;  ///< names in lower case
    std::string body;
  };

  explicit RawHttpClient(int port);
  ~RawHttpClient();
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;

  /// False when the server has closed the connection.
  bool Send(std::string_view bytes);
  void CloseSending();
  /// The next answer; none at the end of the connection. `is_head`: it has no body, whatever its
  /// length.
  std::optional<Answer> Receive(bool is_head = false);
  /// True when nothing more comes and the connection ends.
  bool IsClosed();

  /// Sends a request with Content-Length and reads its answer.
  std::optional<Answer> Post(std::string_view path, std::string_view body,
                             std::string_view further_fields = "");
  std::optional<Answer> Get(std::string_view path);

 private:
  bool ReadMore();
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace playhead::http
