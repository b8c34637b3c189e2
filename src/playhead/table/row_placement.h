#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"
#include "playhead/table/ensure_table.h"

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace playhead::table {

/// Says in which partition of a table's current spec rows belong. Fields that the declaration has
/// too take the values that came with the rows; another writer's fields are computed from them.
class RowPlacement {
 public:
  using Key = std::vector<iceberg::PartitionValue>;
  struct Part {
    Key key;
    std::shared_ptr<arrow::RecordBatch> rows;
  };

  /// Without `declared` keys come as the table's spec has them. Errors: kNotSupported names the
  /// field that cannot be computed and says how to go on.
  static Result<RowPlacement> Make(const iceberg::TableMetadata& table, const TableSpec* declared);

  size_t key_size() const { return key_size_; }  ///< of the keys that come with rows
  /// All rows of a key are of one partition; else Split() says of which.
  bool is_known_by_key() const { return computed_ == 0; }
  Key Place(const Key& given) const;
  /// In the order of their first rows. `rows` have the columns of the table's current schema.
  Result<std::vector<Part>> Split(const Key& given,
                                  const std::shared_ptr<arrow::RecordBatch>& rows) const;

 private:
  struct Field {
    iceberg::PartitionField field;
    std::optional<size_t> given;  ///< position in the keys that come with rows
    int column = -1;              ///< to be computed from; -1 for void
    iceberg::TypeKind kind = iceberg::TypeKind::kString;
  };

  std::vector<Field> fields_;
  size_t key_size_ = 0;
  size_t computed_ = 0;
};

}  // namespace playhead::table
