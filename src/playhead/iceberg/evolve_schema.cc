#include "playhead/base/text_case.h"
#include "playhead/iceberg/arrow_schema.h"
#include "playhead/iceberg/field_ids.h"
#include "playhead/iceberg/schema_json.h"

#include <algorithm>
#include <set>

namespace playhead::iceberg {
namespace {

bool IsWider(const Type& current, const Type& wanted) {
  if (current.kind == TypeKind::kInt) return wanted.kind == TypeKind::kLong;
  if (current.kind == TypeKind::kFloat) return wanted.kind == TypeKind::kDouble;
  return current.kind == TypeKind::kDecimal && wanted.kind == TypeKind::kDecimal &&
         current.scale == wanted.scale && current.precision < wanted.precision;
}

/// Turns the fields of a table into those of a wanted schema, in place, and says whether it had to.
class Evolution {
 public:
  Evolution(std::set<int32_t> identifier_ids, int32_t* last_column_id)
      : identifier_ids_(std::move(identifier_ids)), last_column_id_(last_column_id) {}

  bool has_changed() const { return has_changed_; }

  Status MergeFields(std::vector<NestedField>* current, const std::vector<NestedField>& wanted,
                     const std::string& parent) {
    for (NestedField& field : *current) {
      const auto match = std::find_if(wanted.begin(), wanted.end(), [&](const NestedField& other) {
        return other.name == field.name;
      });
      const std::string column = Path(parent, field.name);
      if (match == wanted.end()) {
        PH_RETURN_IF_ERROR(MakeOptional(&field, column));
      } else {
        PH_RETURN_IF_ERROR(MergeField(&field, *match, column));
      }
    }
    return AddMissing(current, wanted, parent);
  }

 private:
  static std::string Path(const std::string& parent, const std::string& name) {
    return parent.empty() ? name : fmt::format("{}.{}", parent, name);
  }

  static Status Refuse(const std::string& column, std::string_view reason) {
    return Error(StatusCode::kInvalidArgument, "schema change is refused: column={}: {}", column,
                 reason);
  }

  Status MakeOptional(NestedField* field, const std::string& column) {
    if (!field->is_required) return {};
    if (identifier_ids_.contains(field->id)) {
      return Refuse(column, "an identifier column must stay required");
    }
    field->is_required = false;
    has_changed_ = true;
    return {};
  }

  Status MergeField(NestedField* current, const NestedField& wanted, const std::string& column) {
    if (!wanted.is_required) PH_RETURN_IF_ERROR(MakeOptional(current, column));
    PH_ASSIGN_OR_RETURN(current->type, MergeType(current->type, *wanted.type, column));
    return {};
  }

  Result<std::shared_ptr<const Type>> MergeType(const std::shared_ptr<const Type>& current,
                                                const Type& wanted, const std::string& column) {
    if (IsWider(*current, wanted)) {
      has_changed_ = true;
      return std::make_shared<const Type>(wanted);
    }
    if (TypeName(*current) != TypeName(wanted)) {
      return Refuse(column, fmt::format("the table has {}, the declaration {}; declare {}, or give "
                                        "the new type a column of another name",
                                        DeclaredTypeName(*current), DeclaredTypeName(wanted),
                                        DeclaredTypeName(*current)));
    }
    Type merged = *current;
    if (merged.kind == TypeKind::kStruct) {
      PH_RETURN_IF_ERROR(MergeFields(&merged.fields, wanted.fields, column));
    } else if (merged.kind == TypeKind::kMap) {
      PH_RETURN_IF_ERROR(CheckKey(merged.fields[0], wanted.fields[0], column));
      PH_RETURN_IF_ERROR(MergeField(&merged.fields[1], wanted.fields[1], Path(column, "value")));
    } else if (merged.kind == TypeKind::kList) {
      PH_RETURN_IF_ERROR(MergeField(&merged.fields[0], wanted.fields[0], Path(column, "element")));
    }
    return std::make_shared<const Type>(std::move(merged));
  }

  /// Keys are compared by readers, so nothing about them may change.
  static Status CheckKey(const NestedField& current, const NestedField& wanted,
                         const std::string& column) {
    std::set<int32_t> no_identifiers;
    int32_t unused_id = 0;
    Evolution evolution(no_identifiers, &unused_id);
    NestedField key = current;
    PH_RETURN_IF_ERROR(evolution.MergeField(&key, wanted, Path(column, "key")));
    if (evolution.has_changed()) return Refuse(Path(column, "key"), "map keys cannot change");
    return {};
  }

  Status AddMissing(std::vector<NestedField>* current, const std::vector<NestedField>& wanted,
                    const std::string& parent) {
    std::vector<NestedField> added;
    for (const NestedField& field : wanted) {
      const auto same_name = [&](const NestedField& other) { return other.name == field.name; };
      if (std::any_of(current->begin(), current->end(), same_name)) continue;
      for (const NestedField& other : *current) {
        if (!EqualsIgnoringCase(other.name, field.name)) continue;
        return Refuse(Path(parent, field.name),
                      fmt::format("the table has {}, which differs in case only; declare it as {}",
                                  other.name, other.name));
      }
      added.push_back(field);
      added.back().is_required = false;
    }
    if (added.empty()) return {};
    has_changed_ = true;
    PH_RETURN_IF_ERROR(AssignFreshIds(&added, last_column_id_));
    current->insert(current->end(), added.begin(), added.end());
    return {};
  }

  std::set<int32_t> identifier_ids_;
  int32_t* last_column_id_;
  bool has_changed_ = false;
};

}  // namespace

Result<std::optional<Schema>> EvolveSchema(const Schema& current, const arrow::Schema& wanted,
                                           int32_t* last_column_id) {
  // The ids of `wanted` are not used: new columns get theirs where they are added.
  int32_t unused_id = 0;
  PH_ASSIGN_OR_RETURN(const Schema wanted_schema, SchemaFromArrow(wanted, &unused_id));
  int32_t next_last_column_id = *last_column_id;
  Evolution evolution({current.identifier_field_ids.begin(), current.identifier_field_ids.end()},
                      &next_last_column_id);
  Schema evolved = current;
  PH_RETURN_IF_ERROR(evolution.MergeFields(&evolved.fields, wanted_schema.fields, ""));
  if (!evolution.has_changed()) return std::optional<Schema>();
  *last_column_id = next_last_column_id;
  return std::optional<Schema>(std::move(evolved));
}

}  // namespace playhead::iceberg
