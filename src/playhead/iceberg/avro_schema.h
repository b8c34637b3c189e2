#pragma once

#include "playhead/base/status.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::iceberg {

enum class AvroKind {
  kNull,
  kBoolean,
  kInt,
  kLong,
  kFloat,
  kDouble,
  kBytes,
  kString,
  kFixed,
  kEnum,
  kArray,
  kMap,
  kRecord,
  kUnion,
};

struct AvroType;

struct AvroField {
  std::string name;
  int32_t field_id = -1;  ///< Iceberg's `field-id`; -1 if it has none
  const AvroType* type = nullptr;
};

struct AvroType {
  AvroKind kind = AvroKind::kNull;
  int64_t size = 0;                       ///< fixed: bytes
  std::vector<AvroField> fields;          ///< record
  std::vector<const AvroType*> branches;  ///< union
  const AvroType* item = nullptr;         ///< array: element; map: value

  const AvroField* FindField(int32_t field_id) const;
};

/// The schema of an Avro file. Owns its types, which may refer to each other (and to themselves).
class AvroSchema {
 public:
  /// Errors: kDataCorrupt.
  static Result<AvroSchema> Parse(std::string_view json);

  const AvroType& root() const { return *root_; }

 private:
  AvroSchema() = default;

  std::vector<std::unique_ptr<AvroType>> types_;
  const AvroType* root_ = nullptr;
};

}  // namespace playhead::iceberg
