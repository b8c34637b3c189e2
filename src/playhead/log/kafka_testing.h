#pragma once

#include "playhead/base/status.h"

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <array>
#include <string>

namespace playhead::log {

/// A broker inside the process, for tests: librdkafka's own double. It has one topic of two
/// partitions.
class MockBroker {
 public:
  static constexpr char kTopic[] = "plays";

  MockBroker() {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> text = {};
    rd_kafka_conf_set(conf, "log_level", "0", text.data(), text.size());
    producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), text.size());
    PH_CHECK(producer_ != nullptr);
    cluster_ = rd_kafka_mock_cluster_new(producer_, 1);
    // Questions about the cluster go to the controller, and the double has none of itself.
    rd_kafka_mock_set_controller_id(cluster_, 1);
    servers_ = rd_kafka_mock_cluster_bootstraps(cluster_);
    rd_kafka_brokers_add(producer_, servers_.c_str());
    MakeTopic();
  }
  ~MockBroker() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(producer_);
  }
  MockBroker(const MockBroker&) = delete;
  MockBroker& operator=(const MockBroker&) = delete;

  const std::string& servers() const { return servers_; }
  rd_kafka_mock_cluster_t* cluster() { return cluster_; }

  void MakeTopic() {
    PH_CHECK(rd_kafka_mock_topic_create(cluster_, kTopic, 2, 1) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  void DeleteTopic() { rd_kafka_mock_topic_delete(cluster_, kTopic); }

  void Produce(int32_t partition, const std::string& value) {
    PH_CHECK(rd_kafka_producev(producer_, RD_KAFKA_V_TOPIC(kTopic), RD_KAFKA_V_PARTITION(partition),
                               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                               RD_KAFKA_V_VALUE(const_cast<char*>(value.data()), value.size()),
                               RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR);
    PH_CHECK(rd_kafka_flush(producer_, 10'000) == RD_KAFKA_RESP_ERR_NO_ERROR);
  }

 private:
  rd_kafka_t* producer_ = nullptr;
  rd_kafka_mock_cluster_t* cluster_ = nullptr;
  std::string servers_;
};

}  // namespace playhead::log
