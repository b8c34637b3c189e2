#pragma once

#include "playhead/project/project.h"

#include <string>
#include <string_view>
#include <vector>

namespace playhead::project {

/// `event_type`, `day(timestamp) as date` → fields. Errors: kInvalidArgument.
Result<PartitionDecl> ParsePartitionField(std::string_view text);

/// OK or what is wrong with the field for this table: unknown column, type and transform that do
/// not go together, name that is a column's. `columns` include the source columns and
/// `ingestion_date`.
Status CheckPartitionField(const PartitionDecl& field, const std::vector<ColumnDecl>& columns);

}  // namespace playhead::project
