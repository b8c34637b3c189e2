#include "playhead/iceberg/partition_type.h"

#include "playhead/iceberg/schema_json.h"

namespace playhead::iceberg {
namespace {

struct KindOfValue {
  TypeKind operator()(std::monostate) const { return TypeKind::kString; }
  TypeKind operator()(bool) const { return TypeKind::kBoolean; }
  TypeKind operator()(int32_t) const { return TypeKind::kInt; }
  TypeKind operator()(int64_t) const { return TypeKind::kLong; }
  TypeKind operator()(float) const { return TypeKind::kFloat; }
  TypeKind operator()(double) const { return TypeKind::kDouble; }
  TypeKind operator()(const std::string&) const { return TypeKind::kBinary; }
};

bool IsNull(const PartitionValue& value) { return std::holds_alternative<std::monostate>(value); }

Type TypeOfValues(const std::vector<ManifestEntry>& entries, size_t field) {
  for (const ManifestEntry& entry : entries) {
    const auto& partition = entry.file.partition;
    if (field >= partition.size() || IsNull(partition[field])) continue;
    return Type{.kind = std::visit(KindOfValue{}, partition[field])};
  }
  return Type{.kind = TypeKind::kString};
}

/// The value if it is a `Wanted`, or a `Narrow` that fits into one.
template <typename Wanted, typename Narrow>
std::optional<PartitionValue> Widen(const PartitionValue& value) {
  if (std::holds_alternative<Wanted>(value)) return value;
  if (const auto* narrow = std::get_if<Narrow>(&value)) {
    return PartitionValue(static_cast<Wanted>(*narrow));
  }
  return std::nullopt;
}

std::optional<PartitionValue> Convert(const PartitionValue& value, const Type& type) {
  switch (type.kind) {
    case TypeKind::kBoolean:
      return Widen<bool, bool>(value);
    case TypeKind::kInt:
    case TypeKind::kDate:
      return Widen<int32_t, int32_t>(value);
    case TypeKind::kLong:
    case TypeKind::kTime:
    case TypeKind::kTimestamp:
    case TypeKind::kTimestamptz:
      return Widen<int64_t, int32_t>(value);
    case TypeKind::kFloat:
      return Widen<float, float>(value);
    case TypeKind::kDouble:
      return Widen<double, float>(value);
    case TypeKind::kString:
    case TypeKind::kBinary:
      return Widen<std::string, std::string>(value);
    case TypeKind::kUuid:
    case TypeKind::kFixed: {
      const size_t length = type.kind == TypeKind::kUuid ? 16 : static_cast<size_t>(type.length);
      const auto* bytes = std::get_if<std::string>(&value);
      return bytes != nullptr && bytes->size() == length ? std::optional(value) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

std::vector<Type> PartitionTypes(const Schema& schema, const PartitionSpec& spec,
                                 const std::vector<ManifestEntry>& entries) {
  std::vector<Type> types;
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    const PartitionField& field = spec.fields[i];
    switch (field.transform) {
      case Transform::kDay:
        types.push_back(Type{.kind = TypeKind::kDate});
        continue;
      case Transform::kYear:
      case Transform::kMonth:
      case Transform::kHour:
      case Transform::kBucket:
        types.push_back(Type{.kind = TypeKind::kInt});
        continue;
      case Transform::kIdentity:
      case Transform::kTruncate:
      case Transform::kVoid:
        break;
    }
    const NestedField* source = schema.FindById(field.source_id);
    types.push_back(source != nullptr ? *source->type : TypeOfValues(entries, i));
  }
  return types;
}

Result<PartitionValue> ToPartitionType(const PartitionValue& value, const Type& type) {
  if (IsNull(value)) return value;
  if (type.kind == TypeKind::kDecimal) {
    return Error(StatusCode::kNotSupported, "decimal columns cannot be partitioned by");
  }
  if (auto converted = Convert(value, type)) return *std::move(converted);
  return Error(StatusCode::kInvalidArgument, "partition value has another type: expected={}",
               TypeName(type));
}

}  // namespace playhead::iceberg
