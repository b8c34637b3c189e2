#pragma once

#include "playhead/base/status.h"
#include "playhead/decode/line_splitter.h"
#include "playhead/decode/raw_record.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

enum class Framing {
  kAuto,    ///< told from the beginning of the input, see RecordSplitter
  kLines,   ///< every line that is not blank is a record, whatever it holds
  kArray,   ///< the elements of one JSON array
  kValues,  ///< JSON objects or arrays one after the other, across lines or on one
};

/// Cuts a byte stream into JSON records without parsing them: the bytes of a record are exactly
/// those delivered, and every byte belongs to a raw record, but for line ends, blanks between
/// records, and an array's brackets and commas.
///
/// Lines    end with LF or CR LF; the last one may lack it. A broken line harms no other.
/// Array    elements are cut at the array's own commas; blanks around them are dropped.
/// Damage   what is no sound array or sequence of values (a missing bracket, text between records,
///          an array that is not closed) makes the rest, from the first record that has no end, one
///          kUnreadable raw record. It may be empty when the input ends where a record should
///          begin.
/// Auto     `[` first: array. `{` first: values, if its line ends inside the object as
///          pretty-printed JSON does, or if a second value follows on the same line; else lines, as
///          for all others. Of these lines, one that holds several values is split, and a value
///          that goes on over several is joined (LineSplitter).
/// A UTF-8 byte order mark at the beginning is skipped.
/// Memory   one record of at most `record_bytes_max`, and only if it spans chunks.
/// Threads  one at a time.
///
///   while (reading) { splitter.Push(chunk, is_last); while (splitter.Next(&raw)) … }
class RecordSplitter {
 public:
  RecordSplitter(Framing mode, int64_t record_bytes_max);

  /// Adds input after Next() has returned false. `chunk` must stay until then again; it may be
  /// empty.
  void Push(std::string_view chunk, bool is_last);

  /// The next raw record, or false when there is none before the next Push().
  bool Next(RawRecord* raw);

  /// What was found; kAuto as long as it cannot be told.
  Framing mode() const { return is_decided_ ? mode_ : Framing::kAuto; }

 private:
  enum class State { kBefore, kFirst, kElement, kAfter, kInside, kBroken, kDone };

  bool NextLine(RawRecord* raw);
  bool NextSplit(RawRecord* raw);
  bool NextElement(RawRecord* raw);
  bool NextValue(RawRecord* raw);
  bool Rest(RawRecord* raw);
  bool Emit(RawRecord raw, RawRecord* out);
  bool SkipBlanks();
  /// A value or element begins.
  void Enter();
  /// It does not end in this chunk: kept for the next one, or broken in the last one.
  bool GoOnLater(std::string_view unclosed, RawRecord* raw);
  void Break(std::string_view problem);
  /// Position of the byte that ends the value the scan is in, or the end of the chunk. In an array
  /// that is the comma or bracket behind it, else its own last bracket.
  size_t ScanValue();

  Framing mode_;
  const int64_t record_bytes_max_;
  RecordAssembler assembler_;
  std::optional<LineSplitter> splitter_;  // of lines that were not asked for
  bool is_decided_ = false;
  bool is_last_ = false;
  std::string head_;  // the input until the mode is decided
  std::string_view view_;
  size_t position_ = 0;
  size_t begin_ = 0;  // of the raw record in hand, if it begins in this chunk
  int64_t number_ = 0;

  State state_ = State::kBefore;
  int64_t depth_ = 0;
  bool in_string_ = false;
  bool after_backslash_ = false;
  std::string_view problem_;
};

/// Cuts the body of a request, which may be one object (on one line or pretty-printed), an array,
/// or lines. Views into `body`. Errors: kInvalidArgument says why the body cannot be cut: nothing
/// in it, an array or object that is not closed, text where a record should be, or lines of which
/// none begins with `{`. kResourceExhausted: more than `records_max` records, found without cutting
/// on.
Result<std::vector<std::string_view>> CutBody(std::string_view body,
                                              int64_t records_max = INT64_MAX);

}  // namespace playhead::decode
