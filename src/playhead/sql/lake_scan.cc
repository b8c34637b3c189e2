#include "playhead/sql/lake_scan.h"

#include "playhead/sql/connection_lake.h"
#include "playhead/sql/duckdb_types.h"
#include "playhead/sql/file_pruning.h"
#include "playhead/sql/name_mapping.h"
#include "playhead/sql/quote.h"
#include "playhead/sql/store_file_system.h"

#include <duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp>
#include <duckdb/common/multi_file/multi_file_list.hpp>
#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/function/replacement_scan.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/optimizer/filter_combiner.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/tableref/table_function_ref.hpp>
#include <duckdb/planner/expression.hpp>
#include <duckdb/storage/statistics/node_statistics.hpp>

#include <list>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace playhead::sql {
namespace {

using LiveFiles = std::vector<const catalog::LiveFile*>;

using Lake = duckdb::shared_ptr<ConnectionLake>;

/// The live files of a table, or those of them that are left after pruning. The manifests are read
/// when the first file is asked for. Threads: any.
class LakeFileList final : public duckdb::MultiFileList {
 public:
  LakeFileList(Lake lake, std::shared_ptr<LakeTable> table)
      : lake_(std::move(lake)), table_(std::move(table)) {}

  const std::shared_ptr<LakeTable>& table() const { return table_; }

  duckdb::vector<duckdb::OpenFileInfo> GetAllFiles() const override { return Listed().infos; }
  duckdb::FileExpandResult GetExpandResult() const override {
    const size_t count = Listed().infos.size();
    if (count == 0) return duckdb::FileExpandResult::NO_FILES;
    return count == 1 ? duckdb::FileExpandResult::SINGLE_FILE
                      : duckdb::FileExpandResult::MULTIPLE_FILES;
  }
  duckdb::idx_t GetTotalFileCount() const override { return Listed().infos.size(); }
  duckdb::unique_ptr<duckdb::NodeStatistics> GetCardinality(duckdb::ClientContext&) const override {
    const duckdb::idx_t rows = CountRows();
    return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
  }
  /// As the manifests say.
  duckdb::idx_t CountRows() const {
    duckdb::idx_t rows = 0;
    for (const catalog::LiveFile* file : Listed().files) {
      rows += static_cast<duckdb::idx_t>(file->file.record_count);
    }
    return rows;
  }
  duckdb::unique_ptr<duckdb::MultiFileList> Copy() const override {
    auto copy = duckdb::make_uniq<LakeFileList>(lake_, table_);
    const std::lock_guard lock(mutex_);
    copy->listed_ = listed_;
    return copy;
  }

  /// The files that may pass the filters; null when these are all.
  duckdb::unique_ptr<duckdb::MultiFileList> Pruned(const duckdb::TableFilterSet& filters) const {
    if (filters.filters.empty()) return nullptr;
    const Listing& all = Listed();
    auto kept = std::make_shared<Listing>(Listing{.owner = all.owner, .files = {}, .infos = {}});
    for (size_t i = 0; i < all.files.size(); ++i) {
      if (!MayHoldRows(table_->metadata(), *all.files[i], filters)) continue;
      kept->files.push_back(all.files[i]);
      kept->infos.push_back(all.infos[i]);
    }
    if (kept->files.size() == all.files.size()) return nullptr;
    auto pruned = duckdb::make_uniq<LakeFileList>(lake_, table_);
    pruned->listed_ = std::move(kept);
    return pruned;
  }

 protected:
  duckdb::OpenFileInfo GetFile(duckdb::idx_t i) const override {
    const Listing& listed = Listed();
    return i < listed.infos.size() ? listed.infos[i] : duckdb::OpenFileInfo();
  }
  bool FileIsAvailable(duckdb::idx_t i) const override { return i < Listed().infos.size(); }

 private:
  struct Listing {
    std::shared_ptr<const std::vector<catalog::LiveFile>> owner;
    LiveFiles files;
    duckdb::vector<duckdb::OpenFileInfo> infos;  ///< one per file
  };

  [[noreturn]] void Throw(const Status& status) const {
    lake_->NoteFailure(status);
    throw duckdb::IOException(status.ToString());
  }

  const Listing& Listed() const {
    const std::lock_guard lock(mutex_);
    if (listed_ == nullptr) listed_ = ListAll();
    return *listed_;
  }

  std::shared_ptr<const Listing> ListAll() const {
    auto owner = table_->Files();
    if (!owner.ok()) Throw(owner.error());
    auto listing = std::make_shared<Listing>(Listing{.owner = *owner, .files = {}, .infos = {}});
    for (const catalog::LiveFile& file : *listing->owner) {
      listing->files.push_back(&file);
      listing->infos.emplace_back(StorePath(file.file.path));
    }
    return listing;
  }

  Lake lake_;
  std::shared_ptr<LakeTable> table_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Listing> listed_;
};

bool HasFieldIds(const duckdb::vector<duckdb::MultiFileColumnDefinition>& columns) {
  for (const auto& column : columns) {
    if (!column.identifier.IsNull() &&
        column.identifier.type().id() == duckdb::LogicalTypeId::INTEGER) {
      return true;
    }
  }
  return false;
}

/// Makes the Parquet reader read a lake table.
class LakeReader final : public duckdb::MultiFileReader {
 public:
  static duckdb::unique_ptr<duckdb::MultiFileReader> Create(const duckdb::TableFunction&) {
    return duckdb::make_uniq<LakeReader>();
  }

  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override {
    auto copy = duckdb::make_uniq<LakeReader>();
    copy->names_by_id_ = names_by_id_;
    return copy;
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext& context,
                                                           const duckdb::vector<std::string>& name,
                                                           const duckdb::FileGlobInput&) override {
    if (name.size() != 2 && name.size() != 3) {
      throw duckdb::BinderException(
          "playhead_scan needs a list of namespace, table and, if wanted, snapshot");
    }
    Lake lake = ConnectionLake::Of(context);
    std::shared_ptr<LakeTable> table = lake->moment()->Find(name[0], name[1]);
    if (table == nullptr) {
      throw duckdb::BinderException("the lake has no table " + name[0] + "." + name[1]);
    }
    if (name.size() == 3) {
      const iceberg::Snapshot* snapshot = nullptr;
      for (const iceberg::Snapshot& known : table->metadata().snapshots) {
        if (std::to_string(known.snapshot_id) == name[2]) snapshot = &known;
      }
      if (snapshot == nullptr)
        throw duckdb::BinderException("the table has no snapshot " + name[2]);
      table = table->At(*snapshot);
    }
    return duckdb::make_shared_ptr<LakeFileList>(std::move(lake), std::move(table));
  }

  bool Bind(duckdb::MultiFileOptions&, duckdb::MultiFileList& files,
            duckdb::vector<duckdb::LogicalType>& types, duckdb::vector<std::string>& names,
            duckdb::MultiFileReaderBindData& bind_data) override {
    const iceberg::TableMetadata& metadata = static_cast<LakeFileList&>(files).table()->metadata();
    for (const iceberg::NestedField& field : metadata.CurrentSchema().fields) {
      bind_data.schema.push_back(ColumnDefinition(field));
      names.push_back(field.name);
      types.push_back(bind_data.schema.back().type);
    }
    bind_data.mapping = duckdb::MultiFileColumnMappingMode::BY_FIELD_ID;
    names_by_id_ = ReadNameMapping(metadata);
    return true;
  }

  void BindOptions(duckdb::MultiFileOptions& options, duckdb::MultiFileList&,
                   duckdb::vector<duckdb::LogicalType>&, duckdb::vector<std::string>&,
                   duckdb::MultiFileReaderBindData&) override {
    // Folders repeat what columns hold already, under names that may be other columns'.
    options.auto_detect_hive_partitioning = false;
    options.hive_partitioning = false;
    options.union_by_name = false;
  }

  duckdb::unique_ptr<duckdb::MultiFileList> ComplexFilterPushdown(
      duckdb::ClientContext& context, duckdb::MultiFileList& files, const duckdb::MultiFileOptions&,
      duckdb::MultiFilePushdownInfo& info,
      duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& filters) override {
    if (filters.empty()) return nullptr;
    duckdb::FilterCombiner combiner(context);
    for (const auto& filter : filters) combiner.AddFilter(filter->Copy());
    duckdb::vector<duckdb::FilterPushdownResult> unused;
    const duckdb::TableFilterSet set =
        combiner.GenerateTableScanFilters(info.column_indexes, unused);
    return static_cast<LakeFileList&>(files).Pruned(set);
  }

  duckdb::unique_ptr<duckdb::MultiFileList> DynamicFilterPushdown(
      duckdb::ClientContext&, const duckdb::MultiFileList& files, const duckdb::MultiFileOptions&,
      const duckdb::vector<std::string>&, const duckdb::vector<duckdb::LogicalType>&,
      const duckdb::vector<duckdb::column_t>& column_ids,
      duckdb::TableFilterSet& filters) override {
    // These are keyed by position in the projection.
    duckdb::TableFilterSet by_column;
    for (const auto& [position, filter] : filters.filters) {
      by_column.PushFilter(duckdb::ColumnIndex(column_ids[position]), filter->Copy());
    }
    return static_cast<const LakeFileList&>(files).Pruned(by_column);
  }

  duckdb::ReaderInitializeType CreateMapping(
      duckdb::ClientContext& context, duckdb::MultiFileReaderData& reader_data,
      const duckdb::vector<duckdb::MultiFileColumnDefinition>& global_columns,
      const duckdb::vector<duckdb::ColumnIndex>& global_column_ids,
      duckdb::optional_ptr<duckdb::TableFilterSet> filters, duckdb::MultiFileList& files,
      const duckdb::MultiFileReaderBindData& bind_data,
      const duckdb::virtual_column_map_t& virtual_columns) override {
    const auto& local_columns = reader_data.reader->GetColumns();
    if (HasFieldIds(local_columns)) {
      return MultiFileReader::CreateMapping(context, reader_data, global_columns, global_column_ids,
                                            filters, files, bind_data, virtual_columns,
                                            duckdb::MultiFileColumnMappingMode::BY_FIELD_ID);
    }
    return MultiFileReader::CreateMapping(
        context, reader_data, ByName(global_columns, local_columns), global_column_ids, filters,
        files, bind_data, virtual_columns, duckdb::MultiFileColumnMappingMode::BY_NAME);
  }

 private:
  using Columns = duckdb::vector<duckdb::MultiFileColumnDefinition>;

  /// The mapping of a file may refer to its columns as long as the query runs.
  const Columns& ByName(const Columns& global_columns, const Columns& local_columns) {
    Columns named = NameColumns(global_columns, local_columns, names_by_id_);
    const std::lock_guard lock(mutex_);
    return named_columns_.emplace_back(std::move(named));
  }

  NamesById names_by_id_;
  std::mutex mutex_;
  std::list<Columns> named_columns_;
};

/// The manifests know how many rows a file has, so that count(*) opens none. Exact, since a table
/// with delete files is refused.
duckdb::vector<duckdb::PartitionStatistics> CountRowsOfFiles(
    duckdb::ClientContext&, duckdb::GetPartitionStatsInput& input) {
  const auto& bind_data = input.bind_data->Cast<duckdb::MultiFileBindData>();
  const auto& files = static_cast<const LakeFileList&>(*bind_data.file_list);
  duckdb::PartitionStatistics all;
  all.count = files.CountRows();
  all.count_type = duckdb::CountType::COUNT_EXACT;
  return {std::move(all)};
}

constexpr char kSnapshotSign = '@';

std::string ScanSql(const std::vector<std::string>& name) {
  std::string elements;
  for (const std::string& element : name) {
    elements += (elements.empty() ? "" : ", ") + QuotedText(element);
  }
  return "playhead_scan([" + elements + "])";
}

duckdb::unique_ptr<duckdb::TableRef> ReadSnapshot(const std::string& snapshot_name) {
  const size_t sign = snapshot_name.rfind(kSnapshotSign);
  const size_t dot = snapshot_name.find('.');
  if (sign == std::string::npos || dot > sign) return nullptr;
  auto ref = duckdb::make_uniq<duckdb::TableFunctionRef>();
  duckdb::vector<duckdb::unique_ptr<duckdb::ParsedExpression>> arguments =
      duckdb::Parser::ParseExpressionList(
          ScanSql({snapshot_name.substr(0, dot), snapshot_name.substr(dot + 1, sign - dot - 1),
                   snapshot_name.substr(sign + 1)}));
  ref->function = std::move(arguments[0]);
  return ref;
}

duckdb::unique_ptr<duckdb::TableRef> FindLakeName(
    duckdb::ClientContext& context, duckdb::ReplacementScanInput& input,
    duckdb::optional_ptr<duckdb::ReplacementScanData>) {
  const auto lake = context.registered_state->Get<ConnectionLake>(ConnectionLake::kKey);
  if (lake == nullptr) return nullptr;
  if (input.schema_name == kSnapshotSchema) return ReadSnapshot(input.table_name);
  for (const auto& [id, problem] : lake->moment()->problems) {
    if (!duckdb::StringUtil::CIEquals(id.name, input.table_name) ||
        !duckdb::StringUtil::CIEquals(id.table_namespace, input.schema_name)) {
      continue;
    }
    lake->NoteFailure(problem);
    throw duckdb::BinderException(problem.message());
  }
  return nullptr;
}

}  // namespace

void RegisterLakeNames(duckdb::DBConfig& config) {
  config.replacement_scans.emplace_back(FindLakeName);
}

std::string SnapshotName(const catalog::TableId& id, int64_t snapshot_id) {
  return id.ToString() + kSnapshotSign + std::to_string(snapshot_id);
}

void RegisterLakeScan(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "playhead");
  duckdb::TableFunctionSet functions("playhead_scan");
  for (const duckdb::TableFunction& parquet :
       loader.GetTableFunction("read_parquet").functions.functions) {
    if (parquet.arguments[0].id() != duckdb::LogicalTypeId::LIST) continue;
    duckdb::TableFunction function = parquet;
    function.name = "playhead_scan";
    function.named_parameters.clear();
    function.get_multi_file_reader = LakeReader::Create;
    // These assume files that DuckDB has listed and bound by itself.
    function.late_materialization = false;
    function.serialize = nullptr;
    function.deserialize = nullptr;
    function.statistics = nullptr;
    function.get_bind_info = nullptr;
    function.get_partition_stats = CountRowsOfFiles;
    functions.AddFunction(std::move(function));
  }
  loader.RegisterFunction(std::move(functions));
}

std::string CreateViewSql(const catalog::TableId& id) {
  return "CREATE OR REPLACE VIEW " + QuotedName(id.table_namespace) + "." + QuotedName(id.name) +
         " AS SELECT * FROM " + ScanSql({id.table_namespace, id.name});
}

}  // namespace playhead::sql
