#pragma once

#include "playhead/base/status.h"
#include "playhead/base/thread_annotations.h"
#include "playhead/decode/record_decoder.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::collector {

/// A record of a request that will be a dead letter.
struct DeadRecord {
  int64_t index = 0;  ///< among the request's records, from 0
  decode::Reason reason = decode::Reason::kNotJson;
  std::string detail;
};

/// Says of a stream's records what ingest will say: it decodes them with the stream's own decoder,
/// which keeps no rows. Decoders are kept for the next call, as many as calls were made at
/// once. Threads: any.
class StreamJudge {
 public:
  /// Errors: as decode::RecordDecoder::Make.
  static Result<std::unique_ptr<StreamJudge>> Make(std::string topic,
                                                   std::shared_ptr<const decode::RowSchema> schema);

  /// The dead ones, in order. `now_us` bounds the event time. Errors: as Flush(), never on input.
  Result<std::vector<DeadRecord>> Judge(std::span<const std::string_view> records, int64_t now_us);

 private:
  StreamJudge(std::string topic, std::shared_ptr<const decode::RowSchema> schema)
      : topic_(std::move(topic)), schema_(std::move(schema)) {}
  Result<std::unique_ptr<decode::RecordDecoder>> Take();

  const std::string topic_;
  const std::shared_ptr<const decode::RowSchema> schema_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<decode::RecordDecoder>> idle_ PH_GUARDED_BY(mutex_);
};

}  // namespace playhead::collector
