#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <string>
#include <string_view>

namespace playhead::log {

/// The headers of a message as a JSON object, in their order: text as a string, a null value as
/// null, bytes that are not UTF-8 as {"base64": "…"}, and a name that comes several times once,
/// with the array of its values. Empty when there are none.
std::string HeadersJson(const rd_kafka_headers_t& headers);

struct DestroyHeaders {
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
};
using KafkaHeaders = std::unique_ptr<rd_kafka_headers_t, DestroyHeaders>;

/// The reverse for a JSON object of texts, the only kind that we write; null for empty text.
KafkaHeaders HeadersFromJson(std::string_view json);

}  // namespace playhead::log
