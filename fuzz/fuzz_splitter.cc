// Cutting a stream gives the same raw records however it is chunked, in every mode, and for CSV
// too; the raw records lie in the input one behind the other. The first byte of the input chooses
// the chunk size.

#include "playhead/base/status.h"
#include "playhead/decode/csv_splitter.h"
#include "playhead/decode/record_splitter.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using playhead::decode::CsvSplitter;
using playhead::decode::Framing;
using playhead::decode::RawRecord;
using playhead::decode::RecordSplitter;

constexpr int64_t kRecordBytesMax = 64;

struct KeptRecord {
  RawRecord::Kind kind;
  std::string bytes;
  int64_t total_bytes;
  bool operator==(const KeptRecord&) const = default;
};

template <typename Splitter>
std::vector<KeptRecord> Cut(Splitter splitter, std::string_view input, size_t chunk_bytes) {
  std::vector<KeptRecord> raws;
  size_t at = 0;
  do {
    std::string chunk(input.substr(at, chunk_bytes));
    at += chunk.size();
    splitter.Push(chunk, at == input.size());
    RawRecord raw;
    while (splitter.Next(&raw)) {
      PH_CHECK(raw.number == static_cast<int64_t>(raws.size()));
      PH_CHECK(static_cast<int64_t>(raw.bytes.size()) <= kRecordBytesMax);
      PH_CHECK(raw.total_bytes >= static_cast<int64_t>(raw.bytes.size()));
      raws.push_back({raw.kind, std::string(raw.bytes), raw.total_bytes});
    }
  } while (at < input.size());
  return raws;
}

void CheckOrder(const std::vector<KeptRecord>& raws, std::string_view input) {
  size_t at = 0;
  for (const KeptRecord& raw : raws) {
    at = input.find(raw.bytes, at);
    PH_CHECK(at != std::string_view::npos);
    at += raw.bytes.size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t chunk_bytes = 1 + data[0] % 16;
  std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  size_t whole_bytes = std::max<size_t>(input.size(), 1);
  for (Framing mode : {Framing::kLines, Framing::kArray, Framing::kValues}) {
    auto whole = Cut(RecordSplitter(mode, kRecordBytesMax), input, whole_bytes);
    PH_CHECK(Cut(RecordSplitter(mode, kRecordBytesMax), input, chunk_bytes) == whole);
    CheckOrder(whole, input);
  }
  // How much is looked at before the mode is chosen depends on the chunks, once that is more than a
  // record may have.
  if (static_cast<int64_t>(input.size()) <= kRecordBytesMax) {
    auto whole = Cut(RecordSplitter(Framing::kAuto, kRecordBytesMax), input, whole_bytes);
    PH_CHECK(Cut(RecordSplitter(Framing::kAuto, kRecordBytesMax), input, chunk_bytes) == whole);
  }
  auto csv = Cut(CsvSplitter(kRecordBytesMax), input, whole_bytes);
  PH_CHECK(Cut(CsvSplitter(kRecordBytesMax), input, chunk_bytes) == csv);
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
