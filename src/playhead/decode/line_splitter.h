#pragma once

#include "playhead/decode/value_scan.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

namespace playhead::decode {

/// Among lines of JSON of which most are one object: splits those that hold several values, and
/// joins values that go on over several lines.
///
/// Joins    while a line goes on with the value that is open, as pretty-printed JSON does. If one
///          does not, or the input ends, the lines are records of their own: a broken line harms no
///          other.
/// Memory   a record of at most `record_bytes_max`, and a line.
class LineSplitter {
 public:
  explicit LineSplitter(int64_t record_bytes_max) : record_bytes_max_(record_bytes_max) {}

  /// Whether a line that begins a record is one as it stands; quick, true for most lines. What
  /// holds no value at its beginning is one too, for somebody else to refuse.
  static bool IsRecord(std::string_view line);

  /// Takes a line that is none, or any line while is_joining(); `end` is its line end.
  void Take(std::string_view line, std::string_view end);
  bool is_joining() const { return !joined_.empty(); }
  /// No more lines follow.
  void Finish();

  /// The next record, valid until the next call; false when there is none yet.
  bool Next(std::string_view* record);

 private:
  void TakeFirst(std::string_view line, std::string_view end);

  int64_t record_bytes_max_;
  std::string joined_;  // the beginning of a value, with line ends
  ValueScan scan_;      // of it
  std::deque<std::string> ready_;
  std::string given_;
};

}  // namespace playhead::decode
