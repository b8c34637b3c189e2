#pragma once

#include "playhead/http/http_message.h"
#include "playhead/http/http_server.h"
#include "playhead/http/in_flight_budget.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::http {

/// The segments of a path between its slashes, percent-decoded; one slash at the end is ignored.
/// None when a `%` is not followed by two hexadecimal digits.
std::optional<std::vector<std::string>> PathSegments(std::string_view path);

/// One method on one pattern of paths.
struct HttpRoute {
  std::string method;  ///< `GET` answers HEAD as well
  /// `/v1/events/{stream}`: a segment in braces matches any text and becomes an argument.
  std::string pattern;
  /// What HttpHandler::Refuse does, with the arguments; empty refuses nothing.
  std::function<std::optional<HttpResponse>(const HttpRequest& head,
                                            const std::vector<std::string>& arguments)>
      refuse;
  /// What HttpHandler::Handle does, with the arguments.
  std::function<void(HttpRequest request, const std::vector<std::string>& arguments,
                     InFlightShare share, Respond respond)>
      handle;
};

/// Finds the route of a request: 404 without one (it names the patterns), 405 with `Allow` when the
/// path has routes of other methods only. Threads: any.
class HttpRouter final : public HttpHandler {
 public:
  explicit HttpRouter(std::vector<HttpRoute> routes);

  std::optional<HttpResponse> Refuse(const HttpRequest& head) override;
  void Handle(HttpRequest request, InFlightShare share, Respond respond) override;

 private:
  struct Entry {
    HttpRoute route;
    std::vector<std::string> segments;  // of the pattern
  };
  struct Match {
    const Entry* entry = nullptr;  // none: `allowed` says which methods there are
    std::vector<std::string> arguments;
    std::string allowed;
  };
  Match Find(const HttpRequest& request) const;

  std::vector<Entry> entries_;
};

}  // namespace playhead::http
