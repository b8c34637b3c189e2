#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/avro_schema.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace playhead::iceberg {

/// Appends values in Avro's binary encoding.
/// Source: Avro specification 1.11, "Binary Encoding".
class AvroEncoder {
 public:
  void Bool(bool value) { bytes_ += value ? '\1' : '\0'; }
  void Long(int64_t value);  ///< also int
  void Float(float value);
  void Double(double value);
  void Bytes(std::string_view value);  ///< also string
  void Fixed(std::string_view value) { bytes_ += value; }
  void Branch(int index) { Long(index); }
  /// Before the `count` items of an array; EndArray() after them.
  void BeginArray(size_t count);
  void EndArray() { Long(0); }

  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// Reads values in Avro's binary encoding from outside bytes.
///
/// Errors   the first one sticks: all later values are 0 or empty and all later arrays end, so a
///          reader checks status() once, at the end of what it reads.
/// Limits   an array longer than its bytes can be, and schemas that make many steps without
///          consuming bytes, are errors. Nothing is allocated.
class AvroDecoder {
 public:
  explicit AvroDecoder(std::string_view bytes);

  /// A string or bytes view points into the input.
  bool Bool();
  int32_t Int();
  int64_t Long();
  float Float();
  double Double();
  std::string_view Bytes();
  std::string_view Fixed(int64_t size);

  /// Values of fields whose kind the file's own schema decides; nothing for null. Another kind than
  /// those named is an error.
  std::optional<int64_t> Integer(const AvroType& type);        ///< int, long
  std::optional<bool> Boolean(const AvroType& type);           ///< boolean
  std::optional<std::string_view> Text(const AvroType& type);  ///< string, bytes, fixed
  /// An integer that must be there and not be negative.
  int64_t Count(const AvroType& type);

  /// The branch that the input takes of a union; `type` itself if it is none. Null means the input
  /// has the value null, or an error.
  const AvroType* Resolve(const AvroType& type);
  /// Calls `read_item()` for every item of an array.
  template <typename ReadItem>
  void Array(ReadItem read_item) {
    while (int64_t count = BlockCount()) {
      for (; count > 0 && ok(); --count) {
        const size_t before = position_;
        read_item();
        // Items without bytes have nothing but a count, which can be anything.
        if (position_ == before) Fail("array items are empty");
      }
    }
  }
  void Skip(const AvroType& type);

  void Fail(std::string_view reason);
  bool ok() const { return failure_.empty(); }
  bool at_end() const { return position_ == bytes_.size(); }
  Status status() const;

 private:
  void SkipNested(const AvroType& type, int depth);
  /// Items in the next block of an array or map; 0 at its end.
  int64_t BlockCount();

  std::string_view bytes_;
  size_t position_ = 0;
  int64_t steps_left_;
  std::string failure_;
};

/// Writes an Avro object container: one plain block if that is short, else deflated blocks. Equal
/// input gives equal bytes.
/// Source: Avro specification 1.11, "Object Container Files".
class AvroFileWriter {
 public:
  AvroFileWriter(std::string_view schema_json, std::map<std::string, std::string> metadata);

  /// Where the next object is written, field by field; EndObject() after it.
  AvroEncoder& encoder() { return block_; }
  Status EndObject();
  Result<std::string> Finish() &&;

 private:
  Status FlushBlock(bool is_last);
  void WriteHeader();

  std::map<std::string, std::string> metadata_;
  bool is_deflated_ = false;
  std::string file_;
  std::string sync_marker_;
  AvroEncoder block_;
  int64_t block_objects_ = 0;
};

/// Reads an Avro object container (codecs null and deflate) from outside bytes.
///
/// Limits   a block inflates to at most 64 MiB, all blocks together to 256 times the file plus
///          1 MiB.
/// Errors   kDataCorrupt; kNotSupported for other codecs.
class AvroFileReader {
 public:
  /// `file` must outlive the reader.
  static Result<AvroFileReader> Open(std::string_view file);

  const AvroSchema& schema() const { return *schema_; }
  /// The value of a key of the file's metadata; empty if it has none.
  std::string_view Metadata(std::string_view key) const;

  /// Moves to the next block; false at the end.
  Result<bool> NextBlock();
  int64_t block_objects() const { return block_objects_; }
  std::string_view block() const { return block_; }

 private:
  AvroFileReader(std::shared_ptr<const AvroSchema> schema,
                 std::map<std::string, std::string_view, std::less<>> metadata,
                 std::string_view rest, std::string_view sync_marker);

  std::shared_ptr<const AvroSchema> schema_;
  std::map<std::string, std::string_view, std::less<>> metadata_;
  std::string_view rest_;
  std::string_view sync_marker_;
  bool is_deflated_ = false;
  size_t inflated_left_;
  int64_t block_objects_ = 0;
  std::string inflated_;
  std::string_view block_;
};

}  // namespace playhead::iceberg
