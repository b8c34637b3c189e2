// Avro's binary encoding; avro_file.cc holds the files made of it.

#include "playhead/iceberg/avro.h"

#include <bit>
#include <limits>

namespace playhead::iceberg {
namespace {

constexpr int kDepthMax = 64;

template <typename Unsigned>
void AppendLittleEndian(Unsigned value, std::string* bytes) {
  for (size_t i = 0; i < sizeof(value); ++i) {
    *bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  }
}

template <typename Unsigned>
Unsigned ReadLittleEndian(std::string_view bytes) {
  Unsigned value = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<Unsigned>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

}  // namespace

void AvroEncoder::Long(int64_t value) {
  // Zigzag: 0, -1, 1, -2, … become 0, 1, 2, 3, …
  auto rest = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
  while (rest >= 0x80) {
    bytes_ += static_cast<char>(0x80 | (rest & 0x7F));
    rest >>= 7;
  }
  bytes_ += static_cast<char>(rest);
}

void AvroEncoder::Float(float value) {
  AppendLittleEndian(std::bit_cast<uint32_t>(value), &bytes_);
}

void AvroEncoder::Double(double value) {
  AppendLittleEndian(std::bit_cast<uint64_t>(value), &bytes_);
}

void AvroEncoder::Bytes(std::string_view value) {
  Long(static_cast<int64_t>(value.size()));
  bytes_ += value;
}

void AvroEncoder::BeginArray(size_t count) {
  // An empty array is only its end: a block of no items.
  if (count > 0) Long(static_cast<int64_t>(count));
}

AvroDecoder::AvroDecoder(std::string_view bytes)
    : bytes_(bytes),
      // Every step of a sane schema but a null and a record's own consumes a byte.
      steps_left_(static_cast<int64_t>(bytes.size()) * 8 + (64 << 10)) {}

bool AvroDecoder::Bool() { return Fixed(1) == std::string_view("\1", 1); }

int32_t AvroDecoder::Int() {
  const int64_t value = Long();
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    Fail("int is out of range");
    return 0;
  }
  return static_cast<int32_t>(value);
}

int64_t AvroDecoder::Long() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::string_view byte = Fixed(1);
    if (byte.empty()) return 0;
    const auto bits = static_cast<unsigned char>(byte.front());
    value |= static_cast<uint64_t>(bits & 0x7F) << shift;
    if (bits < 0x80) return static_cast<int64_t>((value >> 1) ^ (~(value & 1) + 1));
  }
  Fail("number has more than ten bytes");
  return 0;
}

float AvroDecoder::Float() { return std::bit_cast<float>(ReadLittleEndian<uint32_t>(Fixed(4))); }

double AvroDecoder::Double() { return std::bit_cast<double>(ReadLittleEndian<uint64_t>(Fixed(8))); }

std::string_view AvroDecoder::Bytes() { return Fixed(Long()); }

std::string_view AvroDecoder::Fixed(int64_t size) {
  if (!ok()) return {};
  if (size < 0 || static_cast<uint64_t>(size) > bytes_.size() - position_) {
    Fail("value goes beyond the end");
    return {};
  }
  const std::string_view value = bytes_.substr(position_, static_cast<size_t>(size));
  position_ += value.size();
  return value;
}

std::optional<int64_t> AvroDecoder::Integer(const AvroType& type) {
  const AvroType* resolved = Resolve(type);
  if (resolved == nullptr) return std::nullopt;
  if (resolved->kind == AvroKind::kInt) return Int();
  if (resolved->kind == AvroKind::kLong) return Long();
  Fail("field is not an integer");
  return std::nullopt;
}

std::optional<bool> AvroDecoder::Boolean(const AvroType& type) {
  const AvroType* resolved = Resolve(type);
  if (resolved == nullptr) return std::nullopt;
  if (resolved->kind == AvroKind::kBoolean) return Bool();
  Fail("field is not a boolean");
  return std::nullopt;
}

std::optional<std::string_view> AvroDecoder::Text(const AvroType& type) {
  const AvroType* resolved = Resolve(type);
  if (resolved == nullptr) return std::nullopt;
  if (resolved->kind == AvroKind::kString || resolved->kind == AvroKind::kBytes) return Bytes();
  if (resolved->kind == AvroKind::kFixed) return Fixed(resolved->size);
  Fail("field is neither string nor bytes");
  return std::nullopt;
}

int64_t AvroDecoder::Count(const AvroType& type) {
  const auto count = Integer(type);
  if (!count || *count < 0) Fail("count is missing or negative");
  return ok() ? *count : 0;
}

const AvroType* AvroDecoder::Resolve(const AvroType& type) {
  const AvroType* resolved = &type;
  if (type.kind == AvroKind::kUnion) {
    const int64_t branch = Long();
    if (!ok()) return nullptr;
    if (branch < 0 || static_cast<uint64_t>(branch) >= type.branches.size()) {
      Fail("union has no such branch");
      return nullptr;
    }
    resolved = type.branches[static_cast<size_t>(branch)];
  }
  return resolved->kind == AvroKind::kNull ? nullptr : resolved;
}

int64_t AvroDecoder::BlockCount() {
  int64_t count = Long();
  if (count < 0) {
    // A negative count is followed by the block's length, for readers that jump over it.
    if (count == std::numeric_limits<int64_t>::min()) count = std::numeric_limits<int64_t>::max();
    count = count < 0 ? -count : count;
    Long();
  }
  if (ok() && static_cast<uint64_t>(count) > bytes_.size() - position_) {
    Fail("array is longer than its bytes");
  }
  return ok() ? count : 0;
}

void AvroDecoder::Skip(const AvroType& type) { SkipNested(type, 0); }

void AvroDecoder::SkipNested(const AvroType& type, int depth) {
  if (depth > kDepthMax) Fail("value is nested too deeply");
  if (--steps_left_ < 0) Fail("schema is larger than its values");
  if (!ok()) return;
  switch (type.kind) {
    case AvroKind::kNull:
      return;
    case AvroKind::kBoolean:
      Fixed(1);
      return;
    case AvroKind::kInt:
    case AvroKind::kLong:
    case AvroKind::kEnum:
      Long();
      return;
    case AvroKind::kFloat:
      Fixed(4);
      return;
    case AvroKind::kDouble:
      Fixed(8);
      return;
    case AvroKind::kBytes:
    case AvroKind::kString:
      Bytes();
      return;
    case AvroKind::kFixed:
      Fixed(type.size);
      return;
    case AvroKind::kArray:
      Array([&] { SkipNested(*type.item, depth + 1); });
      return;
    case AvroKind::kMap:
      Array([&] {
        Bytes();
        SkipNested(*type.item, depth + 1);
      });
      return;
    case AvroKind::kRecord:
      for (const AvroField& field : type.fields) SkipNested(*field.type, depth + 1);
      return;
    case AvroKind::kUnion:
      if (const AvroType* branch = Resolve(type)) SkipNested(*branch, depth + 1);
      return;
  }
}

void AvroDecoder::Fail(std::string_view reason) {
  if (ok()) failure_ = reason;
}

Status AvroDecoder::status() const {
  if (ok()) return {};
  return Error(StatusCode::kDataCorrupt, "Avro data is damaged: {}: position={}", failure_,
               position_);
}

}  // namespace playhead::iceberg
