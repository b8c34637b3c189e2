#pragma once

#include "playhead/base/status.h"
#include "playhead/iceberg/types.h"
#include "playhead/table/column_binding.h"

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

namespace playhead::table {

/// Gives batches of a declaration the columns of a table's current schema: found by field id
/// (ColumnBinder), put in the table's order, widened to its types; what is not declared is null.
/// A batch that is as the table wants it is passed on as it is. Threads: one at a time.
class RowAdapter {
 public:
  explicit RowAdapter(const iceberg::TableMetadata& table);

  /// With field ids; the schema of all batches returned, but for text that comes as codes.
  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// Text, also in lists, may come as codes of a dictionary (int32) and stays so.
  /// Errors: kInvalidArgument names the column: the table does not have it, or has another type, or
  /// requires one that the batch has not.
  Result<std::shared_ptr<arrow::RecordBatch>> Adapt(
      const std::shared_ptr<arrow::RecordBatch>& rows);

 private:
  Status Plan(const arrow::Schema& given);

  const std::string location_;
  const ColumnBinder binder_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::Schema> given_;  // of the last batch, which the plan is for
  std::shared_ptr<arrow::Schema> bound_;
  std::vector<int> sources_;  // of each column of the table: the batch's, -1 = null
  bool is_identity_ = false;
};

}  // namespace playhead::table
