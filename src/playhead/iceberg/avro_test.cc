#include "playhead/iceberg/avro.h"

#include "playhead/iceberg/deflate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace playhead::iceberg {
namespace {

using std::string_literals::operator""s;

std::string Encoded(int64_t value) {
  AvroEncoder avro;
  avro.Long(value);
  return avro.bytes();
}

TEST(AvroEncoder, WritesZigzagNumbers) {
  // The table of the Avro specification, "Primitive Types".
  EXPECT_EQ(Encoded(0), "\x00"s);
  EXPECT_EQ(Encoded(-1), "\x01"s);
  EXPECT_EQ(Encoded(1), "\x02"s);
  EXPECT_EQ(Encoded(-2), "\x03"s);
  EXPECT_EQ(Encoded(-64), "\x7F"s);
  EXPECT_EQ(Encoded(64), "\x80\x01"s);
  EXPECT_EQ(Encoded(std::numeric_limits<int64_t>::min()),
            "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s);
}

TEST(AvroEncoder, WritesTheSpecificationsString) {
  AvroEncoder avro;
  avro.Bytes("foo");
  EXPECT_EQ(avro.bytes(), "\x06\x66\x6F\x6F"s);
}

TEST(AvroDecoder, ReadsWhatTheEncoderWrites) {
  const int64_t values[] = {0,
                            1,
                            -1,
                            63,
                            -64,
                            8191,
                            -8192,
                            std::numeric_limits<int64_t>::max(),
                            std::numeric_limits<int64_t>::min()};
  AvroEncoder encoder;
  for (const int64_t value : values) encoder.Long(value);
  encoder.Float(1.5F);
  encoder.Double(-2.25);
  encoder.Bool(true);
  AvroDecoder decoder(encoder.bytes());
  for (const int64_t value : values) EXPECT_EQ(decoder.Long(), value);
  EXPECT_EQ(decoder.Float(), 1.5F);
  EXPECT_EQ(decoder.Double(), -2.25);
  EXPECT_TRUE(decoder.Bool());
  EXPECT_TRUE(decoder.ok());
  EXPECT_TRUE(decoder.at_end());
}

TEST(AvroDecoder, FirstErrorSticks) {
  AvroDecoder decoder("\x06\x66");  // a string of three bytes, of which one is there
  EXPECT_EQ(decoder.Bytes(), "");
  EXPECT_EQ(decoder.Long(), 0);
  EXPECT_EQ(decoder.status().code(), StatusCode::kDataCorrupt);
}

TEST(AvroDecoder, RefusesNumbersThatAreTooLong) {
  const std::string eleven = std::string(10, '\xFF') + "\x01";
  AvroDecoder eleven_bytes(eleven);
  eleven_bytes.Long();
  EXPECT_FALSE(eleven_bytes.ok());
  const std::string two_to_31 = Encoded(int64_t{1} << 31);
  AvroDecoder beyond_int(two_to_31);
  beyond_int.Int();
  EXPECT_FALSE(beyond_int.ok());
}

TEST(AvroDecoder, ReadsArraysInBlocksOfBothKinds) {
  // Two items; then a block of minus one item, which states its two bytes; then the end.
  const std::string blocks = "\x04\x02\x04\x01\x04\x80\x01\x00"s;
  AvroDecoder decoder(blocks);
  std::vector<int64_t> items;
  decoder.Array([&] { items.push_back(decoder.Long()); });
  EXPECT_THAT(items, testing::ElementsAre(1, 2, 64));
  EXPECT_TRUE(decoder.at_end());
}

TEST(AvroDecoder, RefusesArraysLongerThanTheirBytes) {
  for (const std::string& count : {Encoded(1'000'000), Encoded(std::numeric_limits<int64_t>::max()),
                                   Encoded(std::numeric_limits<int64_t>::min()) + Encoded(0)}) {
    AvroDecoder decoder(count);
    decoder.Array([&] { decoder.Long(); });
    EXPECT_FALSE(decoder.ok());
  }
}

AvroSchema Parsed(std::string_view json) {
  auto schema = AvroSchema::Parse(json);
  EXPECT_TRUE(schema.ok()) << schema.status().ToString();
  return *std::move(schema);
}

TEST(AvroDecoder, SkipsEveryKind) {
  const AvroSchema schema = Parsed(R"({"type":"record","name":"r","fields":[
      {"name":"a","type":"null"},{"name":"b","type":"boolean"},{"name":"c","type":"int"},
      {"name":"d","type":"float"},{"name":"e","type":"double"},{"name":"f","type":"bytes"},
      {"name":"g","type":{"type":"fixed","name":"three","size":3}},
      {"name":"h","type":{"type":"enum","name":"e","symbols":["x"]}},
      {"name":"i","type":{"type":"array","items":["null","long"]}},
      {"name":"j","type":{"type":"map","values":"three"}}]})");
  AvroEncoder avro;
  avro.Bool(true);
  avro.Long(7);
  avro.Float(1);
  avro.Double(1);
  avro.Bytes("abc");
  avro.Fixed("xyz");
  avro.Long(0);
  avro.BeginArray(2);
  avro.Branch(0);
  avro.Branch(1);
  avro.Long(5);
  avro.EndArray();
  avro.BeginArray(1);
  avro.Bytes("key");
  avro.Fixed("xyz");
  avro.EndArray();
  AvroDecoder decoder(avro.bytes());
  decoder.Skip(schema.root());
  EXPECT_TRUE(decoder.ok()) << decoder.status().ToString();
  EXPECT_TRUE(decoder.at_end());
}

TEST(AvroDecoder, RefusesEndlessValues) {
  const AvroSchema list =
      Parsed(R"({"type":"record","name":"r","fields":[{"name":"next","type":"r"}]})");
  AvroDecoder recursive("abc");
  recursive.Skip(list.root());
  EXPECT_FALSE(recursive.ok());

  const AvroSchema nulls = Parsed(R"({"type":"array","items":"null"})");
  const std::string four_items = Encoded(4) + std::string(8, '\0');
  AvroDecoder empty_items(four_items);
  empty_items.Skip(nulls.root());
  EXPECT_FALSE(empty_items.ok());

  // Forty records, each with twice the one before: 2^40 steps without a byte.
  std::string doubling = R"({"type":"record","name":"r0","fields":[]})";
  for (int i = 1; i <= 40; ++i) {
    doubling = fmt::format(
        R"({{"type":"record","name":"r{}","fields":[{{"name":"a","type":{}}},{{"name":"b","type":"r{}"}}]}})",
        i, doubling, i - 1);
  }
  const AvroSchema bomb = Parsed(doubling);
  AvroDecoder decoder("");
  decoder.Skip(bomb.root());
  EXPECT_FALSE(decoder.ok());
}

TEST(AvroSchema, RefusesWhatItCannotResolve) {
  for (const char* json :
       {"", "7", R"("nonsense")", R"({"type":"record","name":"r"})", R"({"type":"array"})",
        R"({"type":"fixed","name":"f","size":-1})", R"({"type":"record","name":"r","fields":[
            {"name":"a","type":"int","field-id":1},{"name":"b","type":"int","field-id":1}]})"}) {
    EXPECT_EQ(AvroSchema::Parse(json).status().code(), StatusCode::kDataCorrupt) << json;
  }
  EXPECT_FALSE(AvroSchema::Parse(std::string(100'000, '[')).ok());
}

TEST(Deflate, InflatesUpToItsLimit) {
  const std::string bytes(100'000, 'x');
  const auto deflated = Deflate(bytes);
  ASSERT_TRUE(deflated.ok());
  EXPECT_LT(deflated->size(), 1'000U);
  EXPECT_EQ(*Inflate(*deflated, bytes.size()), bytes);
  EXPECT_EQ(Inflate(*deflated, bytes.size() - 1).status().code(), StatusCode::kDataCorrupt);
}

TEST(Deflate, RefusesDamage) {
  const std::string deflated = *Deflate("some text, some text");
  EXPECT_FALSE(Inflate(deflated.substr(0, deflated.size() - 1), 1000).ok());
  EXPECT_FALSE(Inflate("", 1000).ok());
  EXPECT_FALSE(Inflate("\xFF\xFF\xFF", 1000).ok());
}

constexpr std::string_view kPairSchema =
    R"({"type":"record","name":"pair","fields":[{"name":"a","type":"long"},{"name":"b","type":"string"}]})";

std::string PairFile(int count) {
  AvroFileWriter writer(kPairSchema, {{"who", "test"}});
  for (int i = 0; i < count; ++i) {
    writer.encoder().Long(i);
    writer.encoder().Bytes(std::string(100, 'p'));
    EXPECT_TRUE(writer.EndObject().ok());
  }
  return *std::move(writer).Finish();
}

TEST(AvroFile, ReadsWhatItWritesInSeveralBlocks) {
  const std::string file = PairFile(3000);  // 300 kB, so more than one block of 64 KiB
  auto reader = AvroFileReader::Open(file);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  EXPECT_EQ(reader->Metadata("who"), "test");
  EXPECT_EQ(reader->Metadata("avro.codec"), "deflate");
  EXPECT_EQ(reader->Metadata("nothing"), "");
  int64_t next = 0;
  int blocks = 0;
  while (*reader->NextBlock()) {
    ++blocks;
    AvroDecoder avro(reader->block());
    for (int64_t i = 0; i < reader->block_objects(); ++i) {
      EXPECT_EQ(avro.Long(), next++);
      EXPECT_EQ(avro.Bytes().size(), 100U);
    }
    EXPECT_TRUE(avro.at_end());
  }
  EXPECT_EQ(next, 3000);
  EXPECT_GT(blocks, 1);
}

TEST(AvroFile, EqualInputIsEqualBytes) { EXPECT_EQ(PairFile(3), PairFile(3)); }

TEST(AvroFile, NoObjectsIsNoBlock) {
  const std::string file = PairFile(0);
  auto reader = AvroFileReader::Open(file);
  ASSERT_TRUE(reader.ok());
  EXPECT_FALSE(*reader->NextBlock());
}

TEST(AvroFile, RefusesDamageAnywhere) {
  const std::string file = PairFile(3);
  EXPECT_EQ(AvroFileReader::Open("").status().code(), StatusCode::kDataCorrupt);
  EXPECT_EQ(AvroFileReader::Open("PAR1").status().code(), StatusCode::kDataCorrupt);
  for (size_t length = 4; length < file.size(); ++length) {
    const std::string cut = file.substr(0, length);
    auto reader = AvroFileReader::Open(cut);
    if (!reader.ok()) continue;
    const auto block = reader->NextBlock();
    // Cut just after the header it is a file without objects.
    EXPECT_TRUE(!block.ok() || !*block) << length;
  }
  std::string bad_marker = file;
  bad_marker.back() = static_cast<char>(bad_marker.back() ^ 1);
  EXPECT_FALSE(AvroFileReader::Open(bad_marker)->NextBlock().ok());
}

TEST(AvroFile, NamesTheCodecItDoesNotRead) {
  AvroEncoder header;
  header.Fixed("Obj\1");
  header.BeginArray(2);
  header.Bytes("avro.schema");
  header.Bytes(kPairSchema);
  header.Bytes("avro.codec");
  header.Bytes("snappy");
  header.EndArray();
  header.Fixed(std::string(16, 'm'));
  const auto reader = AvroFileReader::Open(header.bytes());
  EXPECT_EQ(reader.status().code(), StatusCode::kNotSupported);
  EXPECT_THAT(reader.status().message(), testing::HasSubstr("snappy"));
}

TEST(AvroFile, RefusesABlockThatInflatesBeyondReason) {
  // A megabyte is always allowed, beyond it 256 times the file: 64 MB of zeros deflate to 64 kB.
  AvroEncoder file;
  file.Fixed("Obj\1");
  file.BeginArray(2);
  file.Bytes("avro.schema");
  file.Bytes(kPairSchema);
  file.Bytes("avro.codec");
  file.Bytes("deflate");
  file.EndArray();
  file.Fixed(std::string(16, 'm'));
  file.Long(1);
  file.Bytes(*Deflate(std::string(64 << 20, '\0')));
  file.Fixed(std::string(16, 'm'));
  auto reader = AvroFileReader::Open(file.bytes());
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ(reader->NextBlock().status().code(), StatusCode::kDataCorrupt);
}

}  // namespace
}  // namespace playhead::iceberg
