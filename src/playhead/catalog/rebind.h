#pragma once

#include "playhead/base/status.h"
#include "playhead/catalog/catalog.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::catalog {

/// A warehouse holds absolute places: in its catalog, in table metadata and in manifests. One that
/// was moved or copied still names the old ones; this is what puts the new ones there.
struct PlaceMove {
  std::string from_uri;  ///< folder of the old warehouse, without a slash at the end
  std::string to_uri;    ///< folder of the new one
};

/// Where a table's head lies, as the catalog says; nothing of it need exist.
struct TablePlace {
  TableId id;
  std::string metadata_location;
};

/// `uri` at its new place; none when it does not lie at the old one. `file:///x`, `file:/x` and
/// `/x` are one place.
std::optional<std::string> MovedUri(std::string_view uri, const PlaceMove& move);
/// A JSON text whose strings are moved, however deep they stand; the same text when none was.
/// Errors: kDataCorrupt.
Result<std::string> MovedJson(const std::string& json, const PlaceMove& move);
/// The warehouse that `place` names by lying at `<warehouse>/<namespace>/<table>/metadata/…`.
std::optional<std::string> WarehouseOf(const TablePlace& place);

/// The tables of a catalog, by name. Errors: the catalog's own.
Result<std::vector<TablePlace>> TablePlaces(Catalog& catalog);

/// Moves tables and every place that our own rows name (the ledger's raw copies, the files of open
/// plans) in one transaction. Errors: kConflict (a table is not where `tables` says; nothing
/// changed), those of ReadTablePlaces(), kCommitUnknown (look again).
Status RebindCatalog(const std::string& path, std::span<const TableMove> tables,
                     const PlaceMove& move);

}  // namespace playhead::catalog
