#pragma once

#include "playhead/base/ids.h"
#include "playhead/base/status.h"
#include "playhead/base/thread_annotations.h"

#include <librdkafka/rdkafka.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
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
///
/// While a question waits for a broker that it knows to be away, librdkafka connects again and
/// again without a pause, on two cores. So a question is put only when a broker was there just now
/// (Reach()), and waits briefly.
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

  /// OK when a broker is there, as far as known; else waits for one to come, at most this long.
  /// Errors: kUnavailable; kUnauthenticated at once.
  Status Reach(std::chrono::milliseconds wait, const std::string& object);
  /// No broker was there lately.
  bool is_away() const;

  /// Errors of the questions: kUnavailable (no broker answered within 10 s; says which and why),
  /// kUnauthenticated, kPermissionDenied, kNotFound (no such topic).
  Result<std::string> ClusterId();
  Result<KafkaTopicFacts> DescribeTopic(const std::string& topic);
  /// First offset kept, and the end of what a read_committed reader can reach now: control records
  /// count, an open transaction does not.
  Result<OffsetRange> Bounds(const std::string& topic, int32_t partition);

  /// The same as DescribeTopic() in two steps; the answer arrives in the returned queue. Only when
  /// Reach() is OK.
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
  using Question = std::function<void(rd_kafka_AdminOptions_t* options, rd_kafka_queue_t*)>;
  /// Puts the question, again after a broker was away, until it is answered.
  Result<KafkaEvent> Answer(rd_kafka_admin_op_t kind, const Question& question,
                            const std::string& object);
  void AskForTopic(const std::string& topic, const rd_kafka_AdminOptions_t* options,
                   rd_kafka_queue_t* queue);
  Result<KafkaEvent> Await(rd_kafka_queue_t* queue, const std::string& object);
  Result<int64_t> OffsetAt(const std::string& topic, int32_t partition, rd_kafka_OffsetSpec_t spec);
  static void OnError(rd_kafka_t* handle, int error, const char* reason, void* opaque);
  static void OnLog(const rd_kafka_t* handle, int level, const char* facility, const char* text);
  static void OnDelivered(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque);

  const std::string servers_;
  const OnDelivery on_delivery_;
  void* const opaque_;
  rd_kafka_t* handle_ = nullptr;
  mutable std::mutex mutex_;
  bool is_away_ PH_GUARDED_BY(mutex_) = true;
  std::atomic<bool> was_reached_ = false;
  rd_kafka_resp_err_t last_error_ PH_GUARDED_BY(mutex_) = RD_KAFKA_RESP_ERR_NO_ERROR;
  std::string last_reason_ PH_GUARDED_BY(mutex_);
};

/// What a caller does about one of librdkafka's errors.
StatusCode KafkaStatusCode(rd_kafka_resp_err_t error);

}  // namespace playhead::log
