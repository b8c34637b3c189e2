#include "playhead/catalog/rebind.h"

#include "playhead/catalog/sql_catalog.h"
#include "playhead/catalog/sqlite_connection.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <utility>

namespace playhead::catalog {
namespace {

using nlohmann::json;

// True when a string was moved.
bool MoveStrings(json& value, const PlaceMove& move) {
  if (value.is_string()) {
    std::optional<std::string> moved = MovedUri(value.get_ref<const std::string&>(), move);
    if (!moved) return false;
    value = *std::move(moved);
    return true;
  }
  bool is_moved = false;
  if (value.is_structured()) {
    for (json& element : value) is_moved = MoveStrings(element, move) || is_moved;
  }
  return is_moved;
}

std::string Quoted(std::string_view name) { return fmt::format("\"{}\"", name); }

// A cell is a place itself, or JSON with places in it.
Result<std::string> MovedCell(const std::string& text, const PlaceMove& move) {
  if (text.starts_with('{') || text.starts_with('[')) return MovedJson(text, move);
  return MovedUri(text, move).value_or(text);
}

Status MoveColumn(SqlConnection& db, const std::string& table, const std::string& column,
                  const PlaceMove& move) {
  PH_ASSIGN_OR_RETURN(const auto rows,
                      db.Query(fmt::format("SELECT rowid, {0} FROM {1} WHERE typeof({0}) = 'text'",
                                           Quoted(column), Quoted(table)),
                               {}));
  const std::string update =
      fmt::format("UPDATE {} SET {} = ?1 WHERE rowid = ?2", Quoted(table), Quoted(column));
  for (const SqlRow& row : rows) {
    const std::string text = row.Text(1);
    PH_ASSIGN_OR_RETURN(const std::string moved, MovedCell(text, move));
    if (moved != text) PH_RETURN_IF_ERROR(db.Execute(update, {moved, row.Int(0)}));
  }
  return {};
}

// All columns of all our tables, so that a place in a column made later is not forgotten here.
Status MoveOurRows(SqlConnection& db, const PlaceMove& move) {
  PH_ASSIGN_OR_RETURN(const auto columns,
                      db.Query("SELECT m.name, c.name FROM sqlite_master AS m, "
                               "pragma_table_info(m.name) AS c WHERE m.type = 'table' AND m.name "
                               "LIKE 'playhead\\_%' ESCAPE '\\' ORDER BY m.name, c.cid",
                               {}));
  for (const SqlRow& row : columns) {
    PH_RETURN_IF_ERROR(MoveColumn(db, row.Text(0), row.Text(1), move)
                           .WithContext(row.Text(0) + "." + row.Text(1)));
  }
  return {};
}

Status MoveTable(SqlConnection& db, const TableMove& move) {
  PH_ASSIGN_OR_RETURN(
      const int64_t moved,
      db.Execute(
          "UPDATE iceberg_tables SET metadata_location = ?4, previous_metadata_location = "
          "NULL WHERE catalog_name = 'playhead' AND table_namespace = ?1 AND table_name = ?2 "
          "AND metadata_location = ?3",
          {move.id.table_namespace, move.id.name, move.old_location, move.new_location}));
  if (moved == 1) return {};
  return Error(StatusCode::kConflict,
               "the table changed meanwhile, nothing was adopted; run it again: table={}",
               move.id.ToString());
}

}  // namespace

std::optional<std::string> MovedUri(std::string_view uri, const PlaceMove& move) {
  const auto moved_from = [&](std::string_view from) -> std::optional<std::string> {
    if (!uri.starts_with(from)) return std::nullopt;
    const std::string_view rest = uri.substr(from.size());
    if (!rest.empty() && rest.front() != '/') return std::nullopt;
    return move.to_uri + std::string(rest);
  };
  const std::string_view from = move.from_uri;
  if (auto moved = moved_from(from)) return moved;
  constexpr std::string_view kFile = "file://";
  if (!from.starts_with(kFile)) return std::nullopt;
  const std::string_view path = from.substr(kFile.size());
  if (auto moved = moved_from(path)) return moved;
  return moved_from("file:" + std::string(path));
}

Result<std::string> MovedJson(const std::string& text, const PlaceMove& move) {
  try {
    json value = json::parse(text);
    return MoveStrings(value, move) ? value.dump() : text;
  } catch (const json::exception& error) {
    return Error(StatusCode::kDataCorrupt, "JSON is unreadable: {}", error.what());
  }
}

std::optional<std::string> WarehouseOf(const TablePlace& place) {
  std::string_view uri = place.metadata_location;
  uri = uri.substr(0, uri.rfind('/'));
  const std::string tail = fmt::format("/{}/{}/metadata", place.id.table_namespace, place.id.name);
  if (!uri.ends_with(tail) || uri.size() == tail.size()) return std::nullopt;
  uri.remove_suffix(tail.size());
  return std::string(uri);
}

Result<std::vector<TablePlace>> TablePlaces(Catalog& catalog) {
  PH_ASSIGN_OR_RETURN(const auto locations, catalog.Locations());
  std::vector<TablePlace> places;
  for (const auto& [id, location] : locations) {
    places.push_back({.id = id, .metadata_location = location});
  }
  return places;
}

Status RebindCatalog(const std::string& path, std::span<const TableMove> tables,
                     const PlaceMove& move) {
  PH_ASSIGN_OR_RETURN(const auto db, OpenSqliteConnection(path, /*read_only=*/false));
  PH_RETURN_IF_ERROR(CheckCatalogTables(*db).WithContext(path));
  SqlTransaction transaction(*db);
  PH_RETURN_IF_ERROR(transaction.Begin(SqlConnection::Access::kWrite));
  for (const TableMove& table : tables) PH_RETURN_IF_ERROR(MoveTable(*db, table));
  PH_RETURN_IF_ERROR(MoveOurRows(*db, move));
  const Status committed = transaction.Commit();
  if (committed.ok()) return {};
  return Error(StatusCode::kCommitUnknown,
               "whether the tables were adopted is not known, run it "
               "again: {}",
               committed.message());
}

}  // namespace playhead::catalog
