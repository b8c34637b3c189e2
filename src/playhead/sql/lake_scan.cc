#include "playhead/sql/lake_scan.h"

#include "playhead/sql/duckdb_types.h"
#include "playhead/sql/file_pruning.h"
#include "playhead/sql/name_mapping.h"
#include "playhead/sql/store_file_system.h"

#include <duckdb/catalog/catalog_entry/table_function_catalog_entry.hpp>
#include <duckdb/common/multi_file/multi_file_list.hpp>
#include <duckdb/common/multi_file/multi_file_reader.hpp>
#include <duckdb/function/replacement_scan.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/optimizer/filter_combiner.hpp>
#include <duckdb/parser/keyword_helper.hpp>
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

struct LakeScanInfo : public duckdb::TableFunctionInfo {
  explicit LakeScanInfo(LakeTables& lake_tables) : tables(lake_tables) {}
  LakeTables& tables;
};

/// The live files of a table, or those of them that are left after pruning. The manifests are read
/// when the first file is asked for. Threads: any.
class LakeFileList final : public duckdb::MultiFileList {
 public:
  LakeFileList(LakeTables& tables, std::shared_ptr<LakeTable> table)
      : tables_(tables), table_(std::move(table)) {}

  LakeTables& tables() const { return tables_; }
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
    auto copy = duckdb::make_uniq<LakeFileList>(tables_, table_);
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
    auto pruned = duckdb::make_uniq<LakeFileList>(tables_, table_);
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
    tables_.NoteFailure(status);
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

  LakeTables& tables_;
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
  explicit LakeReader(LakeTables& tables) : tables_(tables) {}

  static duckdb::unique_ptr<duckdb::MultiFileReader> Create(const duckdb::TableFunction& function) {
    auto& info = function.function_info->Cast<LakeScanInfo>();
    return duckdb::make_uniq<LakeReader>(info.tables);
  }

  duckdb::unique_ptr<duckdb::MultiFileReader> Copy() const override {
    auto copy = duckdb::make_uniq<LakeReader>(tables_);
    copy->names_by_id_ = names_by_id_;
    return copy;
  }

  duckdb::shared_ptr<duckdb::MultiFileList> CreateFileList(duckdb::ClientContext&,
                                                           const duckdb::vector<std::string>& paths,
                                                           const duckdb::FileGlobInput&) override {
    if (paths.size() != 2) {
      throw duckdb::BinderException("playhead_scan needs a list of namespace and table");
    }
    const catalog::TableId id{.table_namespace = paths[0], .name = paths[1]};
    std::shared_ptr<LakeTable> table = tables_.Find(id);
    if (table == nullptr) {
      throw duckdb::BinderException("the lake has no table " + id.ToString());
    }
    return duckdb::make_shared_ptr<LakeFileList>(tables_, std::move(table));
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

  LakeTables& tables_;
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

struct Problems : public duckdb::ReplacementScanData {
  explicit Problems(LakeTables& lake_tables) : tables(lake_tables) {}
  LakeTables& tables;
};

/// DuckDB asks when it knows no table of that name.
duckdb::unique_ptr<duckdb::TableRef> ThrowProblem(
    duckdb::ClientContext&, duckdb::ReplacementScanInput& input,
    duckdb::optional_ptr<duckdb::ReplacementScanData> data) {
  LakeTables& tables = data->Cast<Problems>().tables;
  for (const auto& [id, problem] : tables.problems()) {
    if (!duckdb::StringUtil::CIEquals(id.name, input.table_name) ||
        !duckdb::StringUtil::CIEquals(id.table_namespace, input.schema_name)) {
      continue;
    }
    tables.NoteFailure(problem);
    throw duckdb::BinderException(problem.message());
  }
  return nullptr;
}

}  // namespace

void RegisterProblems(duckdb::DBConfig& config, LakeTables& tables) {
  config.replacement_scans.emplace_back(ThrowProblem, duckdb::make_uniq<Problems>(tables));
}

void RegisterLakeScan(duckdb::DatabaseInstance& database, LakeTables& tables) {
  duckdb::ExtensionLoader loader(database, "playhead");
  duckdb::TableFunctionSet functions("playhead_scan");
  for (const duckdb::TableFunction& parquet :
       loader.GetTableFunction("read_parquet").functions.functions) {
    if (parquet.arguments[0].id() != duckdb::LogicalTypeId::LIST) continue;
    duckdb::TableFunction function = parquet;
    function.name = "playhead_scan";
    function.named_parameters.clear();
    function.get_multi_file_reader = LakeReader::Create;
    function.function_info = duckdb::make_shared_ptr<LakeScanInfo>(tables);
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
  const auto quoted = [](const std::string& text, char quote) {
    return duckdb::KeywordHelper::WriteQuoted(text, quote);
  };
  return "CREATE OR REPLACE VIEW " + quoted(id.table_namespace, '"') + "." + quoted(id.name, '"') +
         " AS SELECT * FROM playhead_scan([" + quoted(id.table_namespace, '\'') + ", " +
         quoted(id.name, '\'') + "])";
}

}  // namespace playhead::sql
