#pragma once

#include "playhead/base/clock.h"
#include "playhead/base/uuid.h"
#include "playhead/catalog/catalog.h"
#include "playhead/catalog/scan.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/update.h"
#include "playhead/iceberg/values.h"
#include "playhead/storage/object_store.h"
#include "playhead/table/ensure_table.h"
#include "playhead/table/epoch_commit.h"
#include "playhead/table/partitioned_writer.h"

#include <arrow/api.h>
#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace playhead::table::testing {

class FakeClock final : public Clock {
 public:
  int64_t NowMicros() const override { return now_us_ += 1'000'000; }

 private:
  mutable int64_t now_us_ = 1'767'225'600'000'000;  // 2026-01-01
};

inline std::shared_ptr<arrow::Schema> PlaysSchema() {
  const auto utc = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return arrow::schema({arrow::field("event_type", arrow::utf8()), arrow::field("timestamp", utc),
                        arrow::field("genre", arrow::list(arrow::utf8())),
                        arrow::field("position", arrow::float64()),
                        arrow::field("_topic", arrow::utf8(), /*nullable=*/false),
                        arrow::field("_topic_partition", arrow::int32(), /*nullable=*/false),
                        arrow::field("_offset", arrow::int64(), /*nullable=*/false)});
}

inline std::shared_ptr<arrow::Schema> DeadSchema() {
  return arrow::schema({arrow::field("_topic", arrow::utf8(), /*nullable=*/false),
                        arrow::field("_topic_partition", arrow::int32(), /*nullable=*/false),
                        arrow::field("_offset", arrow::int64(), /*nullable=*/false),
                        arrow::field("_record", arrow::binary(), /*nullable=*/false)});
}

/// One second a row, from 2026-01-01 00:00 plus the offset in seconds.
inline std::shared_ptr<arrow::RecordBatch> PlaysBatch(const std::string& event_type,
                                                      const std::string& topic,
                                                      const std::vector<int64_t>& offsets) {
  arrow::StringBuilder event_types;
  arrow::TimestampBuilder timestamps(PlaysSchema()->field(1)->type(), arrow::default_memory_pool());
  auto genre_values = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder genres(arrow::default_memory_pool(), genre_values);
  arrow::DoubleBuilder positions;
  arrow::StringBuilder topics;
  arrow::Int32Builder partitions;
  arrow::Int64Builder row_offsets;
  for (const int64_t offset : offsets) {
    EXPECT_TRUE(event_types.Append(event_type).ok());
    EXPECT_TRUE(timestamps.Append(1'767'225'600'000'000 + offset * 1'000'000).ok());
    EXPECT_TRUE(genres.Append().ok());
    EXPECT_TRUE(genre_values->Append("drama").ok());
    EXPECT_TRUE((offset % 5 == 0 ? positions.AppendNull()
                                 : positions.Append(static_cast<double>(offset) / 2))
                    .ok());
    EXPECT_TRUE(topics.Append(topic).ok());
    EXPECT_TRUE(partitions.Append(0).ok());
    EXPECT_TRUE(row_offsets.Append(offset).ok());
  }
  return arrow::RecordBatch::Make(
      PlaysSchema(), static_cast<int64_t>(offsets.size()),
      std::vector<std::shared_ptr<arrow::Array>>{
          *event_types.Finish(), *timestamps.Finish(), *genres.Finish(), *positions.Finish(),
          *topics.Finish(), *partitions.Finish(), *row_offsets.Finish()});
}

inline std::shared_ptr<arrow::RecordBatch> DeadBatch(const std::string& topic,
                                                     const std::vector<int64_t>& offsets) {
  arrow::StringBuilder topics;
  arrow::Int32Builder partitions;
  arrow::Int64Builder row_offsets;
  arrow::BinaryBuilder records;
  for (const int64_t offset : offsets) {
    EXPECT_TRUE(topics.Append(topic).ok());
    EXPECT_TRUE(partitions.Append(0).ok());
    EXPECT_TRUE(row_offsets.Append(offset).ok());
    EXPECT_TRUE(records.Append("{broken").ok());
  }
  return arrow::RecordBatch::Make(
      DeadSchema(), static_cast<int64_t>(offsets.size()),
      std::vector<std::shared_ptr<arrow::Array>>{*topics.Finish(), *partitions.Finish(),
                                                 *row_offsets.Finish(), *records.Finish()});
}

/// Rows of a table by topic and offset, with how often each is there.
using Rows = std::map<std::pair<std::string, int64_t>, int>;

/// A warehouse in a folder: a stream's main table `bronze.plays`, partitioned by event type and
/// day, and its dead letters.
class TestLake {
 public:
  /// In `folder` if given, else in a new one that goes with this object.
  explicit TestLake(std::string folder = "") : owns_folder_(folder.empty()) {
    if (owns_folder_) {
      // In memory where there is such a folder: these tests write thousands of files, and a file
      // system that does not wait for a disk keeps them short.
      const std::filesystem::path memory = "/dev/shm";
      const auto parent =
          std::filesystem::is_directory(memory) ? memory : std::filesystem::temp_directory_path();
      folder = (parent / "playhead_lake_XXXXXX").string();
      EXPECT_NE(mkdtemp(folder.data()), nullptr);
    }
    root_ = folder;
    uri_ = "file://" + root_;
    store_ = storage::MakeLocalStore();
    auto opened = catalog::OpenSqliteCatalog(root_ + "/catalog.db", *store_);
    EXPECT_TRUE(opened.ok()) << opened.error().ToString();
    catalog_ = *std::move(opened);
    const auto tables = EnsureTables(*catalog_, *store_, uri_, Specs(), clock_);
    EXPECT_TRUE(tables.ok()) << tables.error().ToString();
  }
  ~TestLake() {
    catalog_.reset();
    if (owns_folder_) std::filesystem::remove_all(root_);
  }
  TestLake(const TestLake&) = delete;
  TestLake& operator=(const TestLake&) = delete;

  static std::vector<TableSpec> Specs() {
    return {{.id = Main(),
             .schema = PlaysSchema(),
             .partition_by = {{"event_type", PartitionTransform::kIdentity, "event_type"},
                              {"timestamp", PartitionTransform::kDay, "date"}},
             .properties = {}},
            {.id = Dead(), .schema = DeadSchema(), .partition_by = {}, .properties = {}}};
  }
  static catalog::TableId Main() { return {"bronze", "plays"}; }
  static catalog::TableId Dead() { return {"bronze", "plays_dead"}; }

  const std::string& root() const { return root_; }
  const std::string& uri() const { return uri_; }
  storage::ObjectStore& store() { return *store_; }
  catalog::Catalog& catalog() { return *catalog_; }
  const Clock& clock() const { return clock_; }
  Committer MakeCommitter() { return {*catalog_, *store_, uri_, clock_}; }

  catalog::TableState Load(const catalog::TableId& id) {
    auto state = catalog_->Load(id);
    EXPECT_TRUE(state.ok()) << state.error().ToString();
    return *state;
  }

  /// Commits metadata as another program may.
  void ChangeAsAnother(const catalog::TableId& id,
                       const std::function<void(iceberg::TableMetadata&)>& change) {
    const catalog::TableState head = Load(id);
    iceberg::TableMetadata metadata = *head.metadata;
    change(metadata);
    const std::string location = head.metadata->location + "/metadata/" +
                                 iceberg::NextMetadataFileName(head.metadata_location, NewUuid());
    const std::vector<storage::NewObject> objects = {
        {.uri = location, .contents = iceberg::SerializeMetadata(metadata)}};
    EXPECT_TRUE(store_->PutMany(objects).ok());
    const catalog::CommitAnswer answer = catalog_->Commit(
        {.moves = {{.id = id, .old_location = head.metadata_location, .new_location = location}}});
    EXPECT_TRUE(answer.committed()) << answer.ToStatus().ToString();
  }
  /// The same for the current schema.
  void ChangeSchemaAsAnother(const catalog::TableId& id,
                             const std::function<void(iceberg::Schema&)>& change) {
    ChangeAsAnother(id, [&](iceberg::TableMetadata& metadata) {
      iceberg::Schema schema = metadata.CurrentSchema();
      change(schema);
      schema.schema_id = static_cast<int32_t>(metadata.schemas.size());
      metadata.current_schema_id = schema.schema_id;
      metadata.schemas.push_back(std::move(schema));
    });
  }

  /// Stages offsets [begin, end) of `topic`: every fourth is dead, the others play or pause in
  /// turn.
  Epoch Stage(const std::string& plan_id, const std::string& topic, int64_t begin, int64_t end,
              storage::ObjectStore* store = nullptr) {
    Epoch epoch{.plan_id = plan_id, .main = Main(), .dead = Dead()};
    std::map<std::string, std::vector<int64_t>> partitions;
    std::vector<int64_t> dead;
    for (int64_t offset = begin; offset < end; ++offset) {
      if (offset % 4 == 3) {
        dead.push_back(offset);
      } else {
        partitions[offset % 2 == 0 ? "play" : "pause"].push_back(offset);
      }
    }
    storage::ObjectStore& target = store != nullptr ? *store : *store_;
    const std::string staging = StagingUri(uri_, ProcessOwner(), plan_id);
    const std::string stem = fmt::format("{}-{}-{}-{}", topic, begin, end - 1, plan_id);
    const std::vector<TableSpec> specs = Specs();
    auto main =
        *PartitionedWriter::Open(target, *Load(Main()).metadata, staging + "/main", {}, &specs[0]);
    for (const auto& [event_type, offsets] : partitions) {
      const std::vector<iceberg::PartitionValue> key = {event_type,
                                                        iceberg::DayOf(1'767'225'600'000'000)};
      EXPECT_TRUE(main->Append(key, PlaysBatch(event_type, topic, offsets)).ok());
    }
    epoch.main_files = *main->Finish(stem);
    if (!dead.empty()) {
      auto writer = *PartitionedWriter::Open(target, *Load(Dead()).metadata, staging + "/dead");
      EXPECT_TRUE(writer->Append({}, DeadBatch(topic, dead)).ok());
      epoch.dead_files = *writer->Finish(stem);
    }
    const auto dead_rows = static_cast<int64_t>(dead.size());
    const LogPartition partition{"log-1", topic, 0};
    const auto progress = ReadProgress(*Load(Main()).metadata);
    EXPECT_TRUE(progress.ok());
    epoch.ranges = {{.partition = partition,
                     .range = {begin, end},
                     .counts = {.read = end - begin,
                                .good = end - begin - dead_rows,
                                .dead = dead_rows,
                                .skipped = 0},
                     .accepted_gap_from = std::nullopt,
                     .is_first = !NextOffset(*progress, partition)}};
    return epoch;
  }

  /// The same as a landing file: no ranges, a ledger row, `_topic` of the file. It replaces the
  /// content `known_hash` if that is given.
  Epoch StageLanding(const std::string& plan_id, const std::string& name, const std::string& hash,
                     int64_t rows, std::optional<std::string> known_hash = {},
                     storage::ObjectStore* store = nullptr) {
    const std::string topic = "file:" + name + "#" + hash;
    Epoch epoch = Stage(plan_id, topic, 0, rows, store);
    epoch.ranges.clear();
    epoch.landing = {{.file = {.table = Main(),
                               .name = name,
                               .content_hash = hash,
                               .topic = topic,
                               .rows_good = rows,
                               .raw_uri = uri_ + "/raw/" + name},
                      .known_hash = known_hash,
                      .replaced_topics = {}}};
    if (known_hash) epoch.landing[0].replaced_topics = {"file:" + name + "#" + *known_hash};
    return epoch;
  }

  /// Ids of plans that are open, or not cleaned up after.
  std::vector<std::string> UnfinishedPlans() {
    std::vector<std::string> ids;
    const auto plans = catalog_->UnfinishedPlans();
    EXPECT_TRUE(plans.ok());
    for (const catalog::PlanRow& plan : *plans) ids.push_back(plan.plan_id);
    return ids;
  }
  /// What lies in `_staging/`, without the folders of owners that have nothing there.
  std::vector<std::string> Staged() {
    std::vector<std::string> names;
    const auto objects = store_->List(uri_ + "/_staging");
    EXPECT_TRUE(objects.ok());
    for (const storage::ObjectInfo& object : *objects) names.push_back(object.uri);
    return names;
  }
  /// Current rows of the ledger.
  std::vector<catalog::LandingFile> Ledger() {
    return *catalog_->LandingFiles(Main(), Load(Main()).metadata->table_uuid, true);
  }

  /// What an Iceberg reader sees.
  Rows LiveRows(const catalog::TableId& id) {
    Rows rows;
    const auto files = catalog::LiveFiles(*store_, *Load(id).metadata);
    EXPECT_TRUE(files.ok()) << files.error().ToString();
    for (const catalog::LiveFile& file : *files) {
      EXPECT_EQ(store_->Stat(file.file.path)->bytes, file.file.file_bytes) << file.file.path;
      EXPECT_EQ(AddRows(file.file.path, rows), file.file.record_count) << file.file.path;
    }
    return rows;
  }

  /// What `data/**/*.parquet` holds.
  Rows GlobRows(const catalog::TableId& id) {
    Rows rows;
    const auto objects = store_->List(Load(id).metadata->location + "/data");
    EXPECT_TRUE(objects.ok());
    for (const storage::ObjectInfo& object : *objects) AddRows(object.uri, rows);
    return rows;
  }

  /// Offsets [begin, end) of a topic as Stage() splits them, each once.
  static Rows Expected(const std::string& topic, int64_t begin, int64_t end, bool dead) {
    Rows rows;
    for (int64_t offset = begin; offset < end; ++offset) {
      if ((offset % 4 == 3) == dead) rows[{topic, offset}] = 1;
    }
    return rows;
  }

 private:
  int64_t AddRows(const std::string& uri, Rows& rows) {
    auto reader =
        *parquet::arrow::OpenFile(*store_->OpenForRead(uri), arrow::default_memory_pool());
    const auto table = *reader->ReadTable();
    const auto combined = *table->CombineChunksToBatch();
    const auto& topics =
        static_cast<const arrow::StringArray&>(*combined->GetColumnByName("_topic"));
    const auto& offsets =
        static_cast<const arrow::Int64Array&>(*combined->GetColumnByName("_offset"));
    for (int64_t i = 0; i < combined->num_rows(); ++i) {
      ++rows[{topics.GetString(i), offsets.Value(i)}];
    }
    return combined->num_rows();
  }

  bool owns_folder_;
  std::string root_;
  std::string uri_;
  FakeClock clock_;
  std::unique_ptr<storage::ObjectStore> store_;
  std::unique_ptr<catalog::Catalog> catalog_;
};

inline Rows operator+(Rows a, const Rows& b) {
  for (const auto& [key, count] : b) a[key] += count;
  return a;
}

}  // namespace playhead::table::testing
