#include "playhead/decode/text_dictionary.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace playhead::decode {
namespace {

std::shared_ptr<arrow::StringArray> Texts(const std::vector<const char*>& texts) {
  arrow::StringBuilder builder;
  for (const char* text : texts) {
    EXPECT_TRUE((text == nullptr ? builder.AppendNull() : builder.Append(text)).ok());
  }
  return std::static_pointer_cast<arrow::StringArray>(*builder.Finish());
}

std::vector<int32_t> Encode(TextDictionary& dictionary, const arrow::BinaryArray& values) {
  std::vector<int32_t> codes(static_cast<size_t>(values.length()), -1);
  dictionary.Encode(values, codes.data());
  return codes;
}

TEST(TextDictionary, CodesFollowTheFirstAppearances) {
  TextDictionary dictionary(BlockPool::OfProcess().get());
  EXPECT_EQ(Encode(dictionary, *Texts({"b", "a", "b", "", "a", ""})),
            (std::vector<int32_t>{0, 1, 0, 2, 1, 2}));
  EXPECT_EQ(Encode(dictionary, *Texts({"", "c"})), (std::vector<int32_t>{2, 3}));
  EXPECT_EQ(dictionary.size(), 4);
  EXPECT_EQ(dictionary.text_bytes(), 3);
  EXPECT_TRUE(dictionary.texts(arrow::utf8())->Equals(Texts({"b", "a", "", "c"})));
  dictionary.Clear();
  EXPECT_EQ(dictionary.size(), 0);
  EXPECT_EQ(Encode(dictionary, *Texts({"c"})), (std::vector<int32_t>{0}));
}

TEST(TextDictionary, TextsHandedOutStayWhileMoreAreAdded) {
  TextDictionary dictionary(BlockPool::OfProcess().get());
  Encode(dictionary, *Texts({"b", "a"}));
  const auto before = dictionary.texts(arrow::binary());
  for (int i = 0; i < 10'000; ++i) {
    const std::string text = "text " + std::to_string(i);
    EXPECT_EQ(dictionary.Find(text), i + 2);
  }
  const auto after = dictionary.texts(arrow::utf8());
  EXPECT_TRUE(before->Equals(Texts({"b", "a"})->View(arrow::binary()).ValueOrDie()));
  dictionary.Clear();
  Encode(dictionary, *Texts({"c"}));
  EXPECT_EQ(after->length(), 10'002);
  EXPECT_TRUE(after->ValidateFull().ok());
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*after).GetView(10'001), "text 9999");
}

TEST(TextDictionary, NullsBringNothingIntoIt) {
  TextDictionary dictionary(BlockPool::OfProcess().get());
  EXPECT_EQ(Encode(dictionary, *Texts({nullptr, "a", nullptr, "b"})),
            (std::vector<int32_t>{0, 0, 0, 1}));
  EXPECT_EQ(dictionary.size(), 2);
  EXPECT_EQ(Encode(dictionary, *Texts({nullptr, nullptr})), (std::vector<int32_t>{0, 0}));
  EXPECT_EQ(dictionary.size(), 2);
}

// Lengths around every width that texts are compared in, and texts that differ in one byte only.
TEST(TextDictionary, AgreesWithAMap) {
  TextDictionary dictionary(BlockPool::OfProcess().get());
  std::map<std::string, int32_t> expected;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    arrow::StringBuilder builder;
    std::vector<int32_t> codes;
    for (int i = 0; i < 1'000; ++i) {
      std::string text(random() % 130, 'x');
      if (!text.empty()) text[random() % text.size()] = static_cast<char>('a' + random() % 20);
      ASSERT_TRUE(builder.Append(text).ok());
      codes.push_back(expected.emplace(text, static_cast<int32_t>(expected.size())).first->second);
    }
    const auto values = std::static_pointer_cast<arrow::StringArray>(*builder.Finish());
    ASSERT_EQ(Encode(dictionary, *values), codes);
    // A slice begins within the offsets.
    const auto slice = std::static_pointer_cast<arrow::StringArray>(values->Slice(500, 70));
    ASSERT_EQ(Encode(dictionary, *slice),
              std::vector<int32_t>(codes.begin() + 500, codes.begin() + 570));
  }
  EXPECT_EQ(dictionary.size(), static_cast<int64_t>(expected.size()));
  for (const auto& [text, code] : expected) EXPECT_EQ(dictionary.text(code), text);
}

}  // namespace
}  // namespace playhead::decode
