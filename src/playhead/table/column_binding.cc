#include "playhead/table/column_binding.h"

#include "playhead/iceberg/arrow_schema.h"

#include <arrow/type.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

namespace playhead::table {
namespace {

using iceberg::NestedField;
using iceberg::TypeKind;

/// `parent.name`; a name that is not a plain word is quoted, so that paths cannot meet.
std::string PathOf(const std::string& parent, const std::string& name) {
  const std::string part =
      name.find_first_of(".\"") == std::string::npos ? name : nlohmann::json(name).dump();
  return parent.empty() ? part : parent + "." + part;
}

/// Damaged or foreign contents only mean that names decide.
std::map<std::string, int32_t> ReadColumnIds(const iceberg::TableMetadata& table) {
  std::map<std::string, int32_t> ids;
  const auto property = table.properties.find(std::string(kColumnsKey));
  if (property == table.properties.end()) return ids;
  const nlohmann::json object = nlohmann::json::parse(property->second, nullptr, false);
  if (!object.is_object()) return ids;
  for (const auto& [path, id] : object.items()) {
    if (id.is_number_integer()) ids.emplace(path, id.get<int32_t>());
  }
  return ids;
}

const NestedField* FindByName(const std::vector<NestedField>& fields, const std::string& name) {
  const auto found = std::ranges::find(fields, name, &NestedField::name);
  return found == fields.end() ? nullptr : &*found;
}

class Binder {
 public:
  explicit Binder(const std::map<std::string, int32_t>& ids) : ids_(ids) {}

  Result<arrow::FieldVector> Bind(const arrow::FieldVector& declared,
                                  const std::vector<NestedField>& table,
                                  const std::string& parent) const {
    std::map<const NestedField*, std::string> taken;
    std::vector<const NestedField*> found(declared.size());
    for (size_t i = 0; i < declared.size(); ++i) {
      const auto id = ids_.find(PathOf(parent, declared[i]->name()));
      if (id == ids_.end()) continue;
      const auto field = std::ranges::find(table, id->second, &NestedField::id);
      if (field == table.end()) continue;
      found[i] = &*field;
      taken.emplace(found[i], declared[i]->name());
    }
    arrow::FieldVector bound;
    for (size_t i = 0; i < declared.size(); ++i) {
      const std::string& name = declared[i]->name();
      if (found[i] == nullptr) {
        found[i] = FindByName(table, name);
        const auto other = taken.find(found[i]);
        if (found[i] != nullptr && other != taken.end()) {
          return Error(StatusCode::kInvalidArgument,
                       "two declared columns are one column of the table: columns={}, {} "
                       "table_column={}: another writer renamed {} to {}; declare one of them",
                       PathOf(parent, other->second), PathOf(parent, name), found[i]->name,
                       other->second, name);
        }
      }
      if (found[i] == nullptr) {
        bound.push_back(declared[i]);
        continue;
      }
      PH_ASSIGN_OR_RETURN(auto type,
                          BindType(declared[i]->type(), *found[i]->type, PathOf(parent, name)));
      bound.push_back(arrow::field(found[i]->name, std::move(type), declared[i]->nullable()));
    }
    return bound;
  }

 private:
  Result<std::shared_ptr<arrow::DataType>> BindType(
      const std::shared_ptr<arrow::DataType>& declared, const iceberg::Type& table,
      const std::string& path) const {
    if (declared->id() == arrow::Type::INT32 && table.kind == TypeKind::kLong) {
      return arrow::int64();
    }
    if (declared->id() == arrow::Type::FLOAT && table.kind == TypeKind::kDouble) {
      return arrow::float64();
    }
    if (declared->id() == arrow::Type::DECIMAL128 && table.kind == TypeKind::kDecimal) {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(*declared);
      if (decimal.scale() != table.scale || decimal.precision() >= table.precision) return declared;
      return arrow::decimal128(table.precision, table.scale);
    }
    if (declared->id() == arrow::Type::STRUCT && table.kind == TypeKind::kStruct) {
      PH_ASSIGN_OR_RETURN(auto fields, Bind(declared->fields(), table.fields, path));
      return arrow::struct_(std::move(fields));
    }
    if (declared->id() == arrow::Type::LIST && table.kind == TypeKind::kList) {
      const std::shared_ptr<arrow::Field>& element = declared->field(0);
      PH_ASSIGN_OR_RETURN(auto type, BindType(element->type(), *table.fields[0].type, path));
      return arrow::list(element->WithType(std::move(type)));
    }
    if (declared->id() == arrow::Type::MAP && table.kind == TypeKind::kMap) {
      const auto& map = static_cast<const arrow::MapType&>(*declared);
      PH_ASSIGN_OR_RETURN(auto type, BindType(map.item_type(), *table.fields[1].type, path));
      return std::shared_ptr<arrow::DataType>(std::make_shared<arrow::MapType>(
          map.key_field(), map.item_field()->WithType(std::move(type))));
    }
    return declared;
  }

  const std::map<std::string, int32_t>& ids_;
};

void AddIds(const arrow::DataType& declared, const arrow::DataType& bound,
            const iceberg::Type& table, const std::string& path, nlohmann::json& ids);

void AddIds(const arrow::FieldVector& declared, const arrow::FieldVector& bound,
            const std::vector<NestedField>& table, const std::string& parent, nlohmann::json& ids) {
  for (size_t i = 0; i < declared.size(); ++i) {
    const NestedField* field = FindByName(table, bound[i]->name());
    PH_CHECK(field != nullptr);
    const std::string path = PathOf(parent, declared[i]->name());
    ids[path] = field->id;
    AddIds(*declared[i]->type(), *bound[i]->type(), *field->type, path, ids);
  }
}

void AddIds(const arrow::DataType& declared, const arrow::DataType& bound,
            const iceberg::Type& table, const std::string& path, nlohmann::json& ids) {
  if (declared.id() == arrow::Type::STRUCT) {
    AddIds(declared.fields(), bound.fields(), table.fields, path, ids);
  } else if (declared.id() == arrow::Type::LIST) {
    AddIds(*declared.field(0)->type(), *bound.field(0)->type(), *table.fields[0].type, path, ids);
  } else if (declared.id() == arrow::Type::MAP) {
    AddIds(*static_cast<const arrow::MapType&>(declared).item_type(),
           *static_cast<const arrow::MapType&>(bound).item_type(), *table.fields[1].type, path,
           ids);
  }
}

}  // namespace

ColumnBinder::ColumnBinder(const iceberg::TableMetadata& table)
    : schema_(table.CurrentSchema()), ids_(ReadColumnIds(table)) {}

Result<std::shared_ptr<arrow::Schema>> ColumnBinder::Bind(const arrow::Schema& declared) const {
  PH_ASSIGN_OR_RETURN(arrow::FieldVector fields,
                      Binder(ids_).Bind(declared.fields(), schema_.fields, ""));
  return arrow::schema(std::move(fields));
}

std::string ColumnIds(const arrow::Schema& declared, const arrow::Schema& bound,
                      const iceberg::Schema& schema) {
  nlohmann::json ids = nlohmann::json::object();
  AddIds(declared.fields(), bound.fields(), schema.fields, "", ids);
  return ids.dump();
}

}  // namespace playhead::table
