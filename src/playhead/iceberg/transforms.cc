#include "playhead/iceberg/transforms.h"

#include "playhead/iceberg/values.h"

#include <bit>

namespace playhead::iceberg {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;

bool IsTimestamp(TypeKind kind) {
  return kind == TypeKind::kTimestamp || kind == TypeKind::kTimestamptz;
}
bool IsInteger(TypeKind kind) { return kind == TypeKind::kInt || kind == TypeKind::kLong; }
bool IsText(TypeKind kind) { return kind == TypeKind::kString || kind == TypeKind::kBinary; }

int64_t FloorDivide(int64_t value, int64_t divisor) {
  return value / divisor - (value % divisor < 0 ? 1 : 0);
}

int64_t IntegerOf(const PartitionValue& value) {
  if (const auto* narrow = std::get_if<int32_t>(&value)) return *narrow;
  return std::get<int64_t>(value);
}

/// Murmur3, 32 bits on x86, seed 0.
uint32_t Murmur3(std::string_view bytes) {
  constexpr uint32_t kFirst = 0xcc9e2d51;
  constexpr uint32_t kSecond = 0x1b873593;
  uint32_t hash = 0;
  const auto byte_at = [&](size_t i) { return uint32_t{static_cast<uint8_t>(bytes[i])}; };
  const auto mixed = [](uint32_t block) { return std::rotl(block * kFirst, 15) * kSecond; };
  const size_t whole = bytes.size() / 4 * 4;
  for (size_t i = 0; i < whole; i += 4) {
    hash ^= mixed(byte_at(i) | byte_at(i + 1) << 8 | byte_at(i + 2) << 16 | byte_at(i + 3) << 24);
    hash = std::rotl(hash, 13) * 5 + 0xe6546b64;
  }
  uint32_t rest = 0;
  for (size_t i = bytes.size(); i > whole; --i) rest = rest << 8 | byte_at(i - 1);
  hash ^= mixed(rest);
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6b;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35;
  return hash ^ hash >> 16;
}

PartitionValue Bucket(const PartitionValue& value, int32_t buckets) {
  const auto* text = std::get_if<std::string>(&value);
  // Integers of any width hash as longs, so that a widened column keeps its buckets.
  const uint32_t hash = Murmur3(text != nullptr ? *text : EncodeLong(IntegerOf(value)));
  return static_cast<int32_t>((hash & 0x7fffffff) % static_cast<uint32_t>(buckets));
}

std::string FirstCodePoints(const std::string& text, int32_t count) {
  size_t end = 0;
  for (; end < text.size(); ++end) {
    const bool begins = (static_cast<uint8_t>(text[end]) & 0xC0) != 0x80;
    if (begins && count-- == 0) break;
  }
  return text.substr(0, end);
}

PartitionValue Truncate(const PartitionValue& value, TypeKind source, int32_t width) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    return source == TypeKind::kString ? FirstCodePoints(*text, width)
                                       : text->substr(0, static_cast<size_t>(width));
  }
  const int64_t number = IntegerOf(value);
  const int64_t rest = number % width;
  // Wraps at the lowest values, as in Java.
  const auto truncated = static_cast<int64_t>(
      static_cast<uint64_t>(number) - static_cast<uint64_t>(rest < 0 ? rest + width : rest));
  if (std::holds_alternative<int64_t>(value)) return truncated;
  return static_cast<int32_t>(truncated);
}

}  // namespace

bool CanTransform(const PartitionField& field, TypeKind source) {
  switch (field.transform) {
    case Transform::kVoid:
      return true;
    case Transform::kIdentity:
      return source == TypeKind::kBoolean || IsInteger(source) || source == TypeKind::kDate ||
             IsTimestamp(source) || source == TypeKind::kString;
    case Transform::kYear:
    case Transform::kMonth:
    case Transform::kDay:
      return source == TypeKind::kDate || IsTimestamp(source);
    case Transform::kHour:
      return IsTimestamp(source);
    case Transform::kBucket:
      return field.width > 0 &&
             (IsInteger(source) || source == TypeKind::kDate || source == TypeKind::kTime ||
              IsTimestamp(source) || IsText(source));
    case Transform::kTruncate:
      return field.width > 0 && (IsInteger(source) || IsText(source));
  }
  return false;
}

PartitionValue ApplyTransform(const PartitionField& field, TypeKind source,
                              const PartitionValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return value;
  const auto days = [&] {
    return source == TypeKind::kDate ? IntegerOf(value)
                                     : FloorDivide(IntegerOf(value), kMicrosPerDay);
  };
  switch (field.transform) {
    case Transform::kIdentity:
      return value;
    case Transform::kYear:
      return static_cast<int32_t>(DateOf(days()).year - 1970);
    case Transform::kMonth: {
      const CivilDate date = DateOf(days());
      return static_cast<int32_t>((date.year - 1970) * 12 + date.month - 1);
    }
    case Transform::kDay:
      return static_cast<int32_t>(days());
    case Transform::kHour:
      return HourOf(IntegerOf(value));
    case Transform::kBucket:
      return Bucket(value, field.width);
    case Transform::kTruncate:
      return Truncate(value, source, field.width);
    case Transform::kVoid:
      break;
  }
  return std::monostate{};
}

}  // namespace playhead::iceberg
