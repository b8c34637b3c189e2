#pragma once

#include "playhead/decode/raw_record.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Cuts a byte stream of CSV (RFC 4180) into records and their fields. The first record is the
/// header.
///
/// Records  end with LF or CR LF outside quotes, or with CR if the header does; the last one may
///          lack it. Empty lines are no records, except under a header of one column, where they
///          are its null.
/// Fields   parted by commas; `""` inside quotes is a quote. An empty field without quotes is null,
///          one with quotes is the empty text. A quote inside an unquoted field is a plain
///          character.
/// Count    a record may have more or fewer fields than the header; RecordDecoder judges that.
/// Damage   text behind a closing quote makes that record kUnreadable and nothing else; a quote
///          that is never closed makes the rest of the input one kUnreadable raw record.
/// A UTF-8 byte order mark at the beginning is skipped.
/// Memory   one record of at most `record_bytes_max`, and only if it spans chunks, plus its fields.
/// Threads  one at a time.
/// Use      as RecordSplitter.
class CsvSplitter {
 public:
  explicit CsvSplitter(int64_t record_bytes_max);

  /// Adds input after Next() has returned false. `chunk` must stay until then again; it may be
  /// empty.
  void Push(std::string_view chunk, bool is_last);

  /// The next record behind the header, or false when there is none before the next Push(). Numbers
  /// count from 0 at the first record behind the header.
  bool Next(RawRecord* raw);

  /// The fields of a kRecord raw record, valid as long as its bytes.
  const std::vector<std::optional<std::string_view>>& fields() const { return fields_; }

  /// The names in the header; empty until it has been read. Known when Next() first returns true,
  /// and at the end of the input. A header that cannot be read is handed out as a raw record.
  const std::vector<std::string>& header() const { return header_; }

 private:
  enum class State { kFieldStart, kUnquoted, kQuoted, kClosedQuote, kLineEnd };

  bool NextRecord(RawRecord* raw);
  /// Position of the line end of the record in hand, or the end of the chunk.
  size_t ScanRecord();
  void SplitFields(std::string_view record);

  RecordAssembler assembler_;
  const int64_t record_bytes_max_;
  bool has_begun_ = false;  // the byte order mark and the first line end have been looked for
  char line_end_ = '\n';
  bool is_last_ = false;
  std::string head_;
  std::string_view view_;
  size_t position_ = 0;
  size_t begin_ = 0;
  bool in_record_ = false;
  State state_ = State::kFieldStart;
  bool has_stray_text_ = false;  // behind a closing quote of the record in hand
  int64_t number_ = 0;
  bool has_header_ = false;
  std::vector<std::string> header_;
  std::vector<std::optional<std::string_view>> fields_;
  std::string unquoted_;  // the texts of fields with doubled quotes
};

}  // namespace playhead::decode
