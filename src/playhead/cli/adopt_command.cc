#include "playhead/cli/adopt_command.h"

#include "playhead/base/file_lock.h"
#include "playhead/cli/lake.h"
#include "playhead/cli/output.h"
#include "playhead/cli/table_places.h"
#include "playhead/config/config.h"
#include "playhead/storage/scoped_store.h"
#include "playhead/table/moved_table.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace playhead::cli {
namespace {

using catalog::TablePlace;

struct AdoptArgs {
  std::string moved_from;
  std::optional<std::string> format;
};

/// The warehouse that the tables name: as given, else the only one there is.
Result<std::string> OldWarehouse(const AdoptArgs& args, const std::vector<TablePlace>& elsewhere) {
  if (!args.moved_from.empty()) {
    return storage::NormalizeUri(args.moved_from, std::filesystem::current_path().string());
  }
  std::set<std::string> warehouses;
  for (const TablePlace& place : elsewhere) {
    if (auto warehouse = catalog::WarehouseOf(place)) warehouses.insert(*std::move(warehouse));
  }
  if (warehouses.size() == 1) return *warehouses.begin();
  return Error(StatusCode::kInvalidArgument,
               "the tables lie in {} places, so --moved-from has to say which of them this "
               "warehouse was: {}",
               warehouses.size(), fmt::join(warehouses, ", "));
}

/// Opened for writing, so that a catalog of the release before has the present format.
Result<std::vector<TablePlace>> ReadTablesElsewhere(const config::ResolvedConfig& config,
                                                    storage::ObjectStore& store) {
  PH_ASSIGN_OR_RETURN(const auto catalog, catalog::OpenSqliteCatalog(config.catalog_path, store));
  return TablesElsewhere(*catalog, config.warehouse_uri);
}

/// Two warehouses that share files or a catalog would damage each other.
Status CheckIsOwn(const config::ResolvedConfig& config, storage::ObjectStore& store,
                  const std::vector<TablePlace>& tables, const catalog::PlaceMove& move) {
  const bool has_own_catalog = storage::IsBelow(config.catalog_path, config.warehouse_uri);
  const std::string root = storage::RealPlace(config.warehouse_uri);
  for (const TablePlace& table : tables) {
    if (!has_own_catalog && store.Stat(table.metadata_location).ok()) {
      return Error(StatusCode::kPermissionDenied,
                   "the catalog is outside the warehouse and serves the old one, which is still "
                   "there: catalog={} table={}; give the copy a catalog of its own, or remove the "
                   "old warehouse if it was moved",
                   config.catalog_path, table.metadata_location);
    }
    const std::string moved = catalog::MovedUri(table.metadata_location, move).value_or("");
    if (!storage::IsBelow(storage::RealPlace(moved), root)) {
      return Error(StatusCode::kPermissionDenied,
                   "the table's folder is a link that leads out of the warehouse: table={} uri={}; "
                   "copy what it leads to",
                   table.id.ToString(), moved);
    }
  }
  return {};
}

Result<std::vector<table::MovedTable>> Adopt(const config::ResolvedConfig& config,
                                             const AdoptArgs& args) {
  // What only reads makes no catalog where there is none.
  PH_RETURN_IF_ERROR(OpenLake(config));
  Result<FileLock> lock = FileLock::Acquire(config.lock_file);
  if (!lock.ok()) return lock.error().WithContext("the warehouse is in use");
  PH_ASSIGN_OR_RETURN(std::unique_ptr<storage::ObjectStore> opened,
                      storage::OpenStore(config.warehouse_uri));
  storage::ScopedStore store(std::move(opened), config.warehouse_uri);
  PH_ASSIGN_OR_RETURN(std::vector<TablePlace> tables, ReadTablesElsewhere(config, store));
  std::vector<table::MovedTable> moved;
  if (tables.empty()) return moved;
  PH_ASSIGN_OR_RETURN(const std::string old, OldWarehouse(args, tables));
  const catalog::PlaceMove move{.from_uri = old, .to_uri = config.warehouse_uri};
  // A table that lies in a third place stays where it is, and is refused by name as before.
  std::erase_if(tables, [&](const TablePlace& table) {
    return !catalog::MovedUri(table.metadata_location, move).has_value();
  });
  if (tables.empty()) {
    return Error(StatusCode::kNotFound, "no table of the catalog lies there: moved_from={}", old);
  }
  PH_RETURN_IF_ERROR(CheckIsOwn(config, store, tables, move));
  std::vector<catalog::TableMove> moves;
  for (const TablePlace& table : tables) {
    PH_ASSIGN_OR_RETURN(table::MovedTable one, table::RewriteMovedTable(store, table, move));
    moves.push_back(one.metadata.move);
    moved.push_back(std::move(one));
  }
  PH_RETURN_IF_ERROR(catalog::RebindCatalog(config.catalog_path, moves, move));
  for (const table::MovedTable& one : moved) table::WriteVersionHint(store, one.metadata);
  WriteNote(fmt::format(
      "adopted {} tables of {}; nothing was changed there. The journal came along: events in it "
      "that were not ingested yet are ingested here, and there as well if it is a copy\n",
      moved.size(), old));
  return moved;
}

int RunAdopt(const config::ResolvedConfig& config, const AdoptArgs& args) {
  const Result<std::vector<table::MovedTable>> moved = Adopt(config, args);
  if (!moved.ok()) return Fail(moved.error());
  if (moved->empty()) WriteNote("every table lies in the warehouse: nothing to adopt\n");
  Table table{.columns = {"table", "snapshots", "files", "location"}, .rows = {}};
  for (const table::MovedTable& one : *moved) {
    const catalog::TableMove& move = one.metadata.move;
    table.rows.push_back({move.id.ToString(),
                          static_cast<int64_t>(move.new_metadata->snapshots.size()), one.live_files,
                          move.new_metadata->location});
  }
  const Status printed = WriteOut(Render(table, ChooseFormat(args.format), TerminalColumns()));
  return printed.ok() ? kExitDone : Fail(printed);
}

}  // namespace

void AddAdoptCommand(CommandLine& line) {
  auto args = std::make_shared<AdoptArgs>();
  CLI::App& app = line.Add("adopt",
                           "Makes a moved or copied warehouse independent: its tables name the "
                           "place they lie in now; the old place is not touched",
                           "playhead adopt");
  app.add_option("--moved-from", args->moved_from,
                 "The old warehouse, a folder or URI; by default the one that the tables name");
  AddFormatFlag(app, args->format);
  line.OnRun(app, [args](const config::ResolvedConfig& config) { return RunAdopt(config, *args); });
}

}  // namespace playhead::cli
