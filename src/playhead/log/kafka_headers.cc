#include "playhead/log/kafka_headers.h"

#include "playhead/base/status.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace playhead::log {
namespace {

using Json = nlohmann::ordered_json;

bool IsUtf8(std::string_view text) {
  // Serialising is the library's own check; it throws at the first byte that does not fit.
  try {
    (void)Json(text).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

std::string Base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? static_cast<uint8_t>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      text.push_back(k <= count ? kDigits[group >> (18 - 6 * k) & 63] : '=');
    }
  }
  return text;
}

Json ValueOf(const void* value, size_t size) {
  if (value == nullptr) return nullptr;
  const std::string_view bytes(static_cast<const char*>(value), size);
  if (IsUtf8(bytes)) return bytes;
  return {{"base64", Base64(bytes)}};
}

}  // namespace

std::string HeadersJson(const rd_kafka_headers_t& headers) {
  Json object = Json::object();
  std::map<std::string, int> times;
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t i = 0;
       rd_kafka_header_get_all(&headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    Json& slot = object[name];
    switch (++times[name]) {
      case 1:
        slot = ValueOf(value, size);
        break;
      case 2: {
        Json values = Json::array({std::move(slot)});
        slot = std::move(values);
        [[fallthrough]];
      }
      default:
        slot.push_back(ValueOf(value, size));
    }
  }
  if (object.empty()) return {};
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

KafkaHeaders HeadersFromJson(std::string_view json) {
  if (json.empty()) return nullptr;
  const Json object = Json::parse(json, nullptr, false);
  PH_CHECK(object.is_object());
  KafkaHeaders headers(rd_kafka_headers_new(object.size()));
  for (const auto& [name, value] : object.items()) {
    const auto& text = value.get_ref<const std::string&>();
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()), text.data(),
                        static_cast<ssize_t>(text.size()));
  }
  return headers;
}

}  // namespace playhead::log
