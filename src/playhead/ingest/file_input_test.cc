#include "playhead/ingest/file_input.h"

#include "playhead/storage/memory_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace playhead::ingest {
namespace {

std::string Pack(arrow::Compression::type type, std::string_view text) {
  const auto codec = arrow::util::Codec::Create(type).ValueOrDie();
  const auto size = static_cast<int64_t>(text.size());
  const auto* bytes = reinterpret_cast<const uint8_t*>(text.data());
  std::string packed(static_cast<size_t>(codec->MaxCompressedLen(size, bytes)), '\0');
  const int64_t written = codec
                              ->Compress(size, bytes, static_cast<int64_t>(packed.size()),
                                         reinterpret_cast<uint8_t*>(packed.data()))
                              .ValueOrDie();
  packed.resize(static_cast<size_t>(written));
  return packed;
}

/// Lines that pack to about a quarter.
std::string Lines(int count) {
  std::string text;
  uint32_t value = 1;
  for (int i = 0; i < count; ++i) {
    value = value * 1'664'525 + 1'013'904'223;
    text += "line " + std::to_string(value) + "\n";
  }
  return text;
}

class FileInputTest : public testing::TestWithParam<arrow::Compression::type> {
 protected:
  struct Outcome {
    std::string text;
    std::string problem;
  };

  static std::string Packed(std::string_view text) { return Pack(GetParam(), text); }

  static Outcome ReadAll(const std::string& content) {
    const std::string path = testing::TempDir() + "/file-input-" + std::to_string(getpid());
    std::ofstream(path, std::ios::binary) << content;
    ContentHasher hasher;
    auto input = FileInput::Open({.path = path}, &hasher);
    EXPECT_TRUE(input.ok()) << input.error().ToString();
    EXPECT_TRUE(input->DetectPacking().ok());
    Outcome outcome;
    while (true) {
      const auto chunk = input->Read();
      EXPECT_TRUE(chunk.ok()) << chunk.error().ToString();
      if (!chunk.ok() || chunk->empty()) break;
      outcome.text += *chunk;
    }
    outcome.problem = input->problem();
    EXPECT_TRUE(input->Drain().ok());
    // Of the file as it lies there, to its end, however much of it could be unpacked.
    EXPECT_EQ(hasher.Hex(), ContentHash(content));
    EXPECT_EQ(hasher.bytes(), static_cast<int64_t>(content.size()));
    std::filesystem::remove(path);
    return outcome;
  }
};

TEST_P(FileInputTest, ReadsObjectsOfAStoreAlike) {
  storage::MemoryStore store;
  const std::string text = Lines(100'000);
  const std::string packed = Packed(text);
  const std::string uri = "memory://lake/raw/x";
  ASSERT_TRUE(store.Put(uri, packed).ok());
  auto input = FileInput::Open({.path = uri, .store = &store});
  ASSERT_TRUE(input.ok());
  ASSERT_TRUE(input->DetectPacking().ok());
  std::string got;
  while (true) {
    const auto chunk = input->Read();
    ASSERT_TRUE(chunk.ok());
    if (chunk->empty()) break;
    got += *chunk;
  }
  EXPECT_EQ(got, text);
  EXPECT_EQ(*HashFile({.path = uri, .store = &store}), ContentHash(packed));
  EXPECT_EQ(HashFile({.path = uri + "-none", .store = &store}).status().code(),
            StatusCode::kNotFound);
}

TEST_P(FileInputTest, GivesWhatWasPacked) {
  const std::string text = Lines(200'000);  // some chunks long
  const Outcome outcome = ReadAll(Packed(text));
  EXPECT_EQ(outcome.text, text);
  EXPECT_EQ(outcome.problem, "");
}

TEST_P(FileInputTest, MembersOneAfterTheOtherAreOneStream) {
  const Outcome outcome = ReadAll(Packed("a\n") + Packed("") + Packed("b\n"));
  EXPECT_EQ(outcome.text, "a\nb\n");
  EXPECT_EQ(outcome.problem, "");
}

TEST_P(FileInputTest, ATruncatedFileGivesWhatItHolds) {
  const std::string text = Lines(100'000);
  const std::string packed = Packed(text);
  const Outcome outcome = ReadAll(packed.substr(0, packed.size() / 2));
  EXPECT_TRUE(text.starts_with(outcome.text));
  // zstd gives whole blocks of 128 KiB.
  EXPECT_GT(outcome.text.size(), text.size() / 2 - (256 << 10));
  EXPECT_NE(outcome.problem.find("it is truncated"), std::string::npos) << outcome.problem;

  const Outcome nearly = ReadAll(packed.substr(0, packed.size() - 1));
  EXPECT_NE(nearly.problem, "");
}

TEST_P(FileInputTest, ADamagedPlaceTakesLittleWithIt) {
  const std::string text = Lines(100'000);
  std::string packed = Packed(text);
  const std::string start = packed.substr(0, packed.size() / 2);
  const Outcome outcome = ReadAll(start + std::string(packed.size() - start.size(), '\xff'));
  EXPECT_NE(outcome.problem.find("packed file is damaged after"), std::string::npos)
      << outcome.problem;
  EXPECT_GT(outcome.text.size(), text.size() / 2 - (256 << 10));
}

TEST_P(FileInputTest, TextThatIsNotPackedIsGivenAsItIs) {
  for (const std::string& text : {std::string(), std::string("t"), std::string("title\nHeat\n")}) {
    const Outcome outcome = ReadAll(text);
    EXPECT_EQ(outcome.text, text);
    EXPECT_EQ(outcome.problem, "");
  }
}

TEST_P(FileInputTest, ABombIsStopped) {
  const Outcome outcome = ReadAll(Packed(std::string(200 << 20, 'x')));
  EXPECT_NE(outcome.problem.find("grows more than 250 times"), std::string::npos)
      << outcome.problem;
  EXPECT_GE(outcome.text.size(), static_cast<size_t>(kBombBytesMin));
  EXPECT_LT(outcome.text.size(), 200U << 20);
}

TEST(FileInput, OtherCompressionsAreNamed) {
  storage::MemoryStore store;
  for (const auto& [name, head] : {std::pair{"bzip2", std::string("BZh91AY&SY..")},
                                   {"xz", std::string("\xFD"
                                                      "7zXZ\0\0\4......",
                                                      14)},
                                   {"zip", std::string("PK\3\4\24\0......", 12)}}) {
    const std::string uri = std::string("memory://lake/") + name;
    ASSERT_TRUE(store.Put(uri, head).ok());
    auto input = FileInput::Open({.path = uri, .store = &store, .name = "a.jsonl"});
    ASSERT_TRUE(input.ok());
    const Status status = input->DetectPacking();
    EXPECT_EQ(status.code(), StatusCode::kNotSupported);
    EXPECT_NE(status.message().find(std::string("compression not supported: ") + name),
              std::string::npos)
        << status.message();
    EXPECT_NE(status.message().find("name=a.jsonl"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, FileInputTest,
                         testing::Values(arrow::Compression::GZIP, arrow::Compression::ZSTD),
                         [](const auto& info) {
                           return info.param == arrow::Compression::GZIP ? "Gzip" : "Zstd";
                         });

}  // namespace
}  // namespace playhead::ingest
