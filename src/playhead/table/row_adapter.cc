#include "playhead/table/row_adapter.h"

#include "playhead/base/arrow_status.h"
#include "playhead/base/data_type_name.h"
#include "playhead/iceberg/arrow_schema.h"

#include <arrow/api.h>
#include <arrow/compute/cast.h>

#include <algorithm>
#include <utility>

namespace playhead::table {
namespace {

using arrow::Type;

/// Whether `given` is `type`, or its text as codes.
bool IsTypeOf(const arrow::DataType& given, const arrow::DataType& type) {
  if (given.id() == Type::DICTIONARY) {
    const auto& coded = static_cast<const arrow::DictionaryType&>(given);
    return coded.index_type()->id() == Type::INT32 && coded.value_type()->Equals(type) &&
           arrow::is_base_binary_like(type.id());
  }
  if (given.id() == Type::LIST && type.id() == Type::LIST &&
      given.field(0)->type()->id() == Type::DICTIONARY) {
    return IsTypeOf(*given.field(0)->type(), *type.field(0)->type());
  }
  return given.Equals(type);
}

bool IsWider(const arrow::DataType& given, const arrow::DataType& type) {
  if (given.id() == Type::INT32) return type.id() == Type::INT64;
  if (given.id() == Type::FLOAT) return type.id() == Type::DOUBLE;
  if (given.id() != Type::DECIMAL128 || type.id() != Type::DECIMAL128) return false;
  const auto& narrow = static_cast<const arrow::Decimal128Type&>(given);
  const auto& wide = static_cast<const arrow::Decimal128Type&>(type);
  return narrow.scale() == wide.scale() && narrow.precision() <= wide.precision();
}

/// The fields of a struct by the names that the table has for them.
Status FindFields(const arrow::FieldVector& bound, const arrow::FieldVector& wanted,
                  const std::string& parent, std::vector<int>* sources) {
  const auto path = [&](const std::string& name) {
    return parent.empty() ? name : parent + "." + name;
  };
  const auto position = [](const arrow::FieldVector& fields, const std::string& name) {
    const auto found = std::ranges::find(fields, name, [](const auto& f) { return f->name(); });
    return found == fields.end() ? -1 : static_cast<int>(found - fields.begin());
  };
  for (const auto& field : bound) {
    if (position(wanted, field->name()) >= 0) continue;
    std::string names;
    for (const auto& other : wanted) names += (names.empty() ? "" : ", ") + other->name();
    return Error(StatusCode::kInvalidArgument,
                 "the table does not have a column of its rows: column={} the_table_has={}",
                 path(field->name()), names);
  }
  sources->clear();
  for (const auto& field : wanted) {
    sources->push_back(position(bound, field->name()));
    if (sources->back() >= 0 || field->nullable()) continue;
    return Error(StatusCode::kInvalidArgument,
                 "the table requires a column that its rows do not have: column={} type={}",
                 path(field->name()), DataTypeName(*field->type()));
  }
  return {};
}

/// Whether Convert() can make `wanted` of what was given as `bound`.
Status CheckType(const arrow::DataType& bound, const arrow::DataType& wanted,
                 const std::string& column) {
  if (IsTypeOf(bound, wanted) || IsWider(bound, wanted)) return {};
  if (bound.id() == wanted.id() && bound.id() == Type::STRUCT) {
    std::vector<int> sources;
    PH_RETURN_IF_ERROR(FindFields(bound.fields(), wanted.fields(), column, &sources));
    for (size_t i = 0; i < sources.size(); ++i) {
      if (sources[i] < 0) continue;
      const arrow::Field& field = *wanted.field(static_cast<int>(i));
      PH_RETURN_IF_ERROR(
          CheckType(*bound.field(sources[i])->type(), *field.type(), column + "." + field.name()));
    }
    return {};
  }
  if (bound.id() == wanted.id() && bound.id() == Type::LIST) {
    return CheckType(*bound.field(0)->type(), *wanted.field(0)->type(), column);
  }
  if (bound.id() == wanted.id() && bound.id() == Type::MAP) {
    const auto& from = static_cast<const arrow::MapType&>(bound);
    const auto& to = static_cast<const arrow::MapType&>(wanted);
    if (from.key_type()->Equals(*to.key_type())) {
      return CheckType(*from.item_type(), *to.item_type(), column);
    }
  }
  return Error(StatusCode::kInvalidArgument,
               "a column of the rows has another type than the table's: column={} table={} rows={}",
               column, DataTypeName(wanted), DataTypeName(bound));
}

using ArrayResult = Result<std::shared_ptr<arrow::Array>>;

ArrayResult Nulls(const std::shared_ptr<arrow::DataType>& type, int64_t length) {
  PH_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(type, length));
  return nulls;
}

/// `given` as `wanted`; CheckType() has passed. `bound` is its type with the table's names.
ArrayResult Convert(const std::shared_ptr<arrow::Array>& given, const arrow::DataType& bound,
                    const std::shared_ptr<arrow::DataType>& wanted) {
  if (IsTypeOf(*given->type(), *wanted)) return given;
  const arrow::ArrayData& data = *given->data();
  arrow::ArrayDataVector children;
  const auto child = [&](int i) {
    return arrow::MakeArray(data.child_data[static_cast<size_t>(i)]);
  };
  if (wanted->id() == Type::STRUCT) {
    std::vector<int> sources;
    PH_RETURN_IF_ERROR(FindFields(bound.fields(), wanted->fields(), "", &sources));
    for (size_t i = 0; i < sources.size(); ++i) {
      const auto& type = wanted->field(static_cast<int>(i))->type();
      // Children are as long as all that the struct was cut from.
      ArrayResult column = sources[i] < 0
                               ? Nulls(type, data.offset + data.length)
                               : Convert(child(sources[i]), *bound.field(sources[i])->type(), type);
      PH_RETURN_IF_ERROR(column);
      children.push_back((*column)->data());
    }
  } else if (wanted->id() == Type::LIST) {
    PH_ASSIGN_OR_RETURN(const auto values,
                        Convert(child(0), *bound.field(0)->type(), wanted->field(0)->type()));
    children.push_back(values->data());
  } else if (wanted->id() == Type::MAP) {
    const auto& from = static_cast<const arrow::MapType&>(bound);
    const auto& to = static_cast<const arrow::MapType&>(*wanted);
    const arrow::ArrayData& entries = *data.child_data[0];
    PH_ASSIGN_OR_RETURN(const auto values, Convert(arrow::MakeArray(entries.child_data[1]),
                                                   *from.item_type(), to.item_type()));
    children.push_back(arrow::ArrayData::Make(to.value_type(), entries.length, entries.buffers,
                                              {entries.child_data[0], values->data()},
                                              entries.null_count, entries.offset));
  } else {
    PH_ASSIGN_OR_RETURN(auto widened, arrow::compute::Cast(*given, wanted));
    return widened;
  }
  return arrow::MakeArray(arrow::ArrayData::Make(
      wanted, data.length, data.buffers, std::move(children), data.null_count, data.offset));
}

}  // namespace

RowAdapter::RowAdapter(const iceberg::TableMetadata& table)
    : location_(table.location),
      binder_(table),
      schema_(iceberg::ArrowFromSchema(table.CurrentSchema())) {}

Status RowAdapter::Plan(const arrow::Schema& given) {
  PH_ASSIGN_OR_RETURN(bound_, binder_.Bind(given));
  PH_RETURN_IF_ERROR(FindFields(bound_->fields(), schema_->fields(), "", &sources_));
  is_identity_ = given.num_fields() == schema_->num_fields();
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const int source = sources_[static_cast<size_t>(i)];
    const arrow::DataType& wanted = *schema_->field(i)->type();
    is_identity_ = is_identity_ && source == i && IsTypeOf(*given.field(i)->type(), wanted);
    if (source < 0) continue;
    PH_RETURN_IF_ERROR(
        CheckType(*bound_->field(source)->type(), wanted, schema_->field(i)->name()));
  }
  return {};
}

Result<std::shared_ptr<arrow::RecordBatch>> RowAdapter::Adapt(
    const std::shared_ptr<arrow::RecordBatch>& rows) {
  if (rows->schema() != given_) {
    given_.reset();
    const Status planned = Plan(*rows->schema());
    if (!planned.ok()) return planned.WithContext(location_);
    given_ = rows->schema();
  }
  if (is_identity_) return rows;
  arrow::ArrayVector columns;
  arrow::FieldVector fields;
  for (int i = 0; i < schema_->num_fields(); ++i) {
    const int source = sources_[static_cast<size_t>(i)];
    const auto& type = schema_->field(i)->type();
    ArrayResult column = source < 0
                             ? Nulls(type, rows->num_rows())
                             : Convert(rows->column(source), *bound_->field(source)->type(), type);
    PH_RETURN_IF_ERROR(column);
    fields.push_back(schema_->field(i)->WithType((*column)->type()));
    columns.push_back(*std::move(column));
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), rows->num_rows(),
                                  std::move(columns));
}

}  // namespace playhead::table
