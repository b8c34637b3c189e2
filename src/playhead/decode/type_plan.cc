#include "playhead/decode/type_plan.h"

#include "playhead/base/arrow_status.h"
#include "playhead/base/data_type_name.h"

#include <arrow/type.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <utility>

namespace playhead::decode {
namespace {

constexpr size_t kNamesMax = 32'767;

template <typename T>
uint64_t Load(const char* p) {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

Status Refuse(const std::string& column, const arrow::DataType& type) {
  return Error(StatusCode::kInvalidArgument, "type cannot be decoded: column={} type={}", column,
               DataTypeName(type));
}

Result<TypePlan> MakeChild(const std::string& column, std::string name, const arrow::Field& field) {
  PH_ASSIGN_OR_RETURN(TypePlan child, MakeTypePlan(column + "." + name, *field.type()));
  child.name = std::move(name);
  child.is_required = !field.nullable();
  return child;
}

Status CheckDistinct(const std::string& where, const std::vector<TypePlan>& fields) {
  std::set<std::string_view> seen;
  for (const TypePlan& field : fields) {
    if (!seen.insert(field.name).second) {
      return Error(StatusCode::kInvalidArgument, "name declared twice: in={} name={}", where,
                   field.name);
    }
  }
  if (fields.size() > kNamesMax) {
    return Error(StatusCode::kInvalidArgument, "too many fields: in={} fields={} max={}", where,
                 fields.size(), kNamesMax);
  }
  return OkStatus();
}

/// Fills what is computed from a struct's fields; the last `hidden` ones are not found by name.
void PrepareStruct(TypePlan* plan, size_t hidden) {
  std::vector<std::string> names;
  for (TypePlan& field : plan->children) {
    if (field.is_required) plan->required.push_back(static_cast<uint32_t>(names.size()));
    names.push_back(field.name);
  }
  names.resize(names.size() - hidden);
  for (size_t i = 0; i < names.size(); ++i) {
    bool is_plain = std::all_of(names[i].begin(), names[i].end(), [](char c) {
      return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
    });
    if (is_plain) plan->children[i].quoted_name = "\"" + names[i] + "\"";
  }
  plan->names = NameTable(std::move(names));
}

Result<TypePlan> MakeNested(const std::string& column, const arrow::DataType& type) {
  TypePlan plan;
  if (type.id() == arrow::Type::LIST) {
    plan.kind = TypeKind::kList;
    const auto& list = static_cast<const arrow::ListType&>(type);
    PH_ASSIGN_OR_RETURN(TypePlan element, MakeChild(column, "element", *list.value_field()));
    plan.children.push_back(std::move(element));
    return plan;
  }
  if (type.id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(type);
    if (map.key_type()->id() != arrow::Type::STRING) return Refuse(column, type);
    plan.kind = TypeKind::kMap;
    PH_ASSIGN_OR_RETURN(TypePlan key, MakeChild(column, "key", *map.key_field()));
    PH_ASSIGN_OR_RETURN(TypePlan item, MakeChild(column, "value", *map.item_field()));
    plan.children.push_back(std::move(key));
    plan.children.push_back(std::move(item));
    return plan;
  }
  if (type.id() != arrow::Type::STRUCT) return Refuse(column, type);
  plan.kind = TypeKind::kStruct;
  if (type.num_fields() == 0) return Refuse(column, type);
  for (const auto& field : type.fields()) {
    PH_ASSIGN_OR_RETURN(TypePlan child, MakeChild(column, field->name(), *field));
    plan.children.push_back(std::move(child));
  }
  PH_RETURN_IF_ERROR(CheckDistinct(column, plan.children));
  PrepareStruct(&plan, /*hidden=*/0);
  return plan;
}

bool IsMicros(const arrow::DataType& type) {
  const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
  return timestamp.unit() == arrow::TimeUnit::MICRO &&
         (timestamp.timezone().empty() || timestamp.timezone() == "UTC");
}

}  // namespace

NameTable::NameTable(std::vector<std::string> names) : names_(std::move(names)) {
  table_.assign(std::bit_ceil(names_.size() * 4 + 1), -1);
  mask_ = table_.size() - 1;
  for (size_t i = 0; i < names_.size(); ++i) {
    uint64_t place = Hash(names_[i]) & mask_;
    while (table_[place] >= 0) place = (place + 1) & mask_;
    table_[place] = static_cast<int16_t>(i);
  }
}

int NameTable::Find(std::string_view name) const {
  if (table_.empty()) return -1;
  for (uint64_t place = Hash(name) & mask_; table_[place] >= 0; place = (place + 1) & mask_) {
    if (names_[static_cast<size_t>(table_[place])] == name) return table_[place];
  }
  return -1;
}

uint64_t NameTable::Hash(std::string_view name) {
  // The first and last bytes and the length tell the names of one schema apart well enough; the
  // names are declared by the project, so nobody outside can choose colliding ones.
  uint64_t first = 0;
  uint64_t last = 0;
  const char* p = name.data();
  size_t size = name.size();
  if (size >= 8) {
    first = Load<uint64_t>(p);
    last = Load<uint64_t>(p + size - 8);
  } else if (size >= 4) {
    first = Load<uint32_t>(p);
    last = Load<uint32_t>(p + size - 4);
  } else if (size > 0) {
    first = static_cast<uint8_t>(p[0]);
    last = static_cast<uint64_t>(static_cast<uint8_t>(p[size / 2])) << 8 |
           static_cast<uint8_t>(p[size - 1]);
  }
  uint64_t mixed = (first * 0x9E3779B97F4A7C15u) ^ ((last + size) * 0xC2B2AE3D27D4EB4Fu);
  return mixed ^ mixed >> 32;
}

Result<TypePlan> MakeTypePlan(const std::string& column, const arrow::DataType& type) {
  TypePlan plan;
  switch (type.id()) {
    case arrow::Type::BOOL:
      plan.kind = TypeKind::kBool;
      break;
    case arrow::Type::INT32:
      plan.kind = TypeKind::kInt32;
      break;
    case arrow::Type::INT64:
      plan.kind = TypeKind::kInt64;
      break;
    case arrow::Type::FLOAT:
      plan.kind = TypeKind::kFloat32;
      break;
    case arrow::Type::DOUBLE:
      plan.kind = TypeKind::kFloat64;
      break;
    case arrow::Type::DATE32:
      plan.kind = TypeKind::kDate32;
      break;
    case arrow::Type::STRING:
      plan.kind = TypeKind::kText;
      break;
    case arrow::Type::BINARY:
      plan.kind = TypeKind::kBinary;
      break;
    case arrow::Type::TIMESTAMP:
      if (!IsMicros(type)) return Refuse(column, type);
      plan.kind = TypeKind::kTimestamp;
      break;
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      if (decimal.scale() < 0 || decimal.scale() > decimal.precision()) {
        return Refuse(column, type);
      }
      plan.kind = TypeKind::kDecimal128;
      plan.precision = decimal.precision();
      plan.scale = decimal.scale();
      break;
    }
    default: {
      PH_ASSIGN_OR_RETURN(plan, MakeNested(column, type));
    }
  }
  plan.name = column;
  plan.type_name = DataTypeName(type);
  return plan;
}

Result<TypePlan> MakeRecordPlan(const RowSchema& schema) {
  TypePlan record;
  record.kind = TypeKind::kStruct;
  for (const Column& column : schema.columns) {
    if (column.type == nullptr) {
      return Error(StatusCode::kInvalidArgument, "column without a type: column={}", column.name);
    }
    PH_ASSIGN_OR_RETURN(TypePlan plan, MakeTypePlan(column.name, *column.type));
    plan.is_required = column.is_required;
    record.children.push_back(std::move(plan));
  }
  std::vector<TypePlan> all = record.children;
  for (const auto& field : SourceFields()) {
    TypePlan source;
    source.name = field->name();
    all.push_back(std::move(source));
  }
  PH_RETURN_IF_ERROR(CheckDistinct("record", all));
  if (schema.has_ingestion_date) {
    if (schema.columns.empty() || schema.columns.back().name != "ingestion_date" ||
        record.children.back().kind != TypeKind::kDate32) {
      return Error(StatusCode::kInvalidArgument,
                   "the last column must be ingestion_date of type date32: columns={}",
                   schema.columns.size());
    }
    // The source fills it, not the record.
    record.children.back().is_required = false;
  }
  PrepareStruct(&record, /*hidden=*/schema.has_ingestion_date ? 1 : 0);
  return record;
}

}  // namespace playhead::decode
