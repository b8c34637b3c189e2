#include "playhead/decode/csv_splitter.h"

#include "playhead/base/status.h"
#include "playhead/decode/byte_search.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace playhead::decode {
namespace {

std::string_view TrimCarriageReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

/// What ends the first line: LF, or CR where no LF follows; none when more input is needed.
std::optional<char> FindLineEnd(std::string_view text, bool is_all) {
  bool in_quotes = false;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') in_quotes = !in_quotes;
    if (in_quotes || (text[i] != '\n' && text[i] != '\r')) continue;
    if (text[i] == '\n') return '\n';
    if (i + 1 < text.size()) return text[i + 1] == '\n' ? '\n' : '\r';
    if (is_all) return '\r';
  }
  return std::nullopt;
}

}  // namespace

CsvSplitter::CsvSplitter(int64_t record_bytes_max)
    : assembler_(record_bytes_max), record_bytes_max_(record_bytes_max) {}

void CsvSplitter::Push(std::string_view chunk, bool is_last) {
  PH_CHECK(position_ == view_.size() && !is_last_);
  is_last_ = is_last;
  begin_ = position_ = 0;
  view_ = chunk;
  if (has_begun_) return;
  if (!head_.empty()) {
    head_ += chunk;
    view_ = head_;
  }
  // Within what a record may have, so that it does not depend on the chunks.
  const std::string_view head = view_.substr(0, static_cast<size_t>(record_bytes_max_) + 1);
  const bool is_long = static_cast<int64_t>(head.size()) > record_bytes_max_;
  const std::optional<char> line_end = FindLineEnd(head, is_last && !is_long);
  const bool may_be_bom = view_.size() < kUtf8Bom.size() && kUtf8Bom.starts_with(view_);
  if (!is_last && !is_long && (may_be_bom || !line_end)) {
    if (head_.empty()) head_ = chunk;
    view_ = {};
    return;
  }
  has_begun_ = true;
  line_end_ = line_end.value_or('\n');
  if (view_.starts_with(kUtf8Bom)) view_.remove_prefix(kUtf8Bom.size());
}

bool CsvSplitter::Next(RawRecord* raw) {
  while (NextRecord(raw)) {
    // Without quotes in it, an empty line has no field at all.
    if (raw->bytes.empty() && raw->kind == RawRecord::Kind::kRecord && header_.size() != 1) {
      continue;
    }
    if (raw->kind == RawRecord::Kind::kRecord) SplitFields(raw->bytes);
    if (has_header_ || raw->kind != RawRecord::Kind::kRecord) {
      has_header_ = true;
      raw->number = number_++;
      return true;
    }
    has_header_ = true;
    for (const auto& field : fields_) header_.emplace_back(field.value_or(""));
  }
  return false;
}

bool CsvSplitter::NextRecord(RawRecord* raw) {
  if (!in_record_) assembler_.Start();
  if (position_ == view_.size() && !(is_last_ && in_record_)) return false;
  in_record_ = true;
  size_t end = ScanRecord();
  std::string_view part = view_.substr(begin_, end - begin_);
  bool has_end = end < view_.size();
  if (!has_end && !is_last_) {
    assembler_.Keep(part);
    begin_ = position_ = end;
    return false;
  }
  *raw = assembler_.Finish(part, TrimCarriageReturn);
  if (state_ == State::kQuoted) {
    raw->kind = RawRecord::Kind::kUnreadable;
    raw->problem = "a quote is never closed";
  } else if (has_stray_text_ && raw->kind == RawRecord::Kind::kRecord) {
    raw->kind = RawRecord::Kind::kUnreadable;
    raw->problem = "text behind a closing quote";
  }
  begin_ = position_ = has_end ? end + 1 : end;
  in_record_ = has_stray_text_ = false;
  state_ = State::kFieldStart;
  return true;
}

size_t CsvSplitter::ScanRecord() {
  const char* base = view_.data();
  const char* end = base + view_.size();
  const char* p = base + position_;
  while (p != end) {
    if (state_ == State::kQuoted) {
      auto* quote = static_cast<const char*>(std::memchr(p, '"', static_cast<size_t>(end - p)));
      if (quote == nullptr) return view_.size();
      state_ = State::kClosedQuote;
      p = quote + 1;
      continue;
    }
    if (state_ == State::kUnquoted) {
      p = FindEither(p, end, ',', line_end_);
      if (p == end) break;
    }
    char c = *p;
    if (c == line_end_) break;
    if (c == ',' && state_ != State::kLineEnd) {
      state_ = State::kFieldStart;
    } else if (c == '"' && state_ != State::kLineEnd) {
      state_ = State::kQuoted;
    } else {
      if (state_ == State::kClosedQuote && c == '\r') {
        state_ = State::kLineEnd;
      } else {
        has_stray_text_ = has_stray_text_ || state_ != State::kFieldStart;
        state_ = State::kUnquoted;
      }
    }
    ++p;
  }
  return static_cast<size_t>(p - base);
}

void CsvSplitter::SplitFields(std::string_view record) {
  fields_.clear();
  unquoted_.clear();
  // Views into it are handed out, so it must not move.
  unquoted_.reserve(record.size());
  size_t at = 0;
  while (true) {
    if (at < record.size() && record[at] == '"') {
      size_t begin = ++at;
      size_t copied = unquoted_.size();
      bool has_doubled = false;
      size_t quote = record.find('"', at);
      while (quote + 1 < record.size() && record[quote + 1] == '"') {
        has_doubled = true;
        unquoted_.append(record, at, quote + 1 - at);
        at = quote + 2;
        quote = record.find('"', at);
      }
      PH_CHECK(quote < record.size());
      if (has_doubled) {
        unquoted_.append(record, at, quote - at);
        fields_.emplace_back(std::string_view(unquoted_).substr(copied));
      } else {
        fields_.emplace_back(record.substr(begin, quote - begin));
      }
      at = quote + 1;
    } else {
      size_t comma = std::min(record.find(',', at), record.size());
      if (comma == at) {
        fields_.emplace_back(std::nullopt);
      } else {
        fields_.emplace_back(record.substr(at, comma - at));
      }
      at = comma;
    }
    if (at >= record.size()) return;
    ++at;  // the comma
  }
}

}  // namespace playhead::decode
