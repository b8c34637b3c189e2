#include "playhead/columnar/page_compression.h"

#include <arrow/api.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace playhead::columnar {
namespace {

// zstd.h: its parameters by number.
constexpr int kHashLog = 102;
constexpr int kMinMatch = 105;
constexpr int kLiteralCompressionMode = 1002;
constexpr int kLiteralsHuffman = 1;

/// Of fewer bytes it does not matter how they are compressed.
constexpr int64_t kJudgedBytesMin = 128 << 10;
constexpr int64_t kSampleBytes = 16 << 10;
/// How much larger a sample may become if zstd does not look for repetitions.
constexpr double kGrowthMax = 1.01;

using Options = std::shared_ptr<arrow::util::CodecOptions>;

Options ZstdOptions(int level, std::vector<std::pair<int, int>> parameters) {
  auto options = std::make_shared<arrow::util::ZstdCodecOptions>();
  options->compression_level = level;
  options->compression_context_params = std::move(parameters);
  return options;
}

/// Numbers repeat in part: sign, exponent and the upper digits. Level 1 takes nothing below 7 bytes
/// for a repetition; with 5, decimals become up to a third smaller (and at worst 5 % larger).
Options OfFloats() { return ZstdOptions(kZstdLevel, {{kMinMatch, 5}}); }

/// Text drawn by chance (hexadecimal ids) repeats nothing, but zstd looks for it and finds the
/// lengths between the texts of a dictionary. With great steps and a small table that takes a third
/// of the time. Negative levels leave out Huffman's code too, which is all there is to gain.
Options OfChance() {
  return ZstdOptions(-20, {{kHashLog, 10}, {kLiteralCompressionMode, kLiteralsHuffman}});
}

/// The size of the sample when compressed; as large as can be on failure.
int64_t CompressedBytes(const Options& options, std::string_view sample) {
  auto codec = arrow::util::Codec::Create(arrow::Compression::ZSTD, *options);
  if (!codec.ok()) return INT64_MAX;
  const auto bytes = static_cast<int64_t>(sample.size());
  const auto* data = reinterpret_cast<const uint8_t*>(sample.data());
  std::vector<uint8_t> out(static_cast<size_t>((*codec)->MaxCompressedLen(bytes, data)));
  return (*codec)
      ->Compress(bytes, data, static_cast<int64_t>(out.size()), out.data())
      .ValueOr(INT64_MAX);
}

bool IsIncompressible(std::string_view text) {
  if (static_cast<int64_t>(text.size()) < kSampleBytes) return false;
  const std::string_view sample =
      text.substr((text.size() - kSampleBytes) / 2, static_cast<size_t>(kSampleBytes));
  const int64_t searched = CompressedBytes(ZstdOptions(kZstdLevel, {}), sample);
  const int64_t unsearched = CompressedBytes(OfChance(), sample);
  return static_cast<double>(unsearched) <= kGrowthMax * static_cast<double>(searched);
}

}  // namespace

Options ChooseZstdOptions(const arrow::ArrayVector& chunks) {
  const arrow::DataType& type = *chunks.front()->type();
  if (type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::DOUBLE) return OfFloats();
  // The texts that are stored: those of the dictionary, if there is one.
  int64_t bytes = 0;
  std::string_view longest;
  for (std::shared_ptr<arrow::Array> texts : chunks) {
    if (texts->type_id() == arrow::Type::DICTIONARY) {
      texts = static_cast<const arrow::DictionaryArray&>(*texts).dictionary();
    }
    if (!arrow::is_binary_like(texts->type_id())) return nullptr;
    const auto& array = static_cast<const arrow::BinaryArray&>(*texts);
    const int64_t size = array.total_values_length();
    bytes += size;
    if (size <= static_cast<int64_t>(longest.size())) continue;
    longest = {reinterpret_cast<const char*>(array.raw_data()) + array.value_offset(0),
               static_cast<size_t>(size)};
  }
  return bytes >= kJudgedBytesMin && IsIncompressible(longest) ? OfChance() : nullptr;
}

}  // namespace playhead::columnar
