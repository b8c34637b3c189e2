#pragma once

#include "playhead/decode/json_index.h"

#include <cstdint>
#include <cstring>
#include <string_view>

namespace playhead::decode {

/// Walks the tokens of an indexed JSON text from left to right and checks that they form JSON. All
/// methods that return bool return false when they do not; problem() then says in which way.
class JsonCursor {
 public:
  enum class Problem { kNone, kSyntax, kNotText, kTooDeep };

  JsonCursor(JsonIndex& index, std::string_view text, int depth_max)
      : index_(index),
        text_(text),
        token_(index.tokens()),
        end_(token_ + index.token_count()),
        depth_max_(depth_max) {}

  Problem problem() const { return problem_; }
  bool at_end() const { return token_ == end_; }

  /// First byte of the next token; NUL at the end.
  char Peek() const { return at_end() ? '\0' : text_[*token_]; }

  /// Takes the next token if it is the bracket, comma or colon `c`.
  bool Eat(char c) {
    if (at_end() || text_[*token_] != c) return false;
    ++token_;
    return true;
  }

  /// Where the next token begins.
  const char* position() const { return text_.data() + *token_; }
  /// What was taken since `begin`, without blanks behind it.
  std::string_view TakenSince(const char* begin) const {
    return Trim(begin, text_.data() + *token_);
  }

  /// Takes a key and its colon if the next tokens are exactly `quoted` (a name without escapes, in
  /// quotes) and a colon.
  bool EatKey(std::string_view quoted) {
    if (quoted.empty() || end_ - token_ < 2 || token_[1] - token_[0] < quoted.size()) {
      return false;
    }
    if (text_[token_[1]] != ':' || !BeginsWith(position(), quoted)) return false;
    token_ += 2;
    return true;
  }

  /// Takes a key, its colon and a string without escapes in one go, as most fields are. False, and
  /// nothing is taken, if they are anything else.
  bool EatTextField(std::string_view quoted, std::string_view* value) {
    const uint32_t* token = token_;
    if (quoted.empty() || end_ - token < 3 || token[1] - token[0] < quoted.size() ||
        index_.has_escape()) {
      return false;
    }
    const char* text = text_.data();
    if (text[token[1]] != ':' || text[token[2]] != '"' || !BeginsWith(text + token[0], quoted)) {
      return false;
    }
    const char* begin = text + token[2];
    const char* end = text + token[3];
    if (end - begin < 2 || end[-1] != '"') return false;
    *value = {begin + 1, static_cast<size_t>(end - begin - 2)};
    token_ = token + 3;
    return true;
  }

  /// Takes a string; `raw` is the token with its quotes.
  bool String(std::string_view* value, std::string_view* raw) {
    *raw = TokenText();
    if (raw->size() < 2 || raw->front() != '"' || raw->back() != '"') return Fail();
    *value = raw->substr(1, raw->size() - 2);
    ++token_;
    if (index_.has_escape() && std::memchr(value->data(), '\\', value->size()) != nullptr) {
      if (!index_.Unescape(*value, value)) return Fail(Problem::kNotText);
    }
    return true;
  }

  /// Takes a number, `true`, `false` or `null` (or anything else that is no bracket or string); the
  /// caller judges its spelling.
  bool Scalar(std::string_view* raw) {
    if (at_end()) return Fail();
    *raw = TokenText();
    ++token_;
    return true;
  }

  /// Enters a bracket that Eat() took.
  bool Enter() { return ++depth_ <= depth_max_ || Fail(Problem::kTooDeep); }
  void Leave() { --depth_; }

  /// Takes one value of any kind and checks all of it.
  bool Skip();

  bool Fail(Problem problem = Problem::kSyntax) {
    problem_ = problem;
    return false;
  }

 private:
  /// memcmp without a call: names are short. The last 8 bytes may overlap those before.
  static bool BeginsWith(const char* p, std::string_view text) {
    const char* q = text.data();
    const size_t size = text.size();
    if (size < 8) {
      for (size_t i = 0; i < size; ++i) {
        if (p[i] != q[i]) return false;
      }
      return true;
    }
    for (size_t i = 0; i + 8 < size; i += 8) {
      if (!EqualWords(p + i, q + i)) return false;
    }
    return EqualWords(p + size - 8, q + size - 8);
  }
  static bool EqualWords(const char* p, const char* q) {
    uint64_t a = 0;
    uint64_t b = 0;
    std::memcpy(&a, p, 8);
    std::memcpy(&b, q, 8);
    return a == b;
  }
  static std::string_view Trim(const char* begin, const char* end) {
    // Most texts have no blanks at all.
    if (end > begin && end[-1] > ' ') [[likely]]
      return {begin, static_cast<size_t>(end - begin)};
    while (end > begin &&
           (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\r' || end[-1] == '\t')) {
      --end;
    }
    return {begin, static_cast<size_t>(end - begin)};
  }
  // A scalar or string ends before the next token, but for blanks.
  std::string_view TokenText() const {
    if (at_end()) return {};
    return Trim(text_.data() + token_[0], text_.data() + token_[1]);
  }
  bool SkipObject();
  bool SkipArray();

  JsonIndex& index_;
  std::string_view text_;
  const uint32_t* token_;
  const uint32_t* end_;
  int depth_ = 0;
  int depth_max_;
  Problem problem_ = Problem::kNone;
};

/// Whether `raw` is a number, `true`, `false` or `null`, spelled as JSON wants it.
bool IsJsonScalar(std::string_view raw);

}  // namespace playhead::decode
