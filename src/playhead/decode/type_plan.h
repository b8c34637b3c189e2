#pragma once

#include "playhead/base/status.h"
#include "playhead/decode/row_schema.h"

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::decode {

/// Finds one of a few fixed names; at most 32,767.
class NameTable {
 public:
  NameTable() = default;
  explicit NameTable(std::vector<std::string> names);

  /// Position of `name`, or -1.
  int Find(std::string_view name) const;

 private:
  static uint64_t Hash(std::string_view name);

  std::vector<std::string> names_;
  std::vector<int16_t> table_;  // open addressing, -1 = free
  uint64_t mask_ = 0;
};

enum class TypeKind : uint8_t {
  kBool,
  kInt32,
  kInt64,
  kFloat32,
  kFloat64,
  kDate32,
  kTimestamp,
  kDecimal128,
  kText,
  kBinary,
  kList,
  kStruct,
  kMap,
};

/// An Arrow type prepared for decoding.
struct TypePlan {
  TypeKind kind = TypeKind::kText;
  bool is_required = false;
  /// The name as JSON usually spells it, in quotes; empty when it needs escapes or is not to be
  /// found.
  std::string quoted_name;
  std::string name;       ///< of the column or field, for messages
  int32_t precision = 0;  ///< decimals
  int32_t scale = 0;
  std::vector<TypePlan> children;  ///< list: element; map: key, value; struct: fields
  NameTable names;                 ///< of a struct's fields
  std::vector<uint32_t> required;  ///< positions of a struct's required fields
  std::string type_name;           ///< as messages say it: `BIGINT`, `VARCHAR[]`

  bool is_nested() const {
    return kind == TypeKind::kList || kind == TypeKind::kStruct || kind == TypeKind::kMap;
  }
};

/// Errors: kInvalidArgument names the column and the type that cannot be decoded.
Result<TypePlan> MakeTypePlan(const std::string& column, const arrow::DataType& type);

/// The record as a struct of the declared columns. The column `ingestion_date` of a schema that has
/// one cannot be found by name, since it is not read from the record.
Result<TypePlan> MakeRecordPlan(const RowSchema& schema);

}  // namespace playhead::decode
