#include "playhead/http/raw_http_client.h"

#include "playhead/base/status.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>

namespace playhead::http {

RawHttpClient::RawHttpClient(int port) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  PH_CHECK(fd_ >= 0);
  const timeval timeout{.tv_sec = 10, .tv_usec = 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Without a connection every call says that it is closed.
  (void)!connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address));
}

RawHttpClient::~RawHttpClient() { close(fd_); }

bool RawHttpClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

void RawHttpClient::CloseSending() { shutdown(fd_, SHUT_WR); }

bool RawHttpClient::ReadMore() {
  char chunk[65536];
  const ssize_t size = recv(fd_, chunk, sizeof(chunk), 0);
  if (size <= 0) return false;
  buffer_.append(chunk, static_cast<size_t>(size));
  return true;
}

std::optional<RawHttpClient::Answer> RawHttpClient::Receive(bool is_head) {
  size_t end = 0;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!ReadMore()) return std::nullopt;
  }
  Answer answer;
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  answer.status = std::atoi(head.c_str() + head.find(' ') + 1);
  for (size_t at = head.find("\r\n") + 2; at < head.size();) {
    const size_t line_end = head.find("\r\n", at);
    const std::string line = head.substr(at, line_end - at);
    at = line_end + 2;
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::string name = line.substr(0, colon);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.fields[name] = line.substr(line.find_first_not_of(' ', colon + 1));
  }
  if (is_head || answer.status == 100) return answer;
  const size_t length = std::strtoull(answer.fields["content-length"].c_str(), nullptr, 10);
  while (buffer_.size() < length) {
    if (!ReadMore()) return std::nullopt;
  }
  answer.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return answer;
}

bool RawHttpClient::IsClosed() {
  if (!buffer_.empty()) return false;
  char byte = 0;
  const ssize_t size = recv(fd_, &byte, 1, 0);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

std::optional<RawHttpClient::Answer> RawHttpClient::Post(std::string_view path,
                                                         std::string_view body,
                                                         std::string_view further_fields) {
  Send(fmt::format("POST {} HTTP/1.1\r\nHost: test\r\n{}Content-Length: {}\r\n\r\n", path,
                   further_fields, body.size()));
  Send(body);
  return Receive();
}

std::optional<RawHttpClient::Answer> RawHttpClient::Get(std::string_view path) {
  Send(fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n\r\n", path));
  return Receive();
}

}  // namespace playhead::http
