// Avro object container files.

#include "playhead/base/hash.h"
#include "playhead/iceberg/avro.h"
#include "playhead/iceberg/deflate.h"

#include <algorithm>

namespace playhead::iceberg {
namespace {

constexpr std::string_view kMagic("Obj\1", 4);
constexpr std::string_view kSchemaKey = "avro.schema";
constexpr std::string_view kCodecKey = "avro.codec";
constexpr int64_t kSyncMarkerBytes = 16;
/// A block is closed beyond this size, as other writers do; readers inflate one block at a time.
constexpr size_t kBlockBytes = 64 << 10;
/// A file of one block below this size is not compressed: its schema is longer than what it would
/// save, and most commits write files that small.
constexpr size_t kPlainBytesMax = 16 << 10;
constexpr size_t kInflatedBlockBytesMax = 64 << 20;
constexpr size_t kInflateRatioMax = 256;
constexpr size_t kInflatedBytesMin = 1 << 20;

/// 16 bytes that depend on the header, so that equal files are equal bytes.
std::string MakeSyncMarker(std::string_view header) {
  const Hash128 digest = ContentDigest(header);
  std::string marker;
  for (const uint64_t half : {digest.high, digest.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) marker += static_cast<char>(half >> shift);
  }
  return marker;
}

Status NotAvro(std::string_view reason) {
  return Error(StatusCode::kDataCorrupt, "not an Avro file: {}", reason);
}

// One writer's files have the same text of a schema over and over, and parsing it takes longer than
// reading a small file.
constexpr size_t kKnownSchemasMax = 16;

Result<std::shared_ptr<const AvroSchema>> SchemaOf(std::string_view json) {
  thread_local std::map<std::string, std::shared_ptr<const AvroSchema>, std::less<>> known;
  if (const auto found = known.find(json); found != known.end()) return found->second;
  PH_ASSIGN_OR_RETURN(AvroSchema schema, AvroSchema::Parse(json));
  auto shared = std::make_shared<const AvroSchema>(std::move(schema));
  if (known.size() >= kKnownSchemasMax) known.clear();
  known.emplace(json, shared);
  return shared;
}

}  // namespace

AvroFileWriter::AvroFileWriter(std::string_view schema_json,
                               std::map<std::string, std::string> metadata)
    : metadata_(std::move(metadata)) {
  metadata_[std::string(kSchemaKey)] = schema_json;
}

Status AvroFileWriter::EndObject() {
  ++block_objects_;
  if (block_.bytes().size() < kBlockBytes) return {};
  return FlushBlock(/*is_last=*/false);
}

void AvroFileWriter::WriteHeader() {
  metadata_[std::string(kCodecKey)] = is_deflated_ ? "deflate" : "null";
  AvroEncoder header;
  header.Fixed(kMagic);
  header.BeginArray(metadata_.size());
  for (const auto& [key, value] : metadata_) {
    header.Bytes(key);
    header.Bytes(value);
  }
  header.EndArray();
  file_ = header.bytes();
  sync_marker_ = MakeSyncMarker(file_);
  file_ += sync_marker_;
}

Status AvroFileWriter::FlushBlock(bool is_last) {
  if (file_.empty()) {
    is_deflated_ = !is_last || block_.bytes().size() >= kPlainBytesMax;
    WriteHeader();
  }
  if (block_objects_ == 0) return {};
  AvroEncoder framed;
  framed.Long(block_objects_);
  if (is_deflated_) {
    PH_ASSIGN_OR_RETURN(const std::string deflated, Deflate(block_.bytes()));
    framed.Bytes(deflated);
  } else {
    framed.Bytes(block_.bytes());
  }
  file_ += framed.bytes();
  file_ += sync_marker_;
  block_objects_ = 0;
  block_.Clear();
  return {};
}

Result<std::string> AvroFileWriter::Finish() && {
  PH_RETURN_IF_ERROR(FlushBlock(/*is_last=*/true));
  return std::move(file_);
}

AvroFileReader::AvroFileReader(std::shared_ptr<const AvroSchema> schema,
                               std::map<std::string, std::string_view, std::less<>> metadata,
                               std::string_view rest, std::string_view sync_marker)
    : schema_(std::move(schema)),
      metadata_(std::move(metadata)),
      rest_(rest),
      sync_marker_(sync_marker),
      is_deflated_(Metadata(kCodecKey) == "deflate"),
      inflated_left_(rest.size() * kInflateRatioMax + kInflatedBytesMin) {}

Result<AvroFileReader> AvroFileReader::Open(std::string_view file) {
  if (!file.starts_with(kMagic)) return NotAvro("it has another magic number");
  std::string_view rest = file.substr(kMagic.size());
  AvroDecoder header(rest);
  std::map<std::string, std::string_view, std::less<>> metadata;
  header.Array([&] {
    const std::string_view key = header.Bytes();
    metadata[std::string(key)] = header.Bytes();
  });
  const std::string_view sync_marker = header.Fixed(kSyncMarkerBytes);
  PH_RETURN_IF_ERROR(header.status());
  rest.remove_prefix(static_cast<size_t>(sync_marker.data() - rest.data()) + kSyncMarkerBytes);

  const auto codec = metadata.find(kCodecKey);
  if (codec != metadata.end() && codec->second != "null" && codec->second != "deflate") {
    return Error(StatusCode::kNotSupported, "Avro file has a codec we do not read: codec={}",
                 codec->second);
  }
  const auto schema_json = metadata.find(kSchemaKey);
  if (schema_json == metadata.end()) return NotAvro("it has no schema");
  PH_ASSIGN_OR_RETURN(auto schema, SchemaOf(schema_json->second));
  return AvroFileReader(std::move(schema), std::move(metadata), rest, sync_marker);
}

std::string_view AvroFileReader::Metadata(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? std::string_view() : found->second;
}

Result<bool> AvroFileReader::NextBlock() {
  if (rest_.empty()) return false;
  AvroDecoder frame(rest_);
  block_objects_ = frame.Long();
  const std::string_view bytes = frame.Bytes();
  const std::string_view sync_marker = frame.Fixed(kSyncMarkerBytes);
  PH_RETURN_IF_ERROR(frame.status());
  if (sync_marker != sync_marker_) return NotAvro("a sync marker is damaged");
  rest_.remove_prefix(static_cast<size_t>(sync_marker.data() - rest_.data()) + kSyncMarkerBytes);
  block_ = bytes;
  if (is_deflated_) {
    PH_ASSIGN_OR_RETURN(inflated_,
                        Inflate(bytes, std::min(kInflatedBlockBytesMax, inflated_left_)));
    inflated_left_ -= inflated_.size();
    block_ = inflated_;
  }
  if (block_objects_ < 0 || static_cast<uint64_t>(block_objects_) > block_.size()) {
    return NotAvro("a block has more objects than bytes");
  }
  return true;
}

}  // namespace playhead::iceberg
