#include "playhead/ingest/file_load.h"

#include "playhead/base/arrow_status.h"
#include "playhead/base/logging.h"
#include "playhead/base/text_case.h"
#include "playhead/decode/csv_splitter.h"
#include "playhead/decode/record_splitter.h"
#include "playhead/ingest/file_input.h"
#include "playhead/ingest/parquet_load.h"

#include <arrow/io/interfaces.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace playhead::ingest {
namespace {

constexpr std::string_view kReadStage = "read";
constexpr std::string_view kCutStage = "cut";

bool IsUtf16(std::string_view text) {
  return text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
}

/// A raw record that cannot be decoded, as a dead letter.
void AddUndecodable(const decode::RawRecord& raw, decode::RecordDecoder& decoder) {
  decode::Verdict verdict{
      .is_good = false, .reason = decode::Reason::kUnreadable, .detail = std::string(raw.problem)};
  if (raw.kind == decode::RawRecord::Kind::kTooLarge) {
    verdict.reason = decode::Reason::kTooLarge;
    verdict.detail = fmt::format("record has {} bytes, the first {} are kept", raw.total_bytes,
                                 raw.bytes.size());
  }
  decoder.AddDeadLetter({.bytes = raw.bytes, .offset = raw.number}, kCutStage, verdict);
}

/// What a damaged packed file leaves behind: the beginning of the record it broke off in, if any,
/// as one dead letter that also stands for the rest, whose bytes cannot be had. A record that lacks
/// its end is not decoded, although it may look whole (`1,Hea` of `1,Heat`). Returns their number.
template <typename Splitter>
int64_t AddDamagedEnd(const FileInput& input, Splitter& splitter, int64_t number,
                      decode::RecordDecoder& decoder) {
  logging::Warn("ingest", "file ends before its end",
                {{"name", input.name()}, {"why", input.problem()}});
  const decode::Verdict verdict{
      .is_good = false, .reason = decode::Reason::kUnreadable, .detail = input.problem()};
  splitter.Push({}, /*is_last=*/true);
  int64_t count = 0;
  decode::RawRecord raw;
  while (splitter.Next(&raw)) {
    decoder.AddDeadLetter({.bytes = raw.bytes, .offset = number + count++}, kReadStage, verdict);
  }
  if (count == 0)
    decoder.AddDeadLetter({.bytes = {}, .offset = number + count++}, kReadStage, verdict);
  return count;
}

/// Feeds the whole input to a splitter; `take` decodes one record, given the present time. Returns
/// the number of raw records.
template <typename Splitter, typename Take>
Result<int64_t> CutAll(FileInput& input, Splitter& splitter, EpochBuilder& epoch,
                       const Clock& clock, const LoadProgress& progress, const Take& take) {
  int64_t records = 0;
  bool is_first = true;
  for (bool is_last = false; !is_last;) {
    PH_ASSIGN_OR_RETURN(const std::string_view chunk, input.Read());
    is_last = chunk.empty();
    if (is_last && !input.problem().empty()) break;
    if (std::exchange(is_first, false) && IsUtf16(chunk)) {
      return Error(StatusCode::kInvalidArgument,
                   "text is UTF-16, by its byte order mark; only UTF-8 is read: name={}",
                   input.name());
    }
    splitter.Push(chunk, is_last);
    const int64_t now_us = clock.NowMicros();  // a pipe may bring records for hours
    const decode::ReleaseInputAtEnd settle(epoch.decoder());
    decode::RawRecord raw;
    while (splitter.Next(&raw)) {
      ++records;
      if (raw.kind == decode::RawRecord::Kind::kRecord) {
        PH_RETURN_IF_ERROR(take(raw, now_us));
      } else {
        AddUndecodable(raw, epoch.decoder());
      }
      PH_RETURN_IF_ERROR(epoch.FlushIfFull());
    }
    if (progress) progress(input.position());
  }
  if (!input.problem().empty()) records += AddDamagedEnd(input, splitter, records, epoch.decoder());
  return records;
}

Result<int64_t> LoadJson(FileInput& input, decode::Framing mode, EpochBuilder& epoch,
                         const Clock& clock, const LoadProgress& progress) {
  decode::RecordSplitter splitter(mode, epoch.record_bytes_max());
  const auto take = [&](const decode::RawRecord& raw, int64_t now_us) {
    (void)epoch.decoder().Decode(
        {.bytes = raw.bytes, .is_stable = raw.is_of_chunk, .offset = raw.number}, now_us);
    return Status();
  };
  return CutAll(input, splitter, epoch, clock, progress, take);
}

std::string_view WithoutBlanks(std::string_view name) {
  const size_t first = name.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return name.substr(first, name.find_last_not_of(" \t") - first + 1);
}

/// A header that knows few of the declared columns is likely a mistake: the values of the others
/// all go to `_extra`. Errors: kInvalidArgument (it knows none).
Status CheckHeader(const std::vector<std::string>& header,
                   const std::vector<decode::Column>& columns, const std::string& file) {
  const auto is_declared = [&](std::string_view name) {
    return std::ranges::find(columns, name, &decode::Column::name) != columns.end();
  };
  std::vector<std::string> others;
  std::vector<std::string> blanks;
  for (const std::string& name : header) {
    if (is_declared(name)) continue;
    others.push_back(name);
    if (is_declared(WithoutBlanks(name))) blanks.push_back(fmt::format("'{}'", name));
  }
  const std::string hint =
      blanks.empty() ? ""
                     : fmt::format("names with blanks around them: {}", fmt::join(blanks, ","));
  if (others.size() == header.size()) {
    return Error(StatusCode::kInvalidArgument,
                 "CSV header names no declared column: the first line must be a header{}{}",
                 hint.empty() ? "" : "; ", hint);
  }
  if (!blanks.empty() || others.size() * 2 > header.size()) {
    logging::Warn(
        "ingest", "columns of a CSV header are not declared and go to _extra",
        {{"name", file}, {"columns", fmt::format("{}", fmt::join(others, ","))}, {"hint", hint}});
  }
  return {};
}

Result<int64_t> LoadCsv(FileInput& input, EpochBuilder& epoch, const Clock& clock,
                        const LoadProgress& progress) {
  decode::CsvSplitter splitter(epoch.record_bytes_max());
  bool has_header = false;
  const auto take = [&](const decode::RawRecord& raw, int64_t now_us) -> Status {
    if (!has_header) {
      PH_RETURN_IF_ERROR(CheckHeader(splitter.header(), epoch.columns(), input.name()));
      PH_RETURN_IF_ERROR(epoch.decoder().PrepareCsvHeader(splitter.header()));
      has_header = true;
    }
    (void)epoch.decoder().DecodeFields(
        splitter.fields(), {.bytes = raw.bytes, .is_stable = raw.is_of_chunk, .offset = raw.number},
        now_us);
    return {};
  };
  PH_ASSIGN_OR_RETURN(const int64_t records, CutAll(input, splitter, epoch, clock, progress, take));
  if (!has_header && !splitter.header().empty()) {
    PH_RETURN_IF_ERROR(CheckHeader(splitter.header(), epoch.columns(), input.name()));
  }
  return records;
}

/// Lays the unpacked input into the epoch's staging folder, which goes with the epoch.
Result<std::string> StageInput(FileInput& input, const EpochBuilder& epoch) {
  const std::string uri = epoch.staging_uri() + "/input";
  PH_ASSIGN_OR_RETURN(const auto out, epoch.store().OpenForWrite(uri));
  PH_RETURN_IF_ERROR(input.CopyTo(*out));
  if (!input.problem().empty()) {
    return Error(StatusCode::kInvalidArgument, "{}: name={}", input.problem(), input.name());
  }
  PH_RETURN_IF_ERROR(out->Seal());
  return uri;
}

Result<int64_t> LoadParquetObject(storage::ObjectStore& store, const std::string& uri,
                                  EpochBuilder& epoch, const Clock& clock,
                                  const LoadProgress& progress, const std::stop_token& stop) {
  PH_ASSIGN_OR_RETURN(const storage::ObjectInfo info, store.Stat(uri));
  PH_ASSIGN_OR_RETURN(auto object, store.OpenForRead(uri));
  PH_ASSIGN_OR_RETURN(const auto rows, columnar::ParquetReader::Open(std::move(object), uri));
  return LoadParquet(*rows, info.bytes, epoch, clock, progress, stop);
}

/// Parquet is read from its end, so what is packed or comes through a pipe is staged first.
Result<int64_t> LoadAnyParquet(const InputFile& file, FileInput& input, EpochBuilder& epoch,
                               const Clock& clock, const LoadProgress& progress) {
  if (!input.is_packed() && file.store != nullptr) {
    return LoadParquetObject(*file.store, file.path, epoch, clock, progress, file.stop);
  }
  if (const auto bytes = RegularFileBytes(file.path); !input.is_packed() && bytes) {
    PH_ASSIGN_OR_RETURN(const auto rows, columnar::ParquetReader::Open(file.path));
    return LoadParquet(*rows, *bytes, epoch, clock, progress, file.stop);
  }
  PH_ASSIGN_OR_RETURN(const std::string staged, StageInput(input, epoch));
  PH_ASSIGN_OR_RETURN(const int64_t records,
                      LoadParquetObject(epoch.store(), staged, epoch, clock, progress, file.stop));
  PH_RETURN_IF_ERROR(epoch.store().Delete(staged));
  return records;
}

}  // namespace

InputFile DescribeFile(const std::string& path, project::Format declared) {
  InputFile file{.path = path, .format = declared, .name = path};
  const std::string lower = LowerCase(path);
  std::string_view name = lower;
  for (const std::string_view packed : {".gz", ".zst"}) {
    if (name.ends_with(packed)) name.remove_suffix(packed.size());
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
                         const LoadProgress& progress, ContentHasher* hasher) {
  PH_ASSIGN_OR_RETURN(FileInput input, FileInput::Open(file, hasher));
  PH_RETURN_IF_ERROR(input.DetectPacking());
  const auto load = [&]() -> Result<int64_t> {
    switch (file.format) {
      case project::Format::kParquet:
        return LoadAnyParquet(file, input, epoch, clock, progress);
      case project::Format::kCsv:
        return LoadCsv(input, epoch, clock, progress);
      case project::Format::kJsonl:
        return LoadJson(input, decode::Framing::kLines, epoch, clock, progress);
      default:
        return LoadJson(input, decode::Framing::kAuto, epoch, clock, progress);
    }
  };
  PH_ASSIGN_OR_RETURN(const int64_t records, load());
  if (records == 0) {
    logging::Warn("ingest", "file holds no record", {{"name", input.name()}});
  }
  // A damaged file is not read to its end here, plain Parquet not at all.
  if (hasher != nullptr) PH_RETURN_IF_ERROR(input.Drain());
  return records;
}

}  // namespace playhead::ingest
