#include "playhead/http/http_message.h"

#include "playhead/base/json_text.h"

#include <algorithm>

namespace playhead::http {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsWithoutCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

}  // namespace

std::string HttpRequest::Field(std::string_view name) const {
  std::string joined;
  for (const auto& [field, value] : fields) {
    if (!EqualsWithoutCase(field, name)) continue;
    if (!joined.empty()) joined += ", ";
    joined += value;
  }
  return joined;
}

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view message) {
  HttpResponse response{.status = status};
  response.body = R"({"error":{"code":)";
  AppendJsonBytes(code, &response.body);
  response.body += R"(,"message":)";
  AppendJsonBytes(message, &response.body);
  response.body += "}}\n";
  return response;
}

HttpResponse RetryLaterResponse(int status, std::string_view code, std::string_view message) {
  HttpResponse response = ErrorResponse(status, code, message);
  response.fields.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace playhead::http
