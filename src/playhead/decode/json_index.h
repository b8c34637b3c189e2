#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Finds the tokens of one JSON text with simdjson's first stage: where each bracket, comma, colon,
/// string and scalar begins. It also proves that the text is UTF-8, that strings end and that they
/// hold no control characters. Whether the tokens form JSON is for the reader of the tokens to say.
///
/// Memory   about 5 bytes per byte of the longest text; what exceeds 1 MiB is given back by
///          ReleaseLarge().
/// Threads  one at a time.
class JsonIndex {
 public:
  enum class Outcome { kGood, kBlank, kNotUtf8, kBroken };

  JsonIndex();
  ~JsonIndex();
  JsonIndex(JsonIndex&&) noexcept;
  JsonIndex& operator=(JsonIndex&&) noexcept;

  /// Gives up all strings that Unescape() has made and makes room for those of texts with `bytes`
  /// bytes in all, each of their strings once.
  void Start(size_t bytes);

  /// Indexes `text`, which needs no padding and must stay until the next Build().
  /// Texts of 4 GiB and more are kBroken.
  Outcome Build(std::string_view text);

  /// Positions of the tokens' first bytes. One more entry follows: the size of the text.
  const uint32_t* tokens() const { return tokens_; }
  size_t token_count() const { return token_count_; }
  /// Whether a backslash stands anywhere in the text.
  bool has_escape() const { return has_escape_; }

  /// The characters that `escaped` (a part of the text, between quotes) stands for; valid until the
  /// next Start(). False: an unknown escape or half of a surrogate pair.
  bool Unescape(std::string_view escaped, std::string_view* out);

  void ReleaseLarge();

 private:
  struct Parser;

  std::unique_ptr<Parser> small_;
  std::unique_ptr<Parser> large_;
  const Parser* current_ = nullptr;
  std::string_view text_;
  const uint32_t* tokens_ = nullptr;
  size_t token_count_ = 0;
  bool has_escape_ = false;
  size_t unescaped_max_ = 0;
  std::vector<char> unescaped_;  // grows only while no view into it is in use
  size_t unescaped_size_ = 0;
  std::string padded_;
};

/// Whether `text` is UTF-8.
bool IsUtf8(std::string_view text);

}  // namespace playhead::decode
