// Cutting a stream gives the same pieces however it is chunked, in every mode, and for CSV too; the
// pieces lie in the input one behind the other. The first byte of the input chooses the chunk size.

#include "playhead/base/status.h"
#include "playhead/decode/csv_cutter.h"
#include "playhead/decode/record_cutter.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using playhead::decode::CsvCutter;
using playhead::decode::CutMode;
using playhead::decode::Piece;
using playhead::decode::RecordCutter;

constexpr int64_t kRecordBytesMax = 64;

struct KeptPiece {
  Piece::Kind kind;
  std::string bytes;
  int64_t total_bytes;
  bool operator==(const KeptPiece&) const = default;
};

template <typename Cutter>
std::vector<KeptPiece> Cut(Cutter cutter, std::string_view input, size_t chunk_bytes) {
  std::vector<KeptPiece> pieces;
  size_t at = 0;
  do {
    std::string chunk(input.substr(at, chunk_bytes));
    at += chunk.size();
    cutter.Push(chunk, at == input.size());
    Piece piece;
    while (cutter.Next(&piece)) {
      PH_CHECK(piece.number == static_cast<int64_t>(pieces.size()));
      PH_CHECK(static_cast<int64_t>(piece.bytes.size()) <= kRecordBytesMax);
      PH_CHECK(piece.total_bytes >= static_cast<int64_t>(piece.bytes.size()));
      pieces.push_back({piece.kind, std::string(piece.bytes), piece.total_bytes});
    }
  } while (at < input.size());
  return pieces;
}

void CheckOrder(const std::vector<KeptPiece>& pieces, std::string_view input) {
  size_t at = 0;
  for (const KeptPiece& piece : pieces) {
    at = input.find(piece.bytes, at);
    PH_CHECK(at != std::string_view::npos);
    at += piece.bytes.size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t chunk_bytes = 1 + data[0] % 16;
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  size_t whole_bytes = std::max<size_t>(input.size(), 1);
  for (CutMode mode : {CutMode::kLines, CutMode::kArray, CutMode::kValues}) {
    auto whole = Cut(RecordCutter(mode, kRecordBytesMax), input, whole_bytes);
    PH_CHECK(Cut(RecordCutter(mode, kRecordBytesMax), input, chunk_bytes) == whole);
    CheckOrder(whole, input);
  }
  // How much is looked at before the mode is chosen depends on the chunks, once that is more than a
  // record may have.
  if (static_cast<int64_t>(input.size()) <= kRecordBytesMax) {
    auto whole = Cut(RecordCutter(CutMode::kAuto, kRecordBytesMax), input, whole_bytes);
    PH_CHECK(Cut(RecordCutter(CutMode::kAuto, kRecordBytesMax), input, chunk_bytes) == whole);
  }
  auto csv = Cut(CsvCutter(kRecordBytesMax), input, whole_bytes);
  PH_CHECK(Cut(CsvCutter(kRecordBytesMax), input, chunk_bytes) == csv);
  CheckOrder(csv, input);
  // Whatever can be cut as a body is cut into views of it.
  auto body = playhead::decode::CutBody(input);
  if (body.ok()) {
    PH_CHECK(!body->empty());
    for (std::string_view record : *body) {
      PH_CHECK(record.data() >= input.data() &&
               record.data() + record.size() <= input.data() + input.size());
    }
  }
  return 0;
}
