#include "playhead/cli/table_places.h"

#include "playhead/storage/object_store.h"

#include <set>

namespace playhead::cli {

Result<std::vector<catalog::TablePlace>> TablesElsewhere(catalog::Catalog& catalog,
                                                         const std::string& warehouse_uri) {
  PH_ASSIGN_OR_RETURN(auto places, catalog::TablePlaces(catalog));
  std::erase_if(places, [&](const catalog::TablePlace& place) {
    return storage::IsBelow(place.metadata_location, warehouse_uri);
  });
  return places;
}

std::string DescribeElsewhere(const std::vector<catalog::TablePlace>& tables,
                              const std::string& warehouse_uri) {
  std::string names;
  std::set<std::string> folders;
  for (const catalog::TablePlace& table : tables) {
    names += (names.empty() ? "" : ", ") + table.id.ToString();
    folders.insert(catalog::WarehouseOf(table).value_or(table.metadata_location));
  }
  return fmt::format(
      "{} {} in another place than this warehouse and {} only read here: tables_in={} "
      "warehouse={}; if the warehouse was moved or copied, `playhead adopt` makes them this one's",
      names, tables.size() == 1 ? "lies" : "lie", tables.size() == 1 ? "is" : "are",
      fmt::join(folders, ", "), warehouse_uri);
}

}  // namespace playhead::cli
