#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::http {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;  ///< as sent: `POST`
  std::string path;    ///< as sent, without scheme, host and query
  HttpFields fields;
  std::string body;  ///< as sent, without transfer coding

  /// The field's value, name compared without case; several are joined by ", ". Empty when absent.
  std::string Field(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  HttpFields fields;  ///< further ones, `Retry-After`
};

/// `{"error":{"code":"body_too_large","message":"…"}}`. `code` is fixed text, one for each cause.
HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message);
/// The same for a refusal that goes away by itself; says when to come back.
HttpResponse RetryLaterResponse(int status, std::string_view code, std::string_view message);

/// Makes the answer to a request; called once, on a thread of the server.
using MakeResponse = std::function<HttpResponse()>;
/// Says that a request can be answered. Called once, from any thread, which it does not hold up.
using Respond = std::function<void(MakeResponse)>;

}  // namespace playhead::http
