#include "playhead/decode/json_index.h"

#include "playhead/base/status.h"

#include <simdjson.h>

#include <cstring>

namespace playhead::decode {
namespace {

constexpr size_t kSmallBytes = 1 << 20;
// What simdjson may read and write beyond the end of a string.
constexpr size_t kPadding = simdjson::SIMDJSON_PADDING;

const uint8_t* Bytes(const char* p) { return reinterpret_cast<const uint8_t*>(p); }

}  // namespace

/// simdjson chooses its kernel when it is first asked.
struct JsonIndex::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> kernel;

  explicit Parser(size_t capacity) {
    // The depth concerns simdjson's second stage only.
    auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        capacity, /*max_depth=*/1, kernel);
    PH_CHECK(error == simdjson::SUCCESS);
  }
};

JsonIndex::JsonIndex() : small_(std::make_unique<Parser>(kSmallBytes)) {}
JsonIndex::~JsonIndex() = default;
JsonIndex::JsonIndex(JsonIndex&&) noexcept = default;
JsonIndex& JsonIndex::operator=(JsonIndex&&) noexcept = default;

void JsonIndex::Start(size_t bytes) {
  unescaped_size_ = 0;
  unescaped_max_ = bytes;
}

JsonIndex::Outcome JsonIndex::Build(std::string_view text) {
  text_ = text;
  token_count_ = 0;
  if (text.empty()) return Outcome::kBlank;
  if (text.size() >= UINT32_MAX - kPadding) return Outcome::kBroken;
  Parser* parser = small_.get();
  if (text.size() > kSmallBytes) {
    if (large_ == nullptr || large_->kernel->capacity() < text.size()) {
      large_.reset();
      large_ = std::make_unique<Parser>(text.size());
    }
    parser = large_.get();
  }
  current_ = parser;
  auto error =
      parser->kernel->stage1(Bytes(text.data()), text.size(), simdjson::stage1_mode::regular);
  if (error == simdjson::EMPTY) return IsUtf8(text) ? Outcome::kBlank : Outcome::kNotUtf8;
  if (error != simdjson::SUCCESS) return IsUtf8(text) ? Outcome::kBroken : Outcome::kNotUtf8;
  tokens_ = parser->kernel->structural_indexes.get();
  token_count_ = parser->kernel->n_structural_indexes;

  has_escape_ = std::memchr(text.data(), '\\', text.size()) != nullptr;
  return Outcome::kGood;
}

bool JsonIndex::Unescape(std::string_view escaped, std::string_view* out) {
  if (unescaped_size_ == 0 && unescaped_.size() < unescaped_max_ + kPadding) {
    unescaped_.resize(unescaped_max_ + kPadding);
  }
  // Unescaping never lengthens.
  PH_CHECK(unescaped_size_ + escaped.size() <= unescaped_max_);
  const char* source = escaped.data();
  const char* readable_end = text_.data() + text_.size();
  if (static_cast<size_t>(readable_end - source) < escaped.size() + 1 + kPadding) {
    padded_.assign(escaped);
    padded_ += '"';
    padded_.append(kPadding, '\0');
    source = padded_.data();
  }
  char* begin = unescaped_.data() + unescaped_size_;
  auto* destination = reinterpret_cast<uint8_t*>(begin);
  uint8_t* end = current_->kernel->parse_string(Bytes(source), destination, false);
  if (end == nullptr) return false;
  *out = {begin, static_cast<size_t>(end - destination)};
  unescaped_size_ += out->size();
  return true;
}

void JsonIndex::ReleaseLarge() {
  if (large_ != nullptr) {
    large_.reset();
    current_ = nullptr;
  }
  if (unescaped_.size() > kSmallBytes + kPadding) std::vector<char>().swap(unescaped_);
  if (padded_.size() > kSmallBytes) std::string().swap(padded_);
}

bool IsUtf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace playhead::decode
