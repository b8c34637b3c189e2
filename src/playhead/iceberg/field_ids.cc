#include "playhead/iceberg/field_ids.h"

namespace playhead::iceberg {
namespace {

constexpr int32_t kFieldIdMax = 2'147'483'447;

}  // namespace

Status AssignFreshIds(std::vector<NestedField>* fields, int32_t* last_column_id) {
  for (NestedField& field : *fields) {
    if (*last_column_id >= kFieldIdMax) {
      return Error(StatusCode::kInvalidArgument, "field ids are used up: last_column_id={}",
                   *last_column_id);
    }
    field.id = ++*last_column_id;
  }
  for (NestedField& field : *fields) {
    if (field.type->fields.empty()) continue;
    Type type = *field.type;
    PH_RETURN_IF_ERROR(AssignFreshIds(&type.fields, last_column_id));
    field.type = std::make_shared<const Type>(std::move(type));
  }
  return {};
}

}  // namespace playhead::iceberg
