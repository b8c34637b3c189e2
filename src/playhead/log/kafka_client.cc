#include "playhead/log/kafka_client.h"

#include "playhead/base/logging.h"
#include "playhead/log/kafka_journal.h"

#include <syslog.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace playhead::log {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kQuestionTimeout(10);
constexpr int kAnswerTimeoutMs = 3'000;
constexpr std::chrono::seconds kReturnTimeout(3);  // of a broker that was there before
constexpr std::chrono::milliseconds kReachSlice(500);

using Conf = std::unique_ptr<rd_kafka_conf_t, KafkaFree<rd_kafka_conf_destroy>>;
using AdminOptions =
    std::unique_ptr<rd_kafka_AdminOptions_t, KafkaFree<rd_kafka_AdminOptions_destroy>>;
using Topics =
    std::unique_ptr<rd_kafka_TopicCollection_t, KafkaFree<rd_kafka_TopicCollection_destroy>>;
using PartitionList = std::unique_ptr<rd_kafka_topic_partition_list_t,
                                      KafkaFree<rd_kafka_topic_partition_list_destroy>>;

struct Property {
  const char* name;
  const char* value;
};

// Exactly-once rests on these. A reader starts where the table says and never at an end it chose
// itself; it sees what was committed, and the end of each partition even if a control record is
// last.
constexpr std::array kReaderOwned = {
    Property{"enable.auto.commit", "false"},       Property{"enable.auto.offset.store", "false"},
    Property{"auto.offset.reset", "error"},        Property{"enable.partition.eof", "true"},
    Property{"isolation.level", "read_committed"},
};
// A record that is sent again after a lost answer is stored once.
constexpr std::array kProducerOwned = {
    Property{"enable.idempotence", "true"},
    Property{"acks", "all"},
};
// Properties of the project go over these. librdkafka waits a second once its queue is full, in
// which a fast reader empties it and stands still; and up to ten between looks for a broker that
// was away.
constexpr std::array kReaderDefaults = {
    Property{"client.id", "playhead"},
    Property{"reconnect.backoff.max.ms", "1000"},
    Property{"fetch.queue.backoff.ms", "5"},
    Property{"queued.min.messages", "1000000"},
    Property{"queued.max.messages.kbytes", "65536"},
    Property{"fetch.message.max.bytes", "4194304"},
};
constexpr std::array kProducerDefaults = {
    Property{"client.id", "playhead"},       Property{"reconnect.backoff.max.ms", "1000"},
    Property{"compression.type", "lz4"},     Property{"message.max.bytes", "20971520"},
    Property{"message.timeout.ms", "30000"},
};

Status Set(rd_kafka_conf_t* conf, const std::string& name, const std::string& value) {
  std::array<char, 512> text = {};
  if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), text.data(), text.size()) !=
      RD_KAFKA_CONF_OK) {
    return Error(StatusCode::kInvalidArgument, "log.properties: {}: {}", name, text.data());
  }
  return {};
}

Status SetAll(rd_kafka_conf_t* conf, const KafkaProperties& properties, const auto& defaults,
              const auto& owned) {
  for (const Property& property : defaults) {
    PH_RETURN_IF_ERROR(Set(conf, property.name, property.value));
  }
  for (const auto& [name, value] : properties) {
    // Saying what playhead says anyway does no harm.
    const bool is_ours = std::ranges::any_of(owned, [&](const Property& property) {
      return name == property.name && value != property.value;
    });
    if (is_ours || name == "group.id" || name == "transactional.id") {
      return Error(StatusCode::kInvalidArgument,
                   "log.properties: {}: belongs to playhead, which sets it itself; remove it",
                   name);
    }
    PH_RETURN_IF_ERROR(Set(conf, name, value));
  }
  for (const Property& property : owned) {
    PH_RETURN_IF_ERROR(Set(conf, property.name, property.value));
  }
  return {};
}

AdminOptions QuestionOptions(rd_kafka_t* handle, rd_kafka_admin_op_t question) {
  AdminOptions options(rd_kafka_AdminOptions_new(handle, question));
  std::array<char, 256> text = {};
  PH_CHECK(rd_kafka_AdminOptions_set_request_timeout(options.get(), kAnswerTimeoutMs, text.data(),
                                                     text.size()) == RD_KAFKA_RESP_ERR_NO_ERROR);
  return options;
}

}  // namespace

StatusCode KafkaStatusCode(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_ID:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return StatusCode::kNotFound;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
    case RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED:
      return StatusCode::kUnauthenticated;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
      return StatusCode::kPermissionDenied;
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR__INVALID_ARG:
      return StatusCode::kInvalidArgument;
    case RD_KAFKA_RESP_ERR__QUEUE_FULL:
      return StatusCode::kResourceExhausted;
    case RD_KAFKA_RESP_ERR_INVALID_MSG:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
      return StatusCode::kDataCorrupt;
    default:
      return StatusCode::kUnavailable;
  }
}

Status CheckKafkaProperties(const KafkaProperties& properties) {
  const auto servers = properties.find("bootstrap.servers");
  if (servers == properties.end() || servers->second.empty()) {
    return Error(StatusCode::kInvalidArgument,
                 "log.properties: bootstrap.servers: missing; expected HOST:PORT, …");
  }
  const Conf reader(rd_kafka_conf_new());
  PH_RETURN_IF_ERROR(SetAll(reader.get(), properties, kReaderDefaults, kReaderOwned));
  const Conf producer(rd_kafka_conf_new());
  return SetAll(producer.get(), properties, kProducerDefaults, kProducerOwned);
}

Result<std::unique_ptr<KafkaClient>> KafkaClient::Open(KafkaRole role,
                                                       const KafkaProperties& properties,
                                                       OnDelivery on_delivery, void* opaque) {
  PH_RETURN_IF_ERROR(CheckKafkaProperties(properties));
  std::unique_ptr<KafkaClient> client(
      new KafkaClient(properties.at("bootstrap.servers"), on_delivery, opaque));
  PH_RETURN_IF_ERROR(client->Connect(role, properties));
  return client;
}

Status KafkaClient::Connect(KafkaRole role, const KafkaProperties& properties) {
  Conf conf(rd_kafka_conf_new());
  const bool is_reader = role == KafkaRole::kReader;
  PH_RETURN_IF_ERROR(is_reader ? SetAll(conf.get(), properties, kReaderDefaults, kReaderOwned)
                               : SetAll(conf.get(), properties, kProducerDefaults, kProducerOwned));
  rd_kafka_conf_set_opaque(conf.get(), this);
  rd_kafka_conf_set_error_cb(conf.get(), OnError);
  rd_kafka_conf_set_log_cb(conf.get(), OnLog);
  if (on_delivery_ != nullptr) rd_kafka_conf_set_dr_msg_cb(conf.get(), OnDelivered);
  rd_kafka_conf_enable_sasl_queue(conf.get(), 1);
  std::array<char, 512> text = {};
  handle_ = rd_kafka_new(is_reader ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf.get(), text.data(),
                         text.size());
  if (handle_ == nullptr) {
    return Error(StatusCode::kInvalidArgument, "log.properties: {}: bootstrap.servers={}",
                 text.data(), servers_);
  }
  (void)conf.release();  // rd_kafka_new() owns it once it succeeded
  // Tokens of OAUTHBEARER are renewed by a thread of librdkafka's; otherwise the first question
  // would wait for a token that nobody fetches. Without such a mechanism it says so, which is no
  // error.
  rd_kafka_error_destroy(rd_kafka_sasl_background_callbacks_enable(handle_));
  return {};
}

KafkaClient::~KafkaClient() {
  if (handle_ != nullptr) rd_kafka_destroy(handle_);
}

void KafkaClient::OnError(rd_kafka_t*, int error, const char* reason, void* opaque) {
  auto* client = static_cast<KafkaClient*>(opaque);
  const std::lock_guard lock(client->mutex_);
  client->is_away_ = true;
  // That all brokers are down is said after the reason why, and says less.
  if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) return;
  client->last_error_ = static_cast<rd_kafka_resp_err_t>(error);
  client->last_reason_ = reason;
}

// Whoever calls us logs what it makes of an error, so librdkafka's lines are for finding causes.
void KafkaClient::OnLog(const rd_kafka_t*, int level, const char* facility, const char* text) {
  if (level <= LOG_CRIT) {
    logging::Error("log", "librdkafka", {{"facility", facility}, {"text", text}});
  } else {
    logging::Debug("log", "librdkafka", {{"facility", facility}, {"text", text}});
  }
}

void KafkaClient::OnDelivered(rd_kafka_t* handle, const rd_kafka_message_t* message, void* opaque) {
  const auto* client = static_cast<KafkaClient*>(opaque);
  client->on_delivery_(handle, message, client->opaque_);
}

int KafkaClient::Serve(std::chrono::milliseconds wait) const {
  return rd_kafka_poll(handle_, static_cast<int>(wait.count()));
}

Status KafkaClient::ErrorOf(rd_kafka_resp_err_t error, const char* text,
                            const std::string& object) {
  StatusCode code = KafkaStatusCode(error);
  const std::lock_guard lock(mutex_);
  if (code == StatusCode::kUnavailable) is_away_ = true;
  if (code != StatusCode::kUnavailable || last_reason_.empty()) {
    const char* help = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART
                           ? "; make the topic first: kafka-topics.sh --create"
                           : "";
    return Error(code, "kafka: {}: {} bootstrap.servers={}{}", text, object, servers_, help);
  }
  if (KafkaStatusCode(last_error_) == StatusCode::kUnauthenticated) {
    code = StatusCode::kUnauthenticated;
  }
  return Error(code, "kafka does not answer: {} bootstrap.servers={} why={} last={}", object,
               servers_, text, last_reason_);
}

bool KafkaClient::is_away() const {
  const std::lock_guard lock(mutex_);
  return is_away_;
}

Status KafkaClient::Reach(std::chrono::milliseconds wait, const std::string& object) {
  const auto until = SteadyClock::now() + wait;
  while (is_away()) {
    const auto left =
        std::clamp(std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()),
                   std::chrono::milliseconds(1), kReachSlice);
    // The brokers' addresses: the one question for which librdkafka pauses between connections.
    const rd_kafka_metadata_t* brokers = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(handle_, 0, nullptr, &brokers, static_cast<int>(left.count()));
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(brokers);
      const std::lock_guard lock(mutex_);
      is_away_ = false;
      was_reached_ = true;
      last_reason_.clear();
      last_error_ = RD_KAFKA_RESP_ERR_NO_ERROR;
      break;
    }
    // What librdkafka has to say of the connection comes by callback.
    Serve();
    Status status = ErrorOf(error, rd_kafka_err2str(error), object);
    if (status.code() != StatusCode::kUnavailable || SteadyClock::now() >= until) return status;
  }
  return {};
}

Result<KafkaEvent> KafkaClient::Answer(rd_kafka_admin_op_t kind, const Question& question,
                                       const std::string& object) {
  const auto until = SteadyClock::now() + kQuestionTimeout;
  while (true) {
    auto wait = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now());
    if (was_reached_) wait = std::min<std::chrono::milliseconds>(wait, kReturnTimeout);
    PH_RETURN_IF_ERROR(Reach(wait, object));
    const AdminOptions options = QuestionOptions(handle_, kind);
    const KafkaQueue queue(rd_kafka_queue_new(handle_));
    question(options.get(), queue.get());
    Result<KafkaEvent> answer = Await(queue.get(), object);
    if (answer.ok() || answer.error().code() != StatusCode::kUnavailable ||
        SteadyClock::now() >= until) {
      return answer;
    }
  }
}

Result<KafkaEvent> KafkaClient::Await(rd_kafka_queue_t* queue, const std::string& object) {
  // The question ends by itself; the second on top is for its answer to arrive.
  KafkaEvent event(rd_kafka_queue_poll(queue, kAnswerTimeoutMs + 1000));
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
  if (event != nullptr) error = rd_kafka_event_error(event.get());
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
  Serve();
  return ErrorOf(error, event != nullptr ? rd_kafka_event_error_string(event.get()) : "timed out",
                 object);
}

Result<std::string> KafkaClient::ClusterId() {
  PH_ASSIGN_OR_RETURN(const KafkaEvent event,
                      Answer(
                          RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER,
                          [this](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                            rd_kafka_DescribeCluster(handle_, options, queue);
                          },
                          "cluster"));
  const char* id = rd_kafka_DescribeCluster_result_cluster_id(
      rd_kafka_event_DescribeCluster_result(event.get()));
  if (id == nullptr) {
    return Error(StatusCode::kNotSupported, "kafka: the cluster has no id: bootstrap.servers={}",
                 servers_);
  }
  return std::string(id);
}

KafkaQueue KafkaClient::AskForTopic(const std::string& topic) {
  KafkaQueue queue(rd_kafka_queue_new(handle_));
  const AdminOptions options = QuestionOptions(handle_, RD_KAFKA_ADMIN_OP_DESCRIBETOPICS);
  AskForTopic(topic, options.get(), queue.get());
  return queue;
}

void KafkaClient::AskForTopic(const std::string& topic, const rd_kafka_AdminOptions_t* options,
                              rd_kafka_queue_t* queue) {
  const char* name = topic.c_str();
  const Topics topics(rd_kafka_TopicCollection_of_topic_names(&name, 1));
  rd_kafka_DescribeTopics(handle_, topics.get(), options, queue);
}

Result<KafkaTopicFacts> KafkaClient::TopicAnswer(rd_kafka_event_t* event,
                                                 const std::string& topic) {
  const std::string object = "topic=" + topic;
  if (const rd_kafka_resp_err_t error = rd_kafka_event_error(event)) {
    return ErrorOf(error, rd_kafka_event_error_string(event), object);
  }
  size_t count = 0;
  const rd_kafka_TopicDescription_t** topics =
      rd_kafka_DescribeTopics_result_topics(rd_kafka_event_DescribeTopics_result(event), &count);
  if (count != 1) return ErrorOf(RD_KAFKA_RESP_ERR__BAD_MSG, "no answer for the topic", object);
  if (const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(topics[0]);
      rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ErrorOf(rd_kafka_error_code(error), rd_kafka_error_string(error), object);
  }
  KafkaTopicFacts facts;
  facts.id = rd_kafka_Uuid_base64str(rd_kafka_TopicDescription_topic_id(topics[0]));
  size_t partitions = 0;
  rd_kafka_TopicDescription_partitions(topics[0], &partitions);
  facts.partitions = static_cast<int32_t>(partitions);
  return facts;
}

Result<KafkaTopicFacts> KafkaClient::DescribeTopic(const std::string& topic) {
  PH_ASSIGN_OR_RETURN(const KafkaEvent event,
                      Answer(
                          RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
                          [&](const rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                            AskForTopic(topic, options, queue);
                          },
                          "topic=" + topic));
  return TopicAnswer(event.get(), topic);
}

Result<int64_t> KafkaClient::OffsetAt(const std::string& topic, int32_t partition,
                                      rd_kafka_OffsetSpec_t spec) {
  const std::string object = fmt::format("topic={} partition={}", topic, partition);
  const PartitionList list(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = spec;
  PH_ASSIGN_OR_RETURN(const KafkaEvent event,
                      Answer(
                          RD_KAFKA_ADMIN_OP_LISTOFFSETS,
                          [&](rd_kafka_AdminOptions_t* options, rd_kafka_queue_t* queue) {
                            rd_kafka_error_destroy(rd_kafka_AdminOptions_set_isolation_level(
                                options, RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
                            rd_kafka_ListOffsets(handle_, list.get(), options, queue);
                          },
                          object));
  size_t count = 0;
  const rd_kafka_ListOffsetsResultInfo_t** infos =
      rd_kafka_ListOffsets_result_infos(rd_kafka_event_ListOffsets_result(event.get()), &count);
  if (count != 1) return ErrorOf(RD_KAFKA_RESP_ERR__BAD_MSG, "no answer for the partition", object);
  const rd_kafka_topic_partition_t* answer =
      rd_kafka_ListOffsetsResultInfo_topic_partition(infos[0]);
  if (answer->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return ErrorOf(answer->err, rd_kafka_err2str(answer->err), object);
  }
  return answer->offset;
}

Result<OffsetRange> KafkaClient::Bounds(const std::string& topic, int32_t partition) {
  OffsetRange range;
  PH_ASSIGN_OR_RETURN(range.begin, OffsetAt(topic, partition, RD_KAFKA_OFFSET_SPEC_EARLIEST));
  PH_ASSIGN_OR_RETURN(range.end, OffsetAt(topic, partition, RD_KAFKA_OFFSET_SPEC_LATEST));
  range.end = std::max(range.begin, range.end);
  return range;
}

}  // namespace playhead::log
