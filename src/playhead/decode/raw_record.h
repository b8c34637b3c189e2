#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace playhead::decode {

inline constexpr std::string_view kUtf8Bom = "\xEF\xBB\xBF";

/// What a splitter hands out: a part of the input, byte for byte.
struct RawRecord {
  enum class Kind {
    kRecord,
    kTooLarge,    ///< a record of more than `record_bytes_max` bytes; `bytes` are its first ones
    kUnreadable,  ///< not to be cut any further; `bytes` are at most its first `record_bytes_max`
  };
  Kind kind = Kind::kRecord;
  std::string_view bytes;      ///< valid until the next call of the splitter
  int64_t number = 0;          ///< of this raw record, from 0
  int64_t total_bytes = 0;     ///< of the record or rest, also beyond `bytes`
  std::string_view problem{};  ///< why it is unreadable
  bool is_of_chunk = false;    ///< `bytes` lie in the chunk that was pushed and stay with it
};

/// Puts together a raw record that may begin in one chunk of the input and end in another. What
/// lies in one chunk is not copied; of the rest no more than the limit (and one byte for a line
/// end) is kept.
class RecordAssembler {
 public:
  explicit RecordAssembler(int64_t bytes_max)
      : bytes_max_(std::clamp<int64_t>(bytes_max, 1, int64_t{1} << 40)) {}

  /// Forgets the raw record that was handed out last.
  void Start() {
    if (total_ == 0) return;
    if (kept_.capacity() > kKeptCapacityMax) std::string().swap(kept_);
    kept_.clear();
    total_ = 0;
  }

  /// Keeps `part`, for the raw record goes on in the next chunk.
  void Keep(std::string_view part) {
    Append(part);
    total_ += static_cast<int64_t>(part.size());
  }
  bool has_kept() const { return total_ > 0; }

  /// Everything kept and then `part`: the whole raw record, or its beginning when it is too large.
  /// `trim` shortens a raw record of at most one byte above the limit (line ends, blanks).
  template <typename Trim>
  RawRecord Finish(std::string_view part, Trim trim) {
    RawRecord raw;
    raw.total_bytes = total_ + static_cast<int64_t>(part.size());
    if (total_ == 0) {
      raw.bytes = part;
      raw.is_of_chunk = true;
    } else {
      Keep(part);
      raw.bytes = kept_;
    }
    // A longer raw record may have been kept in part only; then its end is unknown.
    if (raw.total_bytes <= bytes_max_ + 1) {
      raw.bytes = trim(raw.bytes);
      raw.total_bytes = static_cast<int64_t>(raw.bytes.size());
    }
    if (raw.total_bytes > bytes_max_) {
      raw.kind = RawRecord::Kind::kTooLarge;
      raw.bytes = raw.bytes.substr(0, static_cast<size_t>(bytes_max_));
    }
    return raw;
  }

 private:
  static constexpr size_t kKeptCapacityMax = 1 << 20;

  void Append(std::string_view part) {
    auto room = static_cast<size_t>(bytes_max_) + 1 - kept_.size();
    kept_.append(part.substr(0, room));
  }

  int64_t bytes_max_;
  std::string kept_;
  int64_t total_ = 0;  // bytes kept and bytes beyond the limit
};

}  // namespace playhead::decode
