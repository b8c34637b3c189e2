#pragma once

#include "playhead/base/status.h"
#include "playhead/base/uuid.h"
#include "playhead/catalog/catalog.h"

#include <memory>
#include <string>
#include <string_view>

namespace playhead::table {

/// A metadata file that is to be written and the catalog move that makes it the table's head.
struct NextMetadata {
  storage::NewObject object;
  catalog::TableMove move;
};

/// The file that follows `old_location` (empty: the table's first), with `uuid` in its name.
NextMetadata MakeNextMetadata(const catalog::TableId& id, const std::string& old_location,
                              iceberg::TableMetadata metadata, const std::string& uuid = NewUuid());

/// Tells path readers where the head is (`version-hint.text`). Best effort: a failure is logged.
void WriteVersionHint(storage::ObjectStore& store, const NextMetadata& next);

}  // namespace playhead::table
