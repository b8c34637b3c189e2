#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace playhead::table {

/// Table property: JSON object of declared column (`a`, fields of structs as `a.b`) and field id.
/// It is written with the schema, so that a column which another writer renames stays the declared
/// one.
inline constexpr std::string_view kColumnsKey = "playhead.columns";

/// Finds the declared columns in a table as it is today. Keeps what it needs of the metadata.
class ColumnBinder {
 public:
  explicit ColumnBinder(const iceberg::TableMetadata& table);

  /// Each column, and each field of a struct at any depth, under the name that the table has for
  /// it, in the order of `declared`. Found by field id (kColumnsKey), else by name. Numbers are as
  /// wide as the table's where these are wider. What the table does not have stays as declared.
  /// Errors: kInvalidArgument (two declared columns are one of the table's).
  Result<std::shared_ptr<arrow::Schema>> Bind(const arrow::Schema& declared) const;

  const iceberg::Schema& schema() const { return schema_; }

 private:
  const iceberg::Schema schema_;
  const std::map<std::string, int32_t> ids_;  // kColumnsKey
};

/// The value of kColumnsKey for a table that has all of `bound`, as ColumnBinder::Bind() returned
/// it for `declared`.
std::string ColumnIds(const arrow::Schema& declared, const arrow::Schema& bound,
                      const iceberg::Schema& schema);

}  // namespace playhead::table
