#include "playhead/table/partitioned_writer.h"

#include "playhead/iceberg/values.h"
#include "playhead/storage/faulty_store.h"
#include "playhead/table/parquet_properties.h"
#include "playhead/table/test_lake.h"

#include <arrow/api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <numeric>
#include <string>
#include <vector>

namespace playhead::table {
namespace {

using testing::DeadBatch;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::PlaysBatch;
using ::testing::SizeIs;
using testing::TestLake;

constexpr int32_t kDay = 20'454;  // 2026-01-01

std::vector<int64_t> Offsets(int64_t begin, int64_t end) {
  std::vector<int64_t> offsets(static_cast<size_t>(end - begin));
  std::iota(offsets.begin(), offsets.end(), begin);
  return offsets;
}

class PartitionedWriterTest : public ::testing::Test {
 protected:
  std::unique_ptr<PartitionedWriter> Open(PartitionedWriterOptions options = {},
                                          storage::ObjectStore* store = nullptr) {
    table_ = lake_.Load(TestLake::Main()).metadata;
    return *PartitionedWriter::Open(store != nullptr ? *store : lake_.store(), *table_, Staging(),
                                    options);
  }
  std::string Staging() const { return lake_.uri() + "/_staging/p/main"; }
  std::string Data() const { return lake_.uri() + "/bronze/plays/data/"; }
  int32_t Id(const std::string& column) const {
    return table_->CurrentSchema().FindByName(column)->id;
  }

  TestLake lake_;
  std::shared_ptr<const iceberg::TableMetadata> table_;
};

TEST_F(PartitionedWriterTest, SplitsByKeyAndNamesHiveFolders) {
  auto writer = Open();
  ASSERT_TRUE(writer->Append({"play", kDay}, PlaysBatch("play", "plays", {0, 2})).ok());
  ASSERT_TRUE(writer->Append({"pa/use", kDay}, PlaysBatch("pa/use", "plays", {1})).ok());
  ASSERT_TRUE(writer->Append({"play", kDay}, PlaysBatch("play", "plays", {4})).ok());
  const auto files = writer->Finish("plays-0-4");
  ASSERT_TRUE(files.ok()) << files.error().ToString();
  ASSERT_THAT(*files, SizeIs(2));
  EXPECT_EQ((*files)[0].file.path, Data() + "event_type=play/date=2026-01-01/plays-0-4-0.parquet");
  EXPECT_EQ((*files)[1].file.path,
            Data() + "event_type=pa%2Fuse/date=2026-01-01/plays-0-4-1.parquet");
  EXPECT_EQ((*files)[0].file.record_count, 3);
  EXPECT_EQ((*files)[1].file.record_count, 1);
  EXPECT_EQ(std::get<std::string>((*files)[1].file.partition[0]), "pa/use");
  EXPECT_EQ(lake_.store().Stat((*files)[0].staged_uri)->bytes, (*files)[0].file.file_bytes);
  EXPECT_THAT((*files)[0].staged_uri, HasSubstr("/_staging/p/main/"));
  EXPECT_THAT((*files)[0].staged_uri, ::testing::Not(::testing::EndsWith(".parquet")));
}

TEST_F(PartitionedWriterTest, CountsAndBoundsAreThoseOfTheRows) {
  auto writer = Open();
  // Positions of 10 and 15 are null, 12 and 14 are 6.0 and 7.0.
  const std::string topic = "a topic of more than sixteen characters";
  ASSERT_TRUE(writer
                  ->Append({"a event type of many letters", kDay},
                           PlaysBatch("a event type of many letters", topic, {10, 12, 14, 15}))
                  .ok());
  const iceberg::DataFile file = writer->Finish("s")->front().file;
  EXPECT_EQ(file.value_counts.at(Id("position")), 4);
  EXPECT_EQ(file.null_value_counts.at(Id("position")), 2);
  EXPECT_EQ(file.lower_bounds.at(Id("position")), iceberg::EncodeDouble(6.0));
  EXPECT_EQ(file.upper_bounds.at(Id("position")), iceberg::EncodeDouble(7.0));
  EXPECT_EQ(file.lower_bounds.at(Id("_offset")), iceberg::EncodeLong(10));
  EXPECT_EQ(file.upper_bounds.at(Id("_offset")), iceberg::EncodeLong(15));
  EXPECT_EQ(file.lower_bounds.at(Id("timestamp")),
            iceberg::EncodeLong(1'767'225'600'000'000 + 10'000'000));
  EXPECT_EQ(file.lower_bounds.at(Id("event_type")), "a event type of ");
  EXPECT_EQ(file.upper_bounds.at(Id("event_type")), "a event type of!");
  EXPECT_EQ(file.lower_bounds.at(Id("_topic")), topic);
  EXPECT_EQ(file.upper_bounds.at(Id("_topic")), topic);
  EXPECT_FALSE(file.lower_bounds.contains(8)) << "elements of lists have no bounds";
  EXPECT_GT(file.column_sizes.at(Id("_offset")), 0);
  EXPECT_THAT(file.split_offsets, ElementsAre(4));
}

TEST_F(PartitionedWriterTest, ParquetCarriesFieldIdsAndReadsBack) {
  auto writer = Open();
  const auto batch = PlaysBatch("play", "plays", Offsets(0, 20'000));
  ASSERT_TRUE(writer->Append({"play", kDay}, batch).ok());
  const auto files = *writer->Finish("s");
  auto reader = *parquet::arrow::OpenFile(*lake_.store().OpenForRead(files[0].staged_uri),
                                          arrow::default_memory_pool());
  const auto table = *reader->ReadTable();
  EXPECT_TRUE(table->Equals(**arrow::Table::FromRecordBatches({batch})));
  const auto* columns = reader->parquet_reader()->metadata()->schema();
  for (int i = 0; i < columns->num_columns(); ++i) {
    EXPECT_GE(columns->Column(i)->schema_node()->field_id(), 1) << i;
  }
  EXPECT_EQ(columns->Column(2)->path()->ToDotString(), "genre.list.element");
  EXPECT_EQ(columns->Column(2)->schema_node()->field_id(), 8);
}

TEST_F(PartitionedWriterTest, ClosesRowGroupsAtTheirLimit) {
  auto writer = Open({.row_group_rows = 10'000});
  for (int64_t begin = 0; begin < 25'000; begin += 5'000) {
    ASSERT_TRUE(
        writer->Append({"play", kDay}, PlaysBatch("play", "p", Offsets(begin, begin + 5'000)))
            .ok());
  }
  const auto files = *writer->Finish("s");
  EXPECT_THAT(files[0].file.split_offsets, SizeIs(3));
  EXPECT_EQ(files[0].file.record_count, 25'000);
  EXPECT_EQ(files[0].file.lower_bounds.at(Id("_offset")), iceberg::EncodeLong(0));
  EXPECT_EQ(files[0].file.upper_bounds.at(Id("_offset")), iceberg::EncodeLong(24'999));
}

TEST_F(PartitionedWriterTest, RowGroupsCloseEarlyWhenTheyAreBig) {
  auto writer = Open({.row_group_bytes = 600'000});
  for (int64_t begin = 0; begin < 20'000; begin += 5'000) {
    ASSERT_TRUE(
        writer->Append({"play", kDay}, PlaysBatch("play", "p", Offsets(begin, begin + 5'000)))
            .ok());
  }
  const auto files = *writer->Finish("s");
  EXPECT_GE(files[0].file.split_offsets.size(), 2u);
  EXPECT_EQ(files[0].file.record_count, 20'000);
}

TEST_F(PartitionedWriterTest, ClosesTheLeastRecentlyUsedOfTooManyFiles) {
  auto writer = Open({.open_files_max = 2});
  int64_t offset = 0;
  for (const char* type : {"a", "b", "a", "c", "b"}) {
    ASSERT_TRUE(writer->Append({type, kDay}, PlaysBatch(type, "p", {offset++})).ok());
  }
  const auto files = *writer->Finish("s");
  // `b` was closed for `c` and begun anew.
  std::vector<std::string> types;
  int64_t rows = 0;
  for (const StagedFile& file : files) {
    types.push_back(std::get<std::string>(file.file.partition[0]));
    rows += file.file.record_count;
  }
  EXPECT_THAT(types, ElementsAre("a", "b", "c", "b"));
  EXPECT_EQ(rows, 5);
}

TEST_F(PartitionedWriterTest, StartsANewFileAtTheSizeLimit) {
  auto writer = Open({.file_bytes_max = 20'000});
  for (int64_t begin = 0; begin < 60'000; begin += 10'000) {
    ASSERT_TRUE(
        writer->Append({"play", kDay}, PlaysBatch("play", "p", Offsets(begin, begin + 10'000)))
            .ok());
  }
  EXPECT_GT(writer->bytes(), 20'000);
  const auto files = *writer->Finish("s");
  EXPECT_GT(files.size(), 1u);
  int64_t rows = 0;
  for (const StagedFile& file : files) rows += file.file.record_count;
  EXPECT_EQ(rows, 60'000);
}

TEST_F(PartitionedWriterTest, EncodesTheLargestWhenTooMuchWaits) {
  auto writer = Open({.buffered_bytes_max = 1'000});
  for (int64_t offset = 0; offset < 500; ++offset) {
    const std::string type = offset % 2 == 0 ? "a" : "b";
    ASSERT_TRUE(writer->Append({type, kDay}, PlaysBatch(type, "p", {offset})).ok());
  }
  const auto files = *writer->Finish("s");
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].file.record_count, 250);
}

TEST_F(PartitionedWriterTest, NothingIsVisibleBeforeFinishAndNothingStaysOfADroppedWriter) {
  {
    auto writer = Open();
    ASSERT_TRUE(writer->Append({"play", kDay}, PlaysBatch("play", "p", Offsets(0, 9'000))).ok());
    EXPECT_THAT(*lake_.store().List(Staging()), IsEmpty());
  }
  EXPECT_THAT(*lake_.store().List(Staging()), IsEmpty());
}

TEST_F(PartitionedWriterTest, EscapesTheStem) {
  auto writer = Open();
  ASSERT_TRUE(writer->Append({"play", kDay}, PlaysBatch("play", "p", {0})).ok());
  const auto files = *writer->Finish("file:a b/c#1%");
  EXPECT_THAT(files[0].file.path, ::testing::EndsWith("/file%3Aa%20b%2Fc%231%25-0.parquet"));
}

TEST_F(PartitionedWriterTest, RefusesOtherColumnsAndKeysByName) {
  auto writer = Open();
  const Status schema = writer->Append({"play", kDay}, DeadBatch("p", {1}));
  EXPECT_EQ(schema.code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(schema.message(), HasSubstr("event_type"));
  const Status key = writer->Append({"play"}, PlaysBatch("play", "p", {1}));
  EXPECT_EQ(key.code(), StatusCode::kInvalidArgument);
}

TEST_F(PartitionedWriterTest, FullDiskIsResourceExhausted) {
  storage::FaultyStore faulty(lake_.store());
  const auto batch = PlaysBatch("play", "p", Offsets(0, 300));
  for (int64_t call = 1;; ++call) {
    auto writer = Open({.row_group_rows = 200}, &faulty);
    faulty.Set({.at_call = call, .code = StatusCode::kResourceExhausted, .calls = 1'000});
    Status status = writer->Append({"play", kDay}, batch);
    if (status.ok()) status = writer->Finish("s").status();
    if (status.ok()) {
      EXPECT_GT(call, 3);
      break;
    }
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted) << "call " << call;
  }
}

TEST(ChooseEncodings, TakesADictionaryWhereValuesRepeat) {
  arrow::StringBuilder ids;
  arrow::StringBuilder titles;
  arrow::StringBuilder nothing;
  arrow::Int64Builder counter;
  arrow::Int64Builder flag;
  arrow::DoubleBuilder noise;
  for (int64_t i = 0; i < 4'000; ++i) {
    ASSERT_TRUE(ids.Append("id-" + std::to_string(i * 7919)).ok());
    ASSERT_TRUE(titles.Append("title " + std::to_string(i * i % 331)).ok());
    ASSERT_TRUE(nothing.AppendNull().ok());
    ASSERT_TRUE(counter.Append(i).ok());
    ASSERT_TRUE(flag.Append(i % 3).ok());
    ASSERT_TRUE(noise.Append(static_cast<double>(i) / 3).ok());
  }
  std::vector<std::shared_ptr<arrow::ChunkedArray>> columns;
  for (arrow::ArrayBuilder* builder : std::initializer_list<arrow::ArrayBuilder*>{
           &ids, &titles, &nothing, &counter, &flag, &noise}) {
    columns.push_back(std::make_shared<arrow::ChunkedArray>(*builder->Finish()));
  }
  EXPECT_THAT(ChooseEncodings(columns),
              ElementsAre(ColumnEncoding::kDeltaLength, ColumnEncoding::kDictionary,
                          ColumnEncoding::kDictionary, ColumnEncoding::kDeltaBinary,
                          ColumnEncoding::kDictionary, ColumnEncoding::kPlain));
}

// What PyIceberg adds is a column of any type of version 2; ours are null, and the files read back.
TEST_F(PartitionedWriterTest, WritesNullIntoColumnsOfAnyTypeThatAnotherWriterAdded) {
  using iceberg::Type;
  using iceberg::TypeKind;
  lake_.ChangeSchemaAsAnother(TestLake::Main(), [](iceberg::Schema& schema) {
    int32_t id = 100;
    const auto type = [](Type type) { return std::make_shared<const Type>(std::move(type)); };
    const auto field = [&](const std::string& name, Type of) {
      return iceberg::NestedField{
          .id = ++id, .name = name, .is_required = false, .type = type(std::move(of)), .doc = {}};
    };
    // Before, between and after ours.
    for (const TypeKind kind :
         {TypeKind::kBoolean, TypeKind::kInt, TypeKind::kLong, TypeKind::kFloat, TypeKind::kDouble,
          TypeKind::kDate, TypeKind::kTime, TypeKind::kTimestamp, TypeKind::kTimestamptz,
          TypeKind::kString, TypeKind::kUuid, TypeKind::kBinary}) {
      schema.fields.insert(schema.fields.begin() + id % 3, field("c" + std::to_string(id), {kind}));
    }
    schema.fields.push_back(field("fixed", {.kind = TypeKind::kFixed, .length = 7}));
    schema.fields.push_back(
        field("decimal", {.kind = TypeKind::kDecimal, .precision = 30, .scale = 2}));
    const auto inner = [&] {
      Type type{.kind = TypeKind::kStruct};
      type.fields = {field("x", {TypeKind::kLong}), field("y", {TypeKind::kString})};
      return type;
    };
    Type list{.kind = TypeKind::kList};
    list.fields = {field("element", inner())};
    Type map{.kind = TypeKind::kMap};
    map.fields = {field("key", {TypeKind::kString}), field("value", {TypeKind::kDouble})};
    map.fields[0].is_required = true;
    schema.fields.push_back(field("inner", inner()));
    schema.fields.push_back(field("list", list));
    schema.fields.push_back(field("map", map));
    Type texts{.kind = TypeKind::kList};
    texts.fields = {field("element", {TypeKind::kString})};
    schema.fields.push_back(field("texts", texts));
  });
  auto writer = Open();
  const auto batch = PlaysBatch("play", "plays", Offsets(0, 20'000));
  const Status appended = writer->Append({"play", kDay}, batch);
  ASSERT_TRUE(appended.ok()) << appended.ToString();
  const auto files = writer->Finish("s");
  ASSERT_TRUE(files.ok()) << files.error().ToString();
  auto reader = *parquet::arrow::OpenFile(*lake_.store().OpenForRead((*files)[0].staged_uri),
                                          arrow::default_memory_pool());
  const auto table = *reader->ReadTable();
  EXPECT_EQ(table->num_columns(), batch->num_columns() + 18);
  for (const auto& field : table->schema()->fields()) {
    const auto column = table->GetColumnByName(field->name());
    if (const auto ours = batch->GetColumnByName(field->name())) {
      EXPECT_TRUE(column->Equals(arrow::ChunkedArray(ours))) << field->name();
    } else {
      EXPECT_EQ(column->null_count(), 20'000) << field->name();
    }
  }
}

class PlacementTest : public PartitionedWriterTest {
 protected:
  void Partition(std::vector<iceberg::PartitionField> fields) {
    lake_.ChangeAsAnother(TestLake::Main(), [&](iceberg::TableMetadata& metadata) {
      metadata.specs.push_back({.spec_id = 1, .fields = std::move(fields)});
      metadata.default_spec_id = 1;
    });
  }
  /// Rows by the folder that they were written to.
  std::map<std::string, int64_t> Write() {
    table_ = lake_.Load(TestLake::Main()).metadata;
    const TableSpec declared = TestLake::Specs().front();
    auto writer = PartitionedWriter::Open(lake_.store(), *table_, Staging(), {}, &declared);
    EXPECT_TRUE(writer.ok()) << writer.error().ToString();
    for (const char* type : {"play", "pause"}) {
      EXPECT_TRUE((*writer)->Append({type, kDay}, PlaysBatch(type, "plays", Offsets(0, 10))).ok());
    }
    std::map<std::string, int64_t> rows;
    const auto files = (*writer)->Finish("s");
    for (const StagedFile& file : *files) {
      EXPECT_EQ(file.file.spec_id, 1);
      EXPECT_EQ(file.file.partition.size(), table_->DefaultSpec().fields.size());
      std::string folder = file.file.path.substr(Data().size());
      folder.resize(folder.rfind('/') == std::string::npos ? 0 : folder.rfind('/'));
      rows[folder] += file.file.record_count;
    }
    return rows;
  }
};

TEST_F(PlacementTest, AFieldFewerPutsTheRowsTogether) {
  Partition(
      {{.source_id = 2, .field_id = 1001, .name = "date", .transform = iceberg::Transform::kDay}});
  EXPECT_THAT(Write(), ElementsAre(std::pair("date=2026-01-01", 20)));
}

TEST_F(PlacementTest, NoFieldAtAll) {
  Partition({});
  EXPECT_THAT(Write(), ElementsAre(std::pair("", 20)));
}

TEST_F(PlacementTest, FieldsOfOthersAreComputedFromTheRows) {
  // _offset is column 7, position 4, timestamp 2.
  Partition(
      {{.source_id = 7,
        .field_id = 1002,
        .name = "tens",
        .transform = iceberg::Transform::kTruncate,
        .width = 4},
       {.source_id = 1, .field_id = 1000, .name = "event_type"},
       {.source_id = 2, .field_id = 1003, .name = "year", .transform = iceberg::Transform::kYear}});
  EXPECT_THAT(Write(), ElementsAre(std::pair("tens=0/event_type=pause/year=2026", 4),
                                   std::pair("tens=0/event_type=play/year=2026", 4),
                                   std::pair("tens=4/event_type=pause/year=2026", 4),
                                   std::pair("tens=4/event_type=play/year=2026", 4),
                                   std::pair("tens=8/event_type=pause/year=2026", 2),
                                   std::pair("tens=8/event_type=play/year=2026", 2)));
}

TEST_F(PlacementTest, ATextThatComesAsCodesIsComputedFromToo) {
  Partition({{.source_id = 5,
              .field_id = 1002,
              .name = "start",
              .transform = iceberg::Transform::kTruncate,
              .width = 2}});
  table_ = lake_.Load(TestLake::Main()).metadata;
  const TableSpec declared = TestLake::Specs().front();
  auto writer = *PartitionedWriter::Open(lake_.store(), *table_, Staging(), {}, &declared);
  auto batch = PlaysBatch("play", "plays", Offsets(0, 4));
  arrow::StringDictionary32Builder codes;
  for (const char* text : {"abc", "xyz", "abd", "xyz"}) ASSERT_TRUE(codes.Append(text).ok());
  const std::shared_ptr<arrow::Array> coded = *codes.Finish();
  batch = *batch->SetColumn(4, arrow::field("_topic", coded->type()), coded);
  ASSERT_TRUE(writer->Append({"play", kDay}, batch).ok());
  const auto files = *writer->Finish("s");
  ASSERT_THAT(files, SizeIs(2));
  EXPECT_EQ(files[0].file.path, Data() + "start=ab/s-0.parquet");
  EXPECT_EQ(files[0].file.record_count, 2);
  EXPECT_EQ(files[1].file.path, Data() + "start=xy/s-1.parquet");
  EXPECT_EQ(files[0].file.upper_bounds.at(Id("_topic")), "abd");
}

}  // namespace
}  // namespace playhead::table
