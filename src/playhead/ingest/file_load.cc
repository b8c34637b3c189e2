#include "playhead/ingest/file_load.h"

#include "playhead/base/arrow_status.h"
#include "playhead/decode/csv_cutter.h"
#include "playhead/decode/record_cutter.h"
#include "playhead/ingest/parquet_load.h"

#include <arrow/buffer.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::ingest {
namespace {

constexpr int64_t kChunkBytes = 1 << 20;
constexpr std::string_view kReadStage = "read";
constexpr std::string_view kCutStage = "cut";

/// A packed file that grows more than this is taken for a bomb, once it has passed kBombBytesMin.
/// Event files shrink to a tenth, rarely to a fiftieth.
constexpr int64_t kUnpackRatioMax = 250;
constexpr int64_t kBombBytesMin = 64LL << 20;

/// One opened file, unpacked as its name says, read in chunks.
class Input {
 public:
  static Result<Input> Open(const InputFile& file) {
    Input input;
    PH_ASSIGN_OR_RETURN(input.file_, arrow::io::ReadableFile::Open(file.path));
    input.stream_ = input.file_;
    if (file.is_gzip || file.is_zstd) {
      PH_ASSIGN_OR_RETURN(input.codec_,
                          arrow::util::Codec::Create(file.is_gzip ? arrow::Compression::GZIP
                                                                  : arrow::Compression::ZSTD));
      PH_ASSIGN_OR_RETURN(input.stream_,
                          arrow::io::CompressedInputStream::Make(input.codec_.get(), input.file_));
    }
    input.buffer_.resize(kChunkBytes);
    return input;
  }

  /// The next bytes; empty at the end. A damaged or exploding stream ends early and problem() says
  /// why.
  Result<std::string_view> Read() {
    const arrow::Result<int64_t> size = stream_->Read(kChunkBytes, buffer_.data());
    if (!size.ok()) {
      if (codec_ == nullptr) return internal::ToStatus(size.status());
      problem_ = fmt::format("packed file is damaged after {} bytes: {}", unpacked_,
                             size.status().message());
      return std::string_view();
    }
    unpacked_ += *size;
    if (codec_ != nullptr && unpacked_ > kBombBytesMin &&
        unpacked_ > kUnpackRatioMax * std::max<int64_t>(position(), 1)) {
      problem_ = fmt::format("packed file grows more than {} times: stopped after {} bytes",
                             kUnpackRatioMax, unpacked_);
      return std::string_view();
    }
    return std::string_view(buffer_.data(), static_cast<size_t>(*size));
  }

  /// Bytes of the file as it lies on disk that have been read.
  int64_t position() const {
    const arrow::Result<int64_t> position = file_->Tell();
    return position.ok() ? *position : 0;
  }
  const std::string& problem() const { return problem_; }

 private:
  Input() = default;
  std::shared_ptr<arrow::io::ReadableFile> file_;
  std::shared_ptr<arrow::util::Codec> codec_;  // outlives the stream that borrows it
  std::shared_ptr<arrow::io::InputStream> stream_;
  std::vector<char> buffer_;
  int64_t unpacked_ = 0;
  std::string problem_;
};

/// A piece that cannot be decoded, as a dead letter.
void AddUndecodable(const decode::Piece& piece, decode::RecordDecoder& decoder) {
  decode::Verdict verdict{.is_good = false,
                          .reason = decode::Reason::kUnreadable,
                          .detail = std::string(piece.problem)};
  if (piece.kind == decode::Piece::Kind::kTooLarge) {
    verdict.reason = decode::Reason::kTooLarge;
    verdict.detail = fmt::format("record has {} bytes, the first {} are kept", piece.total_bytes,
                                 piece.bytes.size());
  }
  decoder.AddDeadLetter({.bytes = piece.bytes, .offset = piece.number}, kCutStage, verdict);
}

/// Feeds the whole input to a cutter; `take` decodes one record. Returns the number of pieces.
template <typename Cutter, typename Take>
Result<int64_t> CutAll(Input& input, Cutter& cutter, EpochBuilder& epoch,
                       const LoadProgress& progress, const Take& take) {
  int64_t records = 0;
  for (bool is_last = false; !is_last;) {
    PH_ASSIGN_OR_RETURN(const std::string_view chunk, input.Read());
    is_last = chunk.empty();
    cutter.Push(chunk, is_last);
    decode::Piece piece;
    while (cutter.Next(&piece)) {
      ++records;
      if (piece.kind == decode::Piece::Kind::kRecord) {
        PH_RETURN_IF_ERROR(take(piece));
      } else {
        AddUndecodable(piece, epoch.decoder());
      }
      PH_RETURN_IF_ERROR(epoch.FlushIfFull());
    }
    if (progress) progress(input.position());
  }
  if (!input.problem().empty()) {
    // What was unpacked is in; the rest is named here, for its bytes cannot be had.
    epoch.decoder().AddDeadLetter(
        {.bytes = {}, .offset = records++}, kReadStage,
        {.is_good = false, .reason = decode::Reason::kUnreadable, .detail = input.problem()});
  }
  return records;
}

Result<int64_t> LoadJson(Input& input, decode::CutMode mode, EpochBuilder& epoch,
                         const Clock& clock, const LoadProgress& progress) {
  decode::RecordCutter cutter(mode, epoch.record_bytes_max());
  const int64_t now_us = clock.NowMicros();
  return CutAll(input, cutter, epoch, progress, [&](const decode::Piece& piece) {
    (void)epoch.decoder().Decode({.bytes = piece.bytes, .offset = piece.number}, now_us);
    return Status();
  });
}

Result<int64_t> LoadCsv(Input& input, const std::vector<std::string>& columns, EpochBuilder& epoch,
                        const Clock& clock, const LoadProgress& progress) {
  decode::CsvCutter cutter(epoch.record_bytes_max());
  const int64_t now_us = clock.NowMicros();
  bool has_header = false;
  return CutAll(input, cutter, epoch, progress, [&](const decode::Piece& piece) -> Status {
    if (!has_header) {
      const bool knows_any = std::ranges::any_of(cutter.header(), [&](const std::string& name) {
        return std::ranges::find(columns, name) != columns.end();
      });
      if (!knows_any) {
        return Error(StatusCode::kInvalidArgument,
                     "CSV header names no declared column: the first line must be a header");
      }
      PH_RETURN_IF_ERROR(epoch.decoder().PrepareCsvHeader(cutter.header()));
      has_header = true;
    }
    (void)epoch.decoder().DecodeFields(cutter.fields(),
                                       {.bytes = piece.bytes, .offset = piece.number}, now_us);
    return {};
  });
}

/// A packed Parquet file, unpacked into the epoch's staging folder, since it is read from its end.
/// Gone with the object.
class UnpackedFile {
 public:
  static Result<UnpackedFile> Make(const InputFile& file, const EpochBuilder& epoch) {
    PH_ASSIGN_OR_RETURN(Input input, Input::Open(file));
    PH_ASSIGN_OR_RETURN(const std::string folder, storage::LocalPath(epoch.staging_uri()));
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    UnpackedFile unpacked;
    unpacked.path_ = folder + "/unpacked";
    PH_ASSIGN_OR_RETURN(const auto out, arrow::io::FileOutputStream::Open(unpacked.path_));
    while (true) {
      PH_ASSIGN_OR_RETURN(const std::string_view chunk, input.Read());
      if (chunk.empty()) break;
      PH_RETURN_IF_ERROR(
          internal::ToStatus(out->Write(chunk.data(), static_cast<int64_t>(chunk.size()))));
    }
    if (!input.problem().empty()) {
      return Error(StatusCode::kInvalidArgument, "{}: path={}", input.problem(), file.path);
    }
    PH_RETURN_IF_ERROR(internal::ToStatus(out->Close()));
    return unpacked;
  }
  ~UnpackedFile() {
    std::error_code error;
    if (!path_.empty()) std::filesystem::remove(path_, error);
  }
  UnpackedFile(UnpackedFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  UnpackedFile& operator=(UnpackedFile&&) = delete;
  const std::string& path() const { return path_; }

 private:
  UnpackedFile() = default;
  std::string path_;
};

}  // namespace

InputFile DescribeFile(const std::string& path, project::Format declared) {
  InputFile file{.path = path, .format = declared};
  std::string_view name = path;
  if (name.ends_with(".gz")) {
    file.is_gzip = true;
    name.remove_suffix(3);
  } else if (name.ends_with(".zst")) {
    file.is_zstd = true;
    name.remove_suffix(4);
  }
  if (name.ends_with(".csv")) {
    file.format = project::Format::kCsv;
  } else if (name.ends_with(".jsonl") || name.ends_with(".ndjson")) {
    file.format = project::Format::kJsonl;
  } else if (name.ends_with(".json")) {
    file.format = project::Format::kJson;
  } else if (name.ends_with(".parquet")) {
    file.format = project::Format::kParquet;
  }
  return file;
}

Result<int64_t> LoadFile(const InputFile& file, EpochBuilder& epoch, const Clock& clock,
                         const LoadProgress& progress) {
  if (file.format == project::Format::kParquet) {
    if (!file.is_gzip && !file.is_zstd) return LoadParquet(file.path, epoch, clock, progress);
    PH_ASSIGN_OR_RETURN(const UnpackedFile unpacked, UnpackedFile::Make(file, epoch));
    return LoadParquet(unpacked.path(), epoch, clock, progress);
  }
  PH_ASSIGN_OR_RETURN(Input input, Input::Open(file));
  switch (file.format) {
    case project::Format::kCsv:
      return LoadCsv(input, epoch.column_names(), epoch, clock, progress);
    case project::Format::kJsonl:
      return LoadJson(input, decode::CutMode::kLines, epoch, clock, progress);
    default:
      return LoadJson(input, decode::CutMode::kAuto, epoch, clock, progress);
  }
}

}  // namespace playhead::ingest
