#include "playhead/decode/column_buffer.h"

#include "playhead/decode/decode_testing.h"
#include "playhead/decode/row_buffers.h"

#include <algorithm>
#include <optional>
#include <random>
#include <thread>
#include <vector>

namespace playhead::decode {
namespace {

using Text = std::optional<std::string>;
using Texts = std::vector<Text>;

std::shared_ptr<arrow::Array> ArrayOf(
    const Texts& texts, const std::shared_ptr<arrow::DataType>& type = arrow::utf8()) {
  arrow::BinaryBuilder builder;
  for (const Text& text : texts) {
    EXPECT_TRUE((text ? builder.Append(*text) : builder.AppendNull()).ok());
  }
  return *(*builder.Finish())->View(type);
}

Slot SlotOf(const Text& text) {
  if (text) return Slot::OfText(*text);
  Slot slot;
  slot.state = SlotState::kNull;
  return slot;
}

/// Appends the texts to column 0 as RowQueue does, `block` rows together.
void Append(RowBuffers& to, const Texts& texts, size_t block = 128) {
  std::vector<Slot> slots(texts.size());
  std::vector<const Slot*> rows;
  std::ranges::transform(texts, slots.begin(), SlotOf);
  for (const Slot& slot : slots) rows.push_back(&slot);
  for (size_t i = 0; i < rows.size(); i += block) {
    to.AppendRows(std::span(rows).subspan(i, std::min(block, rows.size() - i)), 1);
  }
}

RowBuffers CodedColumn(const std::shared_ptr<arrow::DataType>& type = arrow::utf8()) {
  return {arrow::schema({arrow::field("text", type)}), BlockPool::OfProcess().get(),
          ColumnBuffer::Text::kCoded};
}

const arrow::DictionaryArray& CodesOf(const RowBuffers::Batch& batch) {
  EXPECT_EQ(batch.rows->column(0)->type_id(), arrow::Type::DICTIONARY);
  return static_cast<const arrow::DictionaryArray&>(*batch.rows->column(0));
}

bool IsCoded(const RowBuffers::Batch& batch) {
  const arrow::DataType& type = *batch.rows->column(0)->type();
  return type.id() == arrow::Type::DICTIONARY ||
         (type.id() == arrow::Type::LIST && type.field(0)->type()->id() == arrow::Type::DICTIONARY);
}

void ExpectTexts(const RowBuffers::Batch& batch, const std::shared_ptr<arrow::Array>& expected) {
  const arrow::Status valid = batch.rows->ValidateFull();
  ASSERT_TRUE(valid.ok()) << valid.ToString();
  const auto plain = PlainText(batch.rows->column(0));
  EXPECT_TRUE(plain->Equals(expected)) << plain->ToString() << expected->ToString();
}

/// The codes of a generation, one batch after the other: each new one is the next.
void ExpectCodesInOrder(const RowBuffers::Batch& batch, int64_t& next) {
  const arrow::DictionaryArray& codes = CodesOf(batch);
  if (batch.generation.is_first_batch) next = 0;
  for (int64_t i = 0; i < codes.length(); ++i) {
    if (codes.IsNull(i)) continue;
    ASSERT_LE(codes.GetValueIndex(i), next) << "row " << i;
    next = std::max(next, codes.GetValueIndex(i) + 1);
  }
  ASSERT_EQ(codes.dictionary()->length(), next);
}

/// About `distinct` different texts in any order, an eighth of them null.
Texts RandomTexts(std::mt19937& random, size_t count, size_t distinct) {
  Texts texts;
  for (size_t i = 0; i < count; ++i) {
    if (random() % 8 == 0) {
      texts.emplace_back();
    } else {
      const size_t which = random() % distinct;
      // Of all lengths that are copied and compared in their own way; 0 is the empty text.
      texts.emplace_back(which == 0 ? "" : std::to_string(which) + std::string(which % 90, 'x'));
    }
    // Texts that stay for a while.
    if (random() % 5 == 0) texts.resize(texts.size() + random() % 40, Text(texts.back()));
  }
  return texts;
}

TEST(CodedColumn, KeepsNullsEmptyAndLongTexts) {
  const std::string longest(1'000, 'l');
  const Texts texts = {"",  std::nullopt,         "a", "a",          std::nullopt, "a",
                       "",  std::string(65, 'b'), "",  std::nullopt, longest,      longest,
                       "b", std::string(64, 'b'), "a"};
  RowBuffers buffers = CodedColumn();
  Append(buffers, texts);
  const RowBuffers::Batch batch = buffers.Finish();
  ExpectTexts(batch, ArrayOf(texts));
  EXPECT_TRUE(CodesOf(batch).dictionary()->Equals(
      ArrayOf({"", "a", std::string(65, 'b'), longest, "b", std::string(64, 'b')})));
}

TEST(CodedColumn, KeepsBinary) {
  const Texts texts = {std::string("\0\xff", 2), std::string("\0", 1), std::nullopt,
                       std::string("\0\xff", 2)};
  RowBuffers buffers = CodedColumn(arrow::binary());
  Append(buffers, texts);
  const RowBuffers::Batch batch = buffers.Finish();
  ExpectTexts(batch, ArrayOf(texts, arrow::binary()));
  EXPECT_EQ(CodesOf(batch).dictionary()->length(), 2);
}

TEST(CodedColumn, KeepsRowsThatComeInBlocksOfAnySize) {
  std::mt19937 random(1);
  for (const size_t block : {1, 2, 63, 64, 65, 127, 128, 500}) {
    RowBuffers buffers = CodedColumn();
    int64_t next = 0;
    for (int batch = 0; batch < 3; ++batch) {
      const Texts texts = RandomTexts(random, 300, 40);
      Append(buffers, texts, block);
      const RowBuffers::Batch rows = buffers.Finish();
      ExpectTexts(rows, ArrayOf(texts));
      ExpectCodesInOrder(rows, next);
    }
  }
}

TEST(CodedColumn, LargeDictionaryFindsItsTextsAgain) {
  std::mt19937 random(2);
  RowBuffers buffers = CodedColumn();
  int64_t next = 0;
  for (int batch = 0; batch < 4; ++batch) {
    const Texts texts = RandomTexts(random, 5'000, 9'000);
    Append(buffers, texts);
    const RowBuffers::Batch rows = buffers.Finish();
    ASSERT_TRUE(IsCoded(rows));
    ExpectTexts(rows, ArrayOf(texts));
    ExpectCodesInOrder(rows, next);
  }
  EXPECT_GT(next, 7'000);
}

// The same column gets texts one by one, in blocks, and many times.
TEST(CodedColumn, MixedWaysOfAppendingKeepTheOrder) {
  std::mt19937 random(3);
  RowBuffers buffers = CodedColumn();
  int64_t next = 0;
  for (int batch = 0; batch < 4; ++batch) {
    Texts expected;
    for (int part = 0; part < 60; ++part) {
      const Texts texts = RandomTexts(random, 1 + random() % 90, 9'000);
      if (random() % 3 == 0) {
        for (const Text& text : texts) {
          const Slot slot = SlotOf(text);
          buffers.AppendRow({.slots = &slot}, 1);
        }
      } else {
        Append(buffers, texts);
      }
      expected.insert(expected.end(), texts.begin(), texts.end());
      if (random() % 3 != 0) continue;
      const std::string text = std::to_string(random() % 20'000);
      const size_t count = random() % 70;
      buffers.column(0).AppendTexts(text, static_cast<int64_t>(count));
      expected.resize(expected.size() + count, Text(text));
    }
    const RowBuffers::Batch rows = buffers.Finish();
    ASSERT_TRUE(IsCoded(rows));
    ExpectTexts(rows, ArrayOf(expected));
    ExpectCodesInOrder(rows, next);
  }
  EXPECT_GT(next, 5'000);
}

TEST(CodedColumn, LongerDictionariesBeginWithTheShorter) {
  RowBuffers buffers = CodedColumn();
  std::vector<RowBuffers::Batch> batches;
  std::vector<Texts> given;
  for (int batch = 0; batch < 40; ++batch) {
    Texts texts;
    for (int i = 0; i < 900; ++i) texts.emplace_back(std::to_string((batch * 150 + i / 3) * 7'919));
    Append(buffers, texts);
    given.push_back(std::move(texts));
    batches.push_back(buffers.Finish());
    EXPECT_EQ(batches.back().generation.number, batches.front().generation.number);
    EXPECT_EQ(batches.back().generation.is_first_batch, batch == 0);
  }
  EXPECT_NE(batches.front().generation.number, 0u);
  const auto& longest = *CodesOf(batches.back()).dictionary();
  for (size_t i = 0; i < batches.size(); ++i) {
    ExpectTexts(batches[i], ArrayOf(given[i]));
    const auto& dictionary = *CodesOf(batches[i]).dictionary();
    EXPECT_TRUE(longest.Slice(0, dictionary.length())->Equals(dictionary));
  }
}

// The texts of a batch are read by another thread, as the writer's, while later batches are built.
TEST(CodedColumn, BatchesAreReadWhileMoreAreBuilt) {
  RowBuffers buffers = CodedColumn();
  std::vector<std::jthread> readers;
  for (int batch = 0; batch < 16; ++batch) {
    Texts texts;
    for (int i = 0; i < 3'000; ++i) texts.emplace_back(std::to_string(batch * 700 + i / 3));
    Append(buffers, texts);
    readers.emplace_back([rows = buffers.Finish(), texts = std::move(texts)] {
      const auto& codes = CodesOf(rows);
      const auto& dictionary = static_cast<const arrow::StringArray&>(*codes.dictionary());
      for (int64_t i = 0; i < codes.length(); ++i) {
        ASSERT_EQ(dictionary.GetView(codes.GetValueIndex(i)), *texts[static_cast<size_t>(i)]);
      }
      ASSERT_TRUE(rows.rows->ValidateFull().ok());
    });
  }
}

Texts DistinctTexts(int begin, int end) {
  Texts texts;
  for (int i = begin; i < end; ++i) texts.emplace_back("id " + std::to_string(i));
  return texts;
}

TEST(CodedColumn, DictionaryThatDoesNotPayIsGivenUpEarlyAndForGood) {
  RowBuffers buffers = CodedColumn();
  const Texts first = DistinctTexts(0, 4'000);
  Append(buffers, first);
  EXPECT_TRUE(buffers.column(0).is_coded());
  Texts second = DistinctTexts(4'000, 5'000);
  second[700].reset();
  Append(buffers, second);
  EXPECT_FALSE(buffers.column(0).is_coded());
  Texts all = first;
  all.insert(all.end(), second.begin(), second.end());
  RowBuffers::Batch batch = buffers.Finish();
  ExpectTexts(batch, ArrayOf(all));
  EXPECT_FALSE(IsCoded(batch));

  // Also where a dictionary would pay, and in the next generation.
  buffers.StartGeneration();
  const Texts same(100, Text("same"));
  Append(buffers, same);
  batch = buffers.Finish();
  EXPECT_FALSE(IsCoded(batch));
  ExpectTexts(batch, ArrayOf(same));
}

TEST(CodedColumn, DictionaryIsJudgedWhenABatchEndsToo) {
  RowBuffers buffers = CodedColumn();
  std::vector<RowBuffers::Batch> batches;
  // Neither the first 4,096 rows have enough values to be judged by, nor the first two batches.
  Append(buffers, Texts(5'000));
  batches.push_back(buffers.Finish());
  Append(buffers, DistinctTexts(0, 3'000));
  batches.push_back(buffers.Finish());
  Append(buffers, DistinctTexts(3'000, 6'000));
  batches.push_back(buffers.Finish());
  EXPECT_TRUE(IsCoded(batches[0]));
  EXPECT_TRUE(IsCoded(batches[1]));
  EXPECT_FALSE(IsCoded(batches[2]));
  ExpectTexts(batches[0], ArrayOf(Texts(5'000)));
  ExpectTexts(batches[1], ArrayOf(DistinctTexts(0, 3'000)));
  ExpectTexts(batches[2], ArrayOf(DistinctTexts(3'000, 6'000)));
}

// Half of the values come again: that pays for a whole generation, if not for these rows alone.
TEST(CodedColumn, DictionaryIsJudgedByARowGroup) {
  std::mt19937 random(4);
  RowBuffers buffers = CodedColumn();
  Texts texts;
  for (int i = 0; i < 6'000; ++i) texts.emplace_back(std::to_string(random() % 20'000));
  Append(buffers, texts);
  const RowBuffers::Batch batch = buffers.Finish();
  EXPECT_TRUE(IsCoded(batch));
  ExpectTexts(batch, ArrayOf(texts));
}

TEST(CodedColumn, GenerationsBeginAnew) {
  RowBuffers buffers = CodedColumn();
  Append(buffers, {"a", "b"});
  const RowBuffers::Batch first = buffers.Finish();
  buffers.StartGeneration();
  EXPECT_LT(buffers.dictionary_bytes(), 10);
  // The last text of the generation before has no code in this one.
  Append(buffers, {"b", "b", "c"});
  const RowBuffers::Batch second = buffers.Finish();
  EXPECT_NE(first.generation.number, second.generation.number);
  EXPECT_TRUE(second.generation.is_first_batch);
  ExpectTexts(first, ArrayOf({"a", "b"}));
  ExpectTexts(second, ArrayOf({"b", "b", "c"}));
  EXPECT_TRUE(CodesOf(second).dictionary()->Equals(ArrayOf({"b", "c"})));
}

TEST(CodedColumn, GenerationEndsWithItsRows) {
  RowBuffers buffers = CodedColumn();
  const Texts texts(kGenerationRows / 2 - 1, Text("a"));
  std::vector<Generation> generations;
  for (int batch = 0; batch < 4; ++batch) {
    Append(buffers, texts);
    generations.push_back(buffers.Finish().generation);
  }
  EXPECT_EQ(generations[1].number, generations[0].number);
  EXPECT_EQ(generations[2].number, generations[0].number);
  EXPECT_FALSE(generations[2].is_first_batch);
  EXPECT_NE(generations[3].number, generations[0].number);
  EXPECT_TRUE(generations[3].is_first_batch);
}

TEST(CodedColumn, GenerationEndsWhenADictionaryIsFull) {
  RowBuffers buffers = CodedColumn();
  std::vector<RowBuffers::Batch> batches;
  std::vector<Texts> given;
  for (int batch = 0; batch < 6; ++batch) {
    Texts texts;
    for (int i = 0; i < 300; ++i) {
      texts.emplace_back(std::to_string(batch * 150 + i / 2) + std::string(8'000, 'x'));
    }
    Append(buffers, texts);
    given.push_back(std::move(texts));
    batches.push_back(buffers.Finish());
  }
  // 150 new texts of 8,000 bytes in each: four batches come to more than 4 MiB.
  EXPECT_EQ(batches[3].generation.number, batches[0].generation.number);
  EXPECT_NE(batches[4].generation.number, batches[0].generation.number);
  EXPECT_TRUE(batches[4].generation.is_first_batch);
  EXPECT_FALSE(batches[5].generation.is_first_batch);
  EXPECT_EQ(CodesOf(batches[4]).dictionary()->length(), 150);
  for (size_t i = 0; i < batches.size(); ++i) ExpectTexts(batches[i], ArrayOf(given[i]));
}

TEST(CodedColumn, AFewLargeTextsThatDifferArePlain) {
  RowBuffers buffers = CodedColumn();
  for (int batch = 0; batch < 2; ++batch) {
    Texts texts;
    for (int i = 0; i < 5; ++i) {
      texts.emplace_back(std::to_string(batch * 5 + i) + std::string(1'000'000, 'x'));
    }
    Append(buffers, texts);
    const RowBuffers::Batch finished = buffers.Finish();
    EXPECT_EQ(finished.rows->column(0)->type_id(), arrow::Type::STRING);
    ExpectTexts(finished, ArrayOf(texts));
  }
}

using Lists = std::vector<std::optional<Texts>>;

/// Appends lists to column 0, as the parser's slots have them.
void AppendLists(RowBuffers& to, const Lists& lists) {
  std::vector<std::vector<Slot>> arenas;
  std::vector<const Slot*> rows;
  for (const auto& list : lists) {
    std::vector<Slot>& slots = arenas.emplace_back(1);
    if (!list) continue;
    slots[0].first = 1;
    slots[0].size = static_cast<uint32_t>(list->size());
    slots[0].state = SlotState::kValue;
    for (const Text& text : *list) {
      slots.push_back(SlotOf(text));
      slots.back().next = static_cast<uint32_t>(slots.size()) & 0x3FFFFFFFu;
    }
  }
  for (const auto& slots : arenas) rows.push_back(slots.data());
  to.AppendRows(rows, 1);
}

std::shared_ptr<arrow::Array> ArrayOf(const Lists& lists) {
  auto texts = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder builder(arrow::default_memory_pool(), texts);
  for (const auto& list : lists) {
    EXPECT_TRUE((list ? builder.Append() : builder.AppendNull()).ok());
    for (const Text& text : list.value_or(Texts())) {
      EXPECT_TRUE((text ? texts->Append(*text) : texts->AppendNull()).ok());
    }
  }
  return *builder.Finish();
}

const arrow::DictionaryArray& ElementsOf(const RowBuffers::Batch& batch) {
  const auto& lists = static_cast<const arrow::ListArray&>(*batch.rows->column(0));
  return static_cast<const arrow::DictionaryArray&>(*lists.values());
}

TEST(CodedLists, KeepNullsAndEmptyOnes) {
  RowBuffers buffers = CodedColumn(arrow::list(arrow::utf8()));
  const Lists first = {Texts{"a", "b"}, std::nullopt, Texts{}, Texts{std::nullopt, "a", "a", ""}};
  AppendLists(buffers, first);
  const RowBuffers::Batch one = buffers.Finish();
  const Lists second = {std::nullopt, Texts{}, Texts{"", "c", "b"}};
  AppendLists(buffers, second);
  const RowBuffers::Batch two = buffers.Finish();
  EXPECT_TRUE(IsCoded(one));
  EXPECT_TRUE(IsCoded(two));
  ExpectTexts(one, ArrayOf(first));
  ExpectTexts(two, ArrayOf(second));
  EXPECT_TRUE(ElementsOf(two).dictionary()->Equals(ArrayOf(Texts{"a", "b", "", "c"})));
  EXPECT_EQ(two.generation.number, one.generation.number);

  buffers.StartGeneration();
  AppendLists(buffers, second);
  const RowBuffers::Batch three = buffers.Finish();
  ExpectTexts(three, ArrayOf(second));
  EXPECT_TRUE(ElementsOf(three).dictionary()->Equals(ArrayOf(Texts{"", "c", "b"})));
}

TEST(CodedLists, DictionaryThatDoesNotPayIsGivenUpForGood) {
  RowBuffers buffers = CodedColumn(arrow::list(arrow::utf8()));
  Lists lists;
  for (int i = 0; i < 5'000; ++i) {
    lists.emplace_back(Texts{"x" + std::to_string(i), Text(), "y" + std::to_string(i)});
    if (i % 9 == 0) lists.back().reset();
  }
  AppendLists(buffers, lists);
  RowBuffers::Batch batch = buffers.Finish();
  EXPECT_FALSE(IsCoded(batch));
  ExpectTexts(batch, ArrayOf(lists));
  buffers.StartGeneration();
  const Lists more = {Texts{"a"}, std::nullopt, Texts{"a"}};
  AppendLists(buffers, more);
  batch = buffers.Finish();
  EXPECT_FALSE(IsCoded(batch));
  ExpectTexts(batch, ArrayOf(more));
}

TEST(CodedLists, GenerationEndsWhenTheirDictionaryIsFull) {
  RowBuffers buffers = CodedColumn(arrow::list(arrow::utf8()));
  Lists lists;
  for (int i = 0; i < 600; ++i)
    lists.emplace_back(Texts{std::to_string(i / 2) + std::string(16'000, 'x')});
  AppendLists(buffers, lists);
  const RowBuffers::Batch first = buffers.Finish();
  AppendLists(buffers, {Texts{"a"}});
  const RowBuffers::Batch second = buffers.Finish();
  EXPECT_TRUE(IsCoded(first));
  ExpectTexts(first, ArrayOf(lists));
  EXPECT_NE(first.generation.number, second.generation.number);
  ExpectTexts(second, ArrayOf(Lists{Texts{"a"}}));
}

}  // namespace
}  // namespace playhead::decode
