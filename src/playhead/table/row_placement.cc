#include "playhead/table/row_placement.h"

#include "playhead/base/arrow_status.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/iceberg/schema_json.h"
#include "playhead/iceberg/transforms.h"
#include "playhead/table/column_binding.h"

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>

#include <algorithm>
#include <functional>
#include <map>

namespace playhead::table {
namespace {

using iceberg::PartitionValue;

/// Reads single values of a column as partition values.
using ValueReader = std::function<PartitionValue(int64_t row)>;

template <typename Array>
ValueReader ReaderOf(const std::shared_ptr<arrow::Array>& array) {
  return [values = std::static_pointer_cast<Array>(array)](int64_t row) -> PartitionValue {
    if (values->IsNull(row)) return std::monostate{};
    if constexpr (std::is_base_of_v<arrow::BinaryArray, Array>) {
      return values->GetString(row);
    } else {
      return values->Value(row);
    }
  };
}

Result<ValueReader> MakeReader(const std::shared_ptr<arrow::Array>& array) {
  switch (array->type_id()) {
    case arrow::Type::BOOL:
      return ReaderOf<arrow::BooleanArray>(array);
    case arrow::Type::INT32:
      return ReaderOf<arrow::Int32Array>(array);
    case arrow::Type::DATE32:
      return ReaderOf<arrow::Date32Array>(array);
    case arrow::Type::INT64:
      return ReaderOf<arrow::Int64Array>(array);
    case arrow::Type::TIME64:
      return ReaderOf<arrow::Time64Array>(array);
    case arrow::Type::TIMESTAMP:
      return ReaderOf<arrow::TimestampArray>(array);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return ReaderOf<arrow::BinaryArray>(array);
    case arrow::Type::DICTIONARY: {
      const auto coded = std::static_pointer_cast<arrow::DictionaryArray>(array);
      PH_ASSIGN_OR_RETURN(const ValueReader text, MakeReader(coded->dictionary()));
      return ValueReader([coded, text](int64_t row) -> PartitionValue {
        if (coded->IsNull(row)) return std::monostate{};
        return text(coded->GetValueIndex(row));
      });
    }
    default:
      return Error(StatusCode::kInternal, "no partition value of this type: type={}",
                   array->type()->ToString());
  }
}

Status Refuse(const iceberg::TableMetadata& table, const iceberg::PartitionField& field,
              const iceberg::NestedField* source) {
  return Error(
      StatusCode::kNotSupported,
      "rows cannot be partitioned as another writer wants it: table={} field={}: {}({}) of {} is "
      "not supported; drop the field (ALTER TABLE … DROP PARTITION FIELD {}) and ingest goes on",
      table.location, field.name, iceberg::TransformName(field),
      source == nullptr ? "?" : source->name,
      source == nullptr ? "a column that is gone" : iceberg::DeclaredTypeName(*source->type),
      field.name);
}

}  // namespace

iceberg::Transform ToIceberg(PartitionTransform transform) {
  switch (transform) {
    case PartitionTransform::kIdentity:
      return iceberg::Transform::kIdentity;
    case PartitionTransform::kDay:
      return iceberg::Transform::kDay;
    case PartitionTransform::kHour:
      return iceberg::Transform::kHour;
  }
  return iceberg::Transform::kIdentity;
}

Result<RowPlacement> RowPlacement::Make(const iceberg::TableMetadata& table,
                                        const TableSpec* declared) {
  RowPlacement placement;
  const iceberg::PartitionSpec& spec = table.DefaultSpec();
  const iceberg::Schema& schema = table.CurrentSchema();
  std::vector<iceberg::PartitionField> given;
  if (declared != nullptr) {
    PH_ASSIGN_OR_RETURN(const auto bound, ColumnBinder(table).Bind(*declared->schema));
    for (const PartitionDecl& field : declared->partition_by) {
      const int column = declared->schema->GetFieldIndex(field.source_column);
      const iceberg::NestedField* source =
          column < 0 ? nullptr : schema.FindByName(bound->field(column)->name());
      given.push_back({.source_id = source == nullptr ? 0 : source->id,
                       .transform = ToIceberg(field.transform)});
    }
  }
  placement.key_size_ = declared == nullptr ? spec.fields.size() : given.size();
  for (const iceberg::PartitionField& field : spec.fields) {
    Field placed{.field = field};
    if (declared == nullptr) placed.given = placement.fields_.size();
    for (size_t i = 0; i < given.size(); ++i) {
      if (given[i].source_id == field.source_id && given[i].transform == field.transform) {
        placed.given = i;
      }
    }
    if (!placed.given && field.transform != iceberg::Transform::kVoid) {
      const auto source =
          std::ranges::find(schema.fields, field.source_id, &iceberg::NestedField::id);
      if (source == schema.fields.end() || !iceberg::CanTransform(field, source->type->kind)) {
        return Refuse(table, field, schema.FindById(field.source_id));
      }
      placed.column = static_cast<int>(source - schema.fields.begin());
      placed.kind = source->type->kind;
      ++placement.computed_;
    }
    placement.fields_.push_back(std::move(placed));
  }
  return placement;
}

RowPlacement::Key RowPlacement::Place(const Key& given) const {
  Key key;
  for (const Field& field : fields_) {
    key.push_back(field.given ? given[*field.given] : PartitionValue(std::monostate{}));
  }
  return key;
}

Result<std::vector<RowPlacement::Part>> RowPlacement::Split(
    const Key& given, const std::shared_ptr<arrow::RecordBatch>& rows) const {
  Key key = Place(given);
  std::vector<std::pair<size_t, ValueReader>> readers;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].column < 0) continue;
    PH_ASSIGN_OR_RETURN(ValueReader reader, MakeReader(rows->column(fields_[i].column)));
    readers.emplace_back(i, std::move(reader));
  }
  std::map<Key, size_t> parts_by_key;
  std::vector<std::pair<Key, arrow::Int64Builder>> chosen;
  for (int64_t row = 0; row < rows->num_rows(); ++row) {
    for (const auto& [i, reader] : readers) {
      key[i] = iceberg::ApplyTransform(fields_[i].field, fields_[i].kind, reader(row));
    }
    const auto [entry, is_new] = parts_by_key.try_emplace(key, chosen.size());
    if (is_new) chosen.emplace_back(key, arrow::Int64Builder());
    PH_RETURN_IF_ERROR(chosen[entry->second].second.Append(row));
  }
  std::vector<Part> parts;
  if (chosen.size() == 1) return std::vector<Part>{{.key = std::move(key), .rows = rows}};
  for (auto& [part_key, builder] : chosen) {
    PH_ASSIGN_OR_RETURN(const auto indices, builder.Finish());
    PH_ASSIGN_OR_RETURN(
        const arrow::Datum taken,
        arrow::compute::Take(rows, indices, arrow::compute::TakeOptions::NoBoundsCheck()));
    parts.push_back({.key = std::move(part_key), .rows = taken.record_batch()});
  }
  return parts;
}

}  // namespace playhead::table
