#include "playhead/http/client.h"

#include <curl/curl.h>

#include <mutex>

namespace playhead::http {
namespace {

size_t Collect(char* data, size_t size, size_t count, void* body) {
  static_cast<std::string*>(body)->append(data, size * count);
  return size * count;
}

void InitOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

struct Client::State {
  State() {
    InitOnce();
    curl = curl_easy_init();
    PH_CHECK(curl != nullptr);
  }
  ~State() { curl_easy_cleanup(curl); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<Answer> Perform(const std::string& url) {
    Answer answer;
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, Collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    const CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
      return Error(StatusCode::kInvalidArgument, "not an http URL: {}", url);
    }
    if (code != CURLE_OK) {
      return Error(StatusCode::kUnavailable, "no answer: url={} why={}", url,
                   curl_easy_strerror(code));
    }
    long status = 0;  // NOLINT(google-runtime-int): libcurl's type
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    answer.status = static_cast<int>(status);
    return answer;
  }

  CURL* curl = nullptr;
  int timeout_ms = 0;
};

Client::Client(int timeout_ms) : state_(std::make_unique<State>()) {
  state_->timeout_ms = timeout_ms;
}
Client::~Client() = default;
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;

Result<Answer> Client::Post(const std::string& url, std::string_view body,
                            const std::vector<Header>& headers) {
  curl_easy_reset(state_->curl);
  // libcurl asks "Expect: 100-continue" for large bodies, which costs a round trip.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  for (const Header& header : headers) {
    list = curl_slist_append(list, (header.name + ": " + header.value).c_str());
  }
  curl_easy_setopt(state_->curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(state_->curl, CURLOPT_TIMEOUT_MS, static_cast<long>(state_->timeout_ms));
  curl_easy_setopt(state_->curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(state_->curl, CURLOPT_POSTFIELDS, body.data());
  Result<Answer> answer = state_->Perform(url);
  curl_slist_free_all(list);
  return answer;
}

}  // namespace playhead::http
