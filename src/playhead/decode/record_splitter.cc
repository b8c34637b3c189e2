#include "playhead/decode/record_splitter.h"

#include "playhead/decode/byte_search.h"
#include "playhead/decode/framing.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace playhead::decode {
namespace {

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view TrimCarriageReturn(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view TrimNothing(std::string_view text) { return text; }

bool IsBracket(char c) { return c == '{' || c == '[' || c == '}' || c == ']'; }

}  // namespace

RecordSplitter::RecordSplitter(Framing mode, int64_t record_bytes_max)
    : mode_(mode), record_bytes_max_(record_bytes_max), assembler_(record_bytes_max) {}

void RecordSplitter::Push(std::string_view chunk, bool is_last) {
  PH_CHECK(position_ == view_.size() && !is_last_);
  is_last_ = is_last;
  begin_ = position_ = 0;
  view_ = chunk;
  if (is_decided_) return;

  if (!head_.empty()) {
    head_ += chunk;
    view_ = head_;
  }
  std::string_view text = view_;
  bool may_be_bom = text.size() < kUtf8Bom.size() && kUtf8Bom.starts_with(text) && !is_last;
  if (text.starts_with(kUtf8Bom)) text.remove_prefix(kUtf8Bom.size());
  std::optional<Framing> mode;
  if (!may_be_bom) {
    mode = mode_;
    if (mode_ == Framing::kAuto) mode = DetectFraming(text, is_last);
    if (!mode && static_cast<int64_t>(text.size()) > record_bytes_max_) mode = Framing::kLines;
  }
  if (!mode) {
    if (head_.empty()) head_ = chunk;
    view_ = {};
    return;
  }
  if (mode_ == Framing::kAuto && mode == Framing::kLines) splitter_.emplace(record_bytes_max_);
  mode_ = *mode;
  is_decided_ = true;
  view_ = text;
}

bool RecordSplitter::Next(RawRecord* raw) {
  if (!is_decided_) return false;
  switch (state_) {
    case State::kBroken:
      return Rest(raw);
    case State::kDone:
      return false;
    default:
      break;
  }
  if (state_ != State::kInside) assembler_.Start();
  if (mode_ == Framing::kLines) return NextLine(raw);
  return mode_ == Framing::kArray ? NextElement(raw) : NextValue(raw);
}

bool RecordSplitter::Emit(RawRecord raw, RawRecord* out) {
  raw.number = number_++;
  *out = raw;
  return true;
}

bool RecordSplitter::NextSplit(RawRecord* raw) {
  std::string_view record;
  if (!splitter_->Next(&record)) return false;
  return Emit({.bytes = record, .total_bytes = static_cast<int64_t>(record.size())}, raw);
}

bool RecordSplitter::NextLine(RawRecord* raw) {
  if (splitter_ && NextSplit(raw)) return true;
  // kInside: the assembler holds the beginning of a line.
  while (position_ < view_.size() || (is_last_ && state_ == State::kInside)) {
    std::string_view rest = view_.substr(position_);
    size_t size = rest.find('\n');
    bool has_end = size != std::string_view::npos;
    if (!has_end && !is_last_) {
      assembler_.Keep(rest);
      state_ = State::kInside;
      position_ = view_.size();
      return false;
    }
    std::string_view line_end = "\n";
    RawRecord line = assembler_.Finish(rest.substr(0, size), [&](std::string_view text) {
      if (text.ends_with('\r')) line_end = "\r\n";
      return TrimCarriageReturn(text);
    });
    position_ = has_end ? position_ + size + 1 : view_.size();
    state_ = State::kBefore;
    bool is_blank = std::all_of(line.bytes.begin(), line.bytes.end(), IsBlank);
    if (line.kind == RawRecord::Kind::kTooLarge) {
      if (splitter_) splitter_->Finish();
      return Emit(line, raw);
    }
    if (splitter_ && (splitter_->is_joining() || !LineSplitter::IsRecord(line.bytes))) {
      splitter_->Take(line.bytes, line_end);
      if (NextSplit(raw)) return true;
    } else if (!is_blank) {
      return Emit(line, raw);
    }
    assembler_.Start();
  }
  if (!is_last_ || !splitter_) return false;
  splitter_->Finish();
  return NextSplit(raw);
}

bool RecordSplitter::SkipBlanks() {
  while (position_ < view_.size() && IsBlank(view_[position_])) ++position_;
  return position_ < view_.size();
}

void RecordSplitter::Break(std::string_view problem) {
  problem_ = problem;
  state_ = State::kBroken;
}

bool RecordSplitter::Rest(RawRecord* raw) {
  std::string_view rest = view_.substr(begin_);
  position_ = begin_ = view_.size();
  if (!is_last_) {
    assembler_.Keep(rest);
    return false;
  }
  state_ = State::kDone;
  RawRecord unreadable = assembler_.Finish(rest, TrimNothing);
  unreadable.kind = RawRecord::Kind::kUnreadable;
  unreadable.problem = problem_;
  return Emit(unreadable, raw);
}

size_t RecordSplitter::ScanValue() {
  const char* base = view_.data();
  const char* end = base + view_.size();
  const char* p = base + position_;
  const bool in_array = mode_ == Framing::kArray;
  while (p != end) {
    if (after_backslash_) {
      after_backslash_ = false;
      ++p;
      continue;
    }
    if (in_string_) {
      p = FindEither(p, end, '"', '\\');
      if (p == end) break;
      if (*p == '"') {
        in_string_ = false;
      } else {
        after_backslash_ = true;
      }
      ++p;
      continue;
    }
    char c = *p;
    if (c == '"') {
      in_string_ = true;
    } else if (c == ',') {
      if (in_array && depth_ == 0) break;
    } else if (IsBracket(c)) {
      bool is_open = c == '{' || c == '[';
      if (!is_open && in_array && depth_ == 0) break;
      depth_ += is_open ? 1 : -1;
      if (!is_open && !in_array && depth_ == 0) break;
    }
    ++p;
  }
  return static_cast<size_t>(p - base);
}

void RecordSplitter::Enter() {
  state_ = State::kInside;
  depth_ = 0;
  in_string_ = after_backslash_ = false;
}

bool RecordSplitter::GoOnLater(std::string_view unclosed, RawRecord* raw) {
  if (is_last_) {
    Break(unclosed);
    return Rest(raw);
  }
  assembler_.Keep(view_.substr(begin_));
  begin_ = position_;
  return false;
}

bool RecordSplitter::NextElement(RawRecord* raw) {
  while (state_ != State::kInside) {
    if (!SkipBlanks()) {
      if (!is_last_ || state_ == State::kAfter) return false;
      begin_ = position_;
      Break("the array is not closed");
      return Rest(raw);
    }
    char c = view_[position_];
    begin_ = position_;
    if (state_ == State::kBefore && c == '[') {
      state_ = State::kFirst;
      ++position_;
    } else if (state_ == State::kFirst && c == ']') {
      state_ = State::kAfter;
      ++position_;
    } else if (state_ == State::kBefore || state_ == State::kAfter || c == ',' || c == ']' ||
               c == '}') {
      Break(state_ == State::kBefore  ? "not an array"
            : state_ == State::kAfter ? "text behind the array"
                                      : "an element of the array is missing");
      return Rest(raw);
    } else {
      Enter();
    }
  }
  position_ = ScanValue();
  if (position_ == view_.size()) return GoOnLater("the array is not closed", raw);
  char c = view_[position_];
  if (c == '}') {
    Break("a bracket of the array does not match");
    return Rest(raw);
  }
  RawRecord element = assembler_.Finish(view_.substr(begin_, position_ - begin_), TrimBlanks);
  state_ = c == ',' ? State::kElement : State::kAfter;
  begin_ = ++position_;
  return Emit(element, raw);
}

bool RecordSplitter::NextValue(RawRecord* raw) {
  if (state_ != State::kInside) {
    if (!SkipBlanks()) return false;
    begin_ = position_;
    if (view_[position_] != '{' && view_[position_] != '[') {
      Break("text where a JSON value should begin");
      return Rest(raw);
    }
    Enter();
  }
  position_ = ScanValue();
  if (position_ == view_.size()) return GoOnLater("the last value is not closed", raw);
  ++position_;
  RawRecord value = assembler_.Finish(view_.substr(begin_, position_ - begin_), TrimNothing);
  state_ = State::kBefore;
  begin_ = position_;
  return Emit(value, raw);
}

Result<std::vector<std::string_view>> CutBody(std::string_view body, int64_t records_max) {
  std::string_view text = body;
  if (text.starts_with(kUtf8Bom)) text.remove_prefix(kUtf8Bom.size());
  const Framing mode = DetectFraming(text, /*is_all=*/true).value();
  RecordSplitter splitter(mode, INT64_MAX);
  splitter.Push(body, /*is_last=*/true);
  std::vector<std::string_view> records;
  RawRecord raw;
  while (splitter.Next(&raw)) {
    if (raw.kind != RawRecord::Kind::kRecord) {
      return Error(StatusCode::kInvalidArgument, "body cannot be cut into records: {}: byte={}",
                   raw.problem, raw.bytes.data() - body.data());
    }
    if (static_cast<int64_t>(records.size()) == records_max) {
      return Error(StatusCode::kResourceExhausted, "body holds too many records: records_max={}",
                   records_max);
    }
    records.push_back(raw.bytes);
  }
  if (records.empty()) return Error(StatusCode::kInvalidArgument, "body holds no record");
  if (mode != Framing::kLines) return records;
  const auto is_object = [](std::string_view line) {
    return line[line.find_first_not_of(" \t\r")] == '{';
  };
  if (std::ranges::none_of(records, is_object)) {
    return Error(StatusCode::kInvalidArgument,
                 "body is no JSON object, array of objects or lines of objects");
  }
  return records;
}

}  // namespace playhead::decode
