#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/status.h"
#include "playhead/base/thread_annotations.h"

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace playhead::log {

/// librdkafka's properties by name, as the project gives them.
using KafkaProperties = std::map<std::string, std::string>;

enum class KafkaRole { kReader, kProducer };

/// Frees a librdkafka object with its own function.
template <auto kDestroy>
struct KafkaFree {
  template <typename T>
  void operator()(T* object) const {
    kDestroy(object);
  }
};
using KafkaQueue = std::unique_ptr<rd_kafka_queue_t, KafkaFree<rd_kafka_queue_destroy>>;
using KafkaTopic = std::unique_ptr<rd_kafka_topic_t, KafkaFree<rd_kafka_topic_destroy>>;
using KafkaEvent = std::unique_ptr<rd_kafka_event_t, KafkaFree<rd_kafka_event_destroy>>;

/// What a cluster says of a topic.
struct KafkaTopicFacts {
  std::string id;  ///< of this making of the topic; base64
  int32_t partitions = 0;
};

/// A connection to a Kafka cluster, and the questions that readers and producers both ask it. A
/// broker that is away is looked for until it is back; the calls below fail meanwhile. Threads:
/// any.
class KafkaClient {
 public:
  using OnDelivery = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque);

  /// Does not wait for a connection. Properties that decide exactly-once are playhead's own.
  /// `on_delivery` (producers only) is called inside Serve() with `opaque`.
  /// Errors: kInvalidArgument names the property that is unknown, wrong, or playhead's.
  static Result<std::unique_ptr<KafkaClient>> Open(KafkaRole role,
                                                   const KafkaProperties& properties,
                                                   OnDelivery on_delivery = nullptr,
                                                   void* opaque = nullptr);
  ~KafkaClient();
  KafkaClient(const KafkaClient&) = delete;
  KafkaClient& operator=(const KafkaClient&) = delete;

  rd_kafka_t* handle() const { return handle_; }

  /// Errors of the questions: kUnavailable (no broker answered in time; says which and why),
  /// kUnauthenticated, kPermissionDenied, kNotFound (no such topic).
  Result<std::string> ClusterId();
  Result<KafkaTopicFacts> DescribeTopic(const std::string& topic);
  /// First offset kept, and the end of what a read_committed reader can reach now: control records
  /// count, an open transaction does not.
  Result<OffsetRange> Bounds(const std::string& topic, int32_t partition);

  /// The same as DescribeTopic() in two steps; the answer arrives in the returned queue.
  KafkaQueue AskForTopic(const std::string& topic);
  Result<KafkaTopicFacts> TopicAnswer(rd_kafka_event_t* event, const std::string& topic);

  /// Runs the callbacks that are due. To be called regularly.
  int Serve(std::chrono::milliseconds wait = {}) const;

  /// `error` with the object it is about and the last thing librdkafka said of the connection.
  Status ErrorOf(rd_kafka_resp_err_t error, const char* text, const std::string& object);

 private:
  KafkaClient(std::string servers, OnDelivery on_delivery, void* opaque)
      : servers_(std::move(servers)), on_delivery_(on_delivery), opaque_(opaque) {}
  Status Connect(KafkaRole role, const KafkaProperties& properties);
  Result<KafkaEvent> Await(rd_kafka_queue_t* queue, const std::string& object);
  Result<int64_t> OffsetAt(const std::string& topic, int32_t partition, rd_kafka_OffsetSpec_t spec);
  static void OnError(rd_kafka_t* handle, int error, const char* reason, void* opaque);
  static void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  static void OnDelivered(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);

  const std::string servers_;
  const OnDelivery on_delivery_;
  void* const opaque_;
  rd_kafka_t* handle_ = nullptr;
  std::mutex mutex_;
  rd_kafka_resp_err_t last_error_ PH_GUARDED_BY(mutex_) = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string last_reason_ PH_GUARDED_BY(mutex_);
};

/// What a caller does about one of librdkafka's errors.
StatusCode KafkaStatusCode(rd_kafka_resp_err_t error);

}  // namespace playhead::log
