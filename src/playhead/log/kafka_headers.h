#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

namespace playhead::log {

/// The headers of a message as a JSON object, in their order: text as a string, a null value as
/// null, bytes that are not UTF-8 as {"base64": "…"}, and a name that comes several times once,
/// with the array of its values. Empty when there are none.
std::string HeadersJson(const rd_kafka_headers_t& headers);

}  // namespace playhead::log
