#include "playhead/sql/test_lake.h"

#include "playhead/base/uuid.h"
#include "playhead/iceberg/manifest.h"
#include "playhead/iceberg/metadata_json.h"
#include "playhead/iceberg/update.h"

#include <cstdlib>
#include <filesystem>

namespace playhead::sql {
namespace {

constexpr int64_t kNowMillis = 1'700'000'000'000;

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) fmt::print(stderr, "{}\n", result.error().ToString());
  PH_CHECK(result.ok());
  return *std::move(result);
}

void Must(const Status& status) {
  if (!status.ok()) fmt::print(stderr, "{}\n", status.ToString());
  PH_CHECK(status.ok());
}

}  // namespace

TestLake::TestLake() {
  std::string name = (std::filesystem::temp_directory_path() / "lake_XXXXXX").string();
  PH_CHECK(mkdtemp(name.data()) != nullptr);
  folder_ = std::filesystem::canonical(name).string();
  store_ = storage::MakeLocalStore();
  catalog_ = Must(catalog::OpenSqliteCatalog(folder_ + "/catalog.db", *store_));
}

TestLake::~TestLake() { std::filesystem::remove_all(folder_); }

void TestLake::MakeTable(const catalog::TableId& id, std::vector<iceberg::NestedField> fields,
                         std::map<std::string, std::string> properties) {
  iceberg::Schema schema{.schema_id = 0, .fields = std::move(fields), .identifier_field_ids = {}};
  const std::string location = "file://" + folder_ + "/" + id.table_namespace + "/" + id.name;
  const iceberg::TableMetadata metadata = iceberg::NewTable(
      NewUuid(), location, std::move(schema), 100, {}, std::move(properties), kNowMillis);
  Commit({.id = id, .metadata_location = {}, .metadata = nullptr}, metadata);
}

iceberg::DataFile TestLake::WriteFile(const std::string& name, const std::string& query,
                                      const std::string& field_ids) {
  const std::string path = folder_ + "/" + name + ".parquet";
  const std::string ids = field_ids.empty() ? "" : ", FIELD_IDS " + field_ids;
  auto result =
      connection_.Query("COPY (" + query + ") TO '" + path + "' (FORMAT parquet" + ids + ")");
  if (result->HasError()) fmt::print(stderr, "{}\n", result->GetError());
  PH_CHECK(!result->HasError());
  iceberg::DataFile file;
  file.path = "file://" + path;
  file.record_count = result->GetValue(0, 0).GetValue<int64_t>();
  file.file_bytes = static_cast<int64_t>(std::filesystem::file_size(path));
  return file;
}

void TestLake::Append(const catalog::TableId& id, const std::vector<iceberg::DataFile>& files) {
  const catalog::TableState before = Must(catalog_->Load(id));
  const iceberg::TableMetadata& base = *before.metadata;
  const int64_t snapshot_id = NewSnapshotId();
  const int64_t sequence_number = base.last_sequence_number + 1;
  const std::string stem = base.location + "/metadata/" + NewUuid();

  std::vector<iceberg::ManifestEntry> entries;
  for (const iceberg::DataFile& file : files) {
    entries.push_back({.status = iceberg::EntryStatus::kAdded,
                       .snapshot_id = snapshot_id,
                       .sequence_number = {},
                       .file_sequence_number = {},
                       .file = file});
  }
  const std::string bytes =
      Must(iceberg::WriteManifest(base.CurrentSchema(), base.DefaultSpec(), entries));
  Must(store_->Put(stem + "-m0.avro", bytes));
  std::vector<iceberg::ManifestFile> manifests;
  if (const iceberg::Snapshot* parent = base.CurrentSnapshot()) {
    manifests = Must(iceberg::ReadManifestList(Must(store_->Get(parent->manifest_list))));
  }
  manifests.push_back(iceberg::DescribeManifest(
      base.CurrentSchema(), base.DefaultSpec(), entries, stem + "-m0.avro",
      static_cast<int64_t>(bytes.size()), sequence_number, snapshot_id));
  Must(store_->Put(stem + "-list.avro",
                   Must(iceberg::WriteManifestList(manifests, snapshot_id, base.current_snapshot_id,
                                                   sequence_number))));
  iceberg::Snapshot snapshot;
  snapshot.snapshot_id = snapshot_id;
  snapshot.parent_snapshot_id = base.current_snapshot_id;
  snapshot.sequence_number = sequence_number;
  snapshot.timestamp_ms = kNowMillis;
  snapshot.manifest_list = stem + "-list.avro";
  snapshot.schema_id = base.current_schema_id;
  snapshot.summary = {{"operation", "append"}};
  Commit(before, Must(iceberg::AddSnapshot(base, snapshot, {}, base.last_column_id,
                                           before.metadata_location, {})));
}

void TestLake::Evolve(const catalog::TableId& id, std::vector<iceberg::NestedField> fields) {
  const catalog::TableState before = Must(catalog_->Load(id));
  iceberg::Schema schema{.schema_id = before.metadata->current_schema_id + 1,
                         .fields = std::move(fields),
                         .identifier_field_ids = {}};
  Commit(before, Must(iceberg::SetSchema(*before.metadata, std::move(schema), 200,
                                         before.metadata_location, kNowMillis, {})));
}

void TestLake::Commit(const catalog::TableState& before, const iceberg::TableMetadata& after) {
  const std::string location = fmt::format("{}/metadata/{:05}-{}.metadata.json", after.location,
                                           files_written_++, NewUuid());
  Must(store_->Put(location, iceberg::SerializeMetadata(after)));
  catalog::CommitRequest request;
  catalog::TableMove move;
  move.id = before.id;
  move.old_location = before.metadata_location;
  move.new_location = location;
  request.moves.push_back(move);
  Must(catalog_->Commit(request).ToStatus());
}

iceberg::NestedField Field(int32_t id, const std::string& name, iceberg::TypeKind kind) {
  auto type = std::make_shared<iceberg::Type>();
  type->kind = kind;
  return {.id = id, .name = name, .is_required = false, .type = type, .doc = {}};
}

}  // namespace playhead::sql
