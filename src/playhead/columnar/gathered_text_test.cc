#include "playhead/columnar/gathered_text.h"

#include "playhead/columnar/test_codes.h"
#include "playhead/columnar/test_parquet.h"

#include <random>

namespace playhead::columnar {
namespace {

/// One column of texts, coded by a partition.
CodedPartition::Batch Code(CodedPartition& partition, const Texts& texts) {
  const auto array = TextArray(texts);
  return partition.Code(*arrow::RecordBatch::Make(
      arrow::schema({arrow::field("text", array->type())}), array->length(), {array}));
}

/// Appends texts to the column and remembers them.
class Column {
 public:
  /// The codes that were appended.
  std::shared_ptr<arrow::Array> Append(CodedPartition& partition, const Texts& texts) {
    const CodedPartition::Batch batch = Code(partition, texts);
    Append(batch.rows->column(0), batch.generation, texts);
    return batch.rows->column(0);
  }
  void Append(const std::shared_ptr<arrow::Array>& values, decode::Generation generation,
              const Texts& texts) {
    gathered_.Append(*values, generation);
    texts_.insert(texts_.end(), texts.begin(), texts.end());
    EXPECT_EQ(gathered_.values(), std::ssize(texts_) - std::ranges::count(texts_, Text()));
  }
  void AppendPlain(const Texts& texts) { Append(TextArray(texts), {}, texts); }

  /// The dictionary of what was appended since the last call, which is proved.
  std::shared_ptr<arrow::Array> Take() {
    const int64_t dictionary_bytes = gathered_.dictionary_bytes();
    const auto taken = gathered_.Take();
    ExpectDictionaryOfItsTexts(taken);
    EXPECT_TRUE(PlainText(taken)->Equals(TextArray(texts_))) << PlainText(taken)->ToString();
    const auto dictionary = static_cast<const arrow::DictionaryArray&>(*taken).dictionary();
    int64_t bytes = 0;
    for (int64_t i = 0; i < dictionary->length(); ++i) {
      bytes += 4 + std::ssize(static_cast<const arrow::StringArray&>(*dictionary).GetView(i));
    }
    EXPECT_EQ(dictionary_bytes, bytes);
    ExpectEmpty();
    return dictionary;
  }
  void TakePlain() {
    EXPECT_TRUE(gathered_.TakePlain()->Equals(TextArray(texts_)));
    ExpectEmpty();
  }

 private:
  void ExpectEmpty() {
    EXPECT_TRUE(gathered_.is_empty());
    EXPECT_EQ(gathered_.memory_bytes(), 0);
    texts_.clear();
  }

  GatheredText gathered_{arrow::utf8()};
  Texts texts_;
};

/// Whether the texts lie where those of the codes do, without having been copied.
bool Shares(const arrow::Array& dictionary, const std::shared_ptr<arrow::Array>& codes) {
  const auto& given = *static_cast<const arrow::DictionaryArray&>(*codes).dictionary();
  return dictionary.data()->buffers[2]->data() == given.data()->buffers[2]->data();
}

TEST(GatheredText, SharesADictionaryThatBeginsWithIt) {
  CodedPartition partition;
  Column column;
  column.Append(partition, {"b", "a", std::nullopt, "b"});
  const auto codes = column.Append(partition, {"a", "", "c", std::nullopt});
  EXPECT_TRUE(Shares(*column.Take(), codes));
  // The next row group begins in the middle of the generation.
  const auto more = column.Append(partition, {"c", "d", "c"});
  const auto dictionary = column.Take();
  EXPECT_FALSE(Shares(*dictionary, more));
  EXPECT_TRUE(dictionary->Equals(TextArray({"c", "d"})));
  // And another with a generation of its own.
  partition.StartGeneration();
  const auto anew = column.Append(partition, {"d", "e"});
  EXPECT_TRUE(Shares(*column.Take(), anew));
}

TEST(GatheredText, TakesOfASliceOnlyTheTextsInIt) {
  CodedPartition partition;
  Column column;
  const Texts texts = {"a", "b", "a", "c", std::nullopt, "d"};
  const CodedPartition::Batch batch = Code(partition, texts);
  const auto& codes = batch.rows->column(0);
  column.Append(codes->Slice(0, 3), batch.generation, {"a", "b", "a"});
  column.Append(codes->Slice(3, 2), {.number = batch.generation.number}, {"c", std::nullopt});
  const auto first = column.Take();
  EXPECT_TRUE(Shares(*first, codes));
  EXPECT_TRUE(first->Equals(TextArray({"a", "b", "c"})));
  column.Append(codes->Slice(5, 1), {.number = batch.generation.number}, {"d"});
  EXPECT_TRUE(column.Take()->Equals(TextArray({"d"})));
}

TEST(GatheredText, TranslatesAGenerationThatBeganBefore) {
  CodedPartition partition;
  Code(partition, {"x", "y", "z"});
  Column column;
  column.Append(partition, {"z", "a", std::nullopt, "y", "a"});
  column.Append(partition, {"b", "a", "x", "z"});
  column.Append(partition, {"c", "c", "b"});
  EXPECT_TRUE(column.Take()->Equals(TextArray({"z", "a", "y", "b", "x", "c"})));
}

TEST(GatheredText, GoesOnWithAnotherGeneration) {
  CodedPartition partition;
  CodedPartition other;
  Column column;
  column.Append(partition, {"a", "b", "c"});
  column.Append(other, {"c", "d", std::nullopt, "a"});
  column.Append(partition, {"d", "e", "b"});
  column.Append(other, {"f", "d", "c"});
  other.StartGeneration();
  column.Append(other, {"e", "g"});
  EXPECT_TRUE(column.Take()->Equals(TextArray({"a", "b", "c", "d", "e", "f", "g"})));
}

TEST(GatheredText, BatchesWithoutAGenerationStandAlone) {
  Column column;
  for (const Texts& texts : {Texts{"a", "b"}, Texts{"b", "c", std::nullopt}, Texts{"c", "a"}}) {
    // Codes of a dictionary that no other batch has.
    CodedPartition partition;
    const CodedPartition::Batch batch = Code(partition, texts);
    column.Append(batch.rows->column(0), {.number = 0, .is_first_batch = true}, texts);
  }
  EXPECT_TRUE(column.Take()->Equals(TextArray({"a", "b", "c"})));
}

TEST(GatheredText, PlainTextsMayComeInBetween) {
  CodedPartition partition;
  Column column;
  column.Append(partition, {"a", "b"});
  column.AppendPlain({"c", std::nullopt, "b"});
  column.Append(partition, {"c", "d", "a"});
  column.AppendPlain({"e", "d"});
  column.Append(partition, {"f", "b"});
  EXPECT_TRUE(column.Take()->Equals(TextArray({"a", "b", "c", "d", "e", "f"})));
  column.AppendPlain({"f", "a"});
  partition.StartGeneration();
  column.Append(partition, {"g", "a", "f"});
  EXPECT_TRUE(column.Take()->Equals(TextArray({"f", "a", "g"})));
}

TEST(GatheredText, NullsBringNoTexts) {
  CodedPartition partition;
  Column column;
  column.Append(partition, Texts(5));
  EXPECT_EQ(column.Take()->length(), 0);

  // The batch has texts, its first slice nothing but nulls.
  partition.StartGeneration();
  const CodedPartition::Batch batch = Code(partition, {std::nullopt, std::nullopt, "a", "b"});
  const auto& codes = batch.rows->column(0);
  column.Append(codes->Slice(0, 2), batch.generation, Texts(2));
  EXPECT_EQ(column.Take()->length(), 0);
  column.Append(codes->Slice(0, 2), batch.generation, Texts(2));
  column.Append(codes->Slice(2, 1), {.number = batch.generation.number}, {"a"});
  EXPECT_TRUE(column.Take()->Equals(TextArray({"a"})));
  column.Append(partition, Texts(3));
  EXPECT_EQ(column.Take()->length(), 0);
}

TEST(GatheredText, GivesThePlainTextToo) {
  CodedPartition partition;
  Column column;
  column.Append(partition, {"a", std::nullopt, "", "long enough for a buffer"});
  column.TakePlain();
  column.Append(partition, {"", "b", "a", std::nullopt});
  column.TakePlain();
  column.Append(partition, Texts(3));
  column.TakePlain();
  column.AppendPlain({"b", std::nullopt});
  column.TakePlain();
  partition.StartGeneration();
  column.Append(partition, {"c"});
  column.Take();
}

// Partitions, generations, plain text, slices and row groups in any order.
TEST(GatheredText, AgreesWithItsTextsWhateverComes) {
  std::mt19937 random(11);
  std::vector<CodedPartition> partitions(3);
  Column column;
  for (int step = 0; step < 3'000; ++step) {
    Texts texts;
    for (unsigned i = random() % 30; i > 0; --i) {
      const unsigned which = random() % 60;
      texts.push_back(which < 10 ? Text() : Text("t" + std::to_string(which)));
    }
    CodedPartition& partition = partitions[random() % 40 == 0 ? random() % 3 : 0];
    const unsigned kind = random() % 60;
    if (kind == 0) {
      column.AppendPlain(texts);
    } else if (kind < 3) {
      partition.StartGeneration();
    } else if (kind < 6) {
      column.Take();
    } else if (kind < 8) {
      column.TakePlain();
    } else {
      CodedPartition::Batch batch = Code(partition, texts);
      // Row groups may end within a batch.
      for (size_t begin = 0; begin < texts.size();) {
        const size_t size = std::min<size_t>(texts.size() - begin, 1 + random() % 40);
        const auto at = texts.begin() + static_cast<std::ptrdiff_t>(begin);
        column.Append(
            batch.rows->column(0)->Slice(static_cast<int64_t>(begin), static_cast<int64_t>(size)),
            batch.generation, Texts(at, at + static_cast<std::ptrdiff_t>(size)));
        batch.generation.is_first_batch = false;
        begin += size;
        if (random() % 30 == 0) column.Take();
      }
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace playhead::columnar
