#include "playhead/iceberg/values.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>

namespace playhead::iceberg {
namespace {

template <typename Unsigned>
std::string LittleEndian(Unsigned value) {
  std::string bytes(sizeof(value), '\0');
  for (char& byte : bytes) {
    byte = static_cast<char>(value & 0xFF);
    value = static_cast<Unsigned>(value >> 8);
  }
  return bytes;
}

bool IsContinuation(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Bytes of the first `code_points` code points of `utf8`.
size_t PrefixLength(std::string_view utf8, int code_points) {
  size_t length = 0;
  for (; length < utf8.size(); ++length) {
    if (!IsContinuation(utf8[length]) && code_points-- == 0) break;
  }
  return length;
}

/// The code point that is all of `bytes`; nothing unless it is well-formed UTF-8.
std::optional<uint32_t> DecodeCodePoint(std::string_view bytes) {
  static constexpr uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(bytes.front());
  if (lead < 0x80 && bytes.size() == 1) return lead;
  if (bytes.size() < 2 || bytes.size() > 4) return std::nullopt;
  // A sequence of n bytes starts with n one bits and a zero.
  if (std::countl_one(lead) != static_cast<int>(bytes.size())) return std::nullopt;
  uint32_t code_point = lead & (0x7FU >> bytes.size());
  for (const char byte : bytes.substr(1)) {
    code_point = (code_point << 6) | (static_cast<unsigned char>(byte) & 0x3F);
  }
  if (code_point < kSmallest[bytes.size()] || code_point > 0x10FFFF) return std::nullopt;
  return code_point;
}

void AppendCodePoint(uint32_t code_point, std::string* utf8) {
  const auto continuation = [](uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (code_point < 0x80) {
    *utf8 += static_cast<char>(code_point);
    return;
  }
  if (code_point < 0x800) {
    *utf8 += static_cast<char>(0xC0 | (code_point >> 6));
  } else if (code_point < 0x10000) {
    *utf8 += static_cast<char>(0xE0 | (code_point >> 12));
    *utf8 += continuation(code_point >> 6);
  } else {
    *utf8 += static_cast<char>(0xF0 | (code_point >> 18));
    *utf8 += continuation(code_point >> 12);
    *utf8 += continuation(code_point >> 6);
  }
  *utf8 += continuation(code_point);
}

struct ValueEncoder {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return EncodeBool(value); }
  std::string operator()(int32_t value) const { return EncodeInt(value); }
  std::string operator()(int64_t value) const { return EncodeLong(value); }
  std::string operator()(float value) const { return EncodeFloat(value); }
  std::string operator()(double value) const { return EncodeDouble(value); }
  std::string operator()(const std::string& value) const { return value; }
};

}  // namespace

std::string EncodeBool(bool value) { return std::string(1, value ? '\1' : '\0'); }
std::string EncodeInt(int32_t value) { return LittleEndian(static_cast<uint32_t>(value)); }
std::string EncodeLong(int64_t value) { return LittleEndian(static_cast<uint64_t>(value)); }
std::string EncodeFloat(float value) { return LittleEndian(std::bit_cast<uint32_t>(value)); }
std::string EncodeDouble(double value) { return LittleEndian(std::bit_cast<uint64_t>(value)); }

std::string EncodePartitionValue(const PartitionValue& value) {
  return std::visit(ValueEncoder{}, value);
}

std::string TruncateLower(std::string_view utf8, int code_points) {
  return std::string(utf8.substr(0, PrefixLength(utf8, code_points)));
}

std::optional<std::string> TruncateUpper(std::string_view utf8, int code_points) {
  const size_t length = PrefixLength(utf8, code_points);
  if (length == utf8.size()) return std::string(utf8);
  std::string prefix(utf8.substr(0, length));
  while (!prefix.empty()) {
    size_t last = prefix.size() - 1;
    while (last > 0 && IsContinuation(prefix[last])) --last;
    const auto code_point = DecodeCodePoint(std::string_view(prefix).substr(last));
    if (!code_point) return std::nullopt;
    prefix.resize(last);
    if (*code_point == 0x10FFFF) continue;
    // Surrogates are no code points, so the next one after U+D7FF is U+E000.
    AppendCodePoint(*code_point == 0xD7FF ? 0xE000 : *code_point + 1, &prefix);
    return prefix;
  }
  return std::nullopt;
}

int32_t DayOf(int64_t micros) {
  using std::chrono::days;
  return static_cast<int32_t>(std::chrono::floor<days>(std::chrono::microseconds(micros)).count());
}

int32_t HourOf(int64_t micros) {
  using std::chrono::hours;
  const int64_t count = std::chrono::floor<hours>(std::chrono::microseconds(micros)).count();
  return static_cast<int32_t>(std::clamp<int64_t>(count, std::numeric_limits<int32_t>::min(),
                                                  std::numeric_limits<int32_t>::max()));
}

}  // namespace playhead::iceberg
