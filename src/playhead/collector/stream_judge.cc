#include "playhead/collector/stream_judge.h"

#include <utility>

namespace playhead::collector {
namespace {

// A decoder is flushed, which frees what large records took and forgets the partitions of past
// days, when it has decoded this much: a flush after each small request would cost more than
// decoding it.
constexpr int64_t kBufferedBytesMax = 4LL << 20;
constexpr int64_t kBufferedPartitionsMax = 64;

}  // namespace

Result<std::unique_ptr<StreamJudge>> StreamJudge::Make(
    std::string topic, std::shared_ptr<const decode::RowSchema> schema) {
  std::unique_ptr<StreamJudge> judge(new StreamJudge(std::move(topic), std::move(schema)));
  PH_ASSIGN_OR_RETURN(auto decoder, judge->Take());
  judge->idle_.push_back(std::move(decoder));
  return judge;
}

Result<std::unique_ptr<decode::RecordDecoder>> StreamJudge::Take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      auto decoder = std::move(idle_.back());
      idle_.pop_back();
      return decoder;
    }
  }
  return decode::RecordDecoder::Make(schema_, {.keeps_rows = false});
}

Result<std::vector<DeadRecord>> StreamJudge::Judge(std::span<const std::string_view> records,
                                                   int64_t now_us) {
  // A decoder that fails is not put back.
  PH_ASSIGN_OR_RETURN(auto decoder, Take());
  decoder->SetSource({.topic = topic_, .ingested_at_us = now_us});
  std::vector<DeadRecord> dead;
  for (size_t i = 0; i < records.size(); ++i) {
    decode::Verdict verdict = decoder->Decode({.bytes = records[i]}, now_us);
    if (!verdict.is_good) {
      dead.push_back({.index = static_cast<int64_t>(i),
                      .reason = verdict.reason,
                      .detail = std::move(verdict.detail)});
    }
    if (decoder->buffered_bytes() >= kBufferedBytesMax ||
        decoder->buffered_partitions() >= kBufferedPartitionsMax) {
      PH_RETURN_IF_ERROR(decoder->Flush());
    }
  }
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(decoder));
  return dead;
}

}  // namespace playhead::collector
