#include "playhead/project/partition_decl.h"

#include "playhead/base/suggest.h"
#include "playhead/base/text_case.h"
#include "playhead/project/yaml_file.h"

#include <arrow/type.h>

#include <algorithm>
#include <regex>

namespace playhead::project {
namespace {

/// Those of an identity field are compared with the column's values, so they must be such.
Status CheckAcceptedValues(const PartitionDecl& field, const ColumnDecl& column) {
  if (field.transform != PartitionTransform::kIdentity ||
      column.type->id() == arrow::Type::STRING) {
    return OkStatus();
  }
  for (const std::string& value : column.accepted_values) {
    if (ParseIdentityValue(*column.type, value)) continue;
    return Error(StatusCode::kInvalidArgument, "accepted value '{}' of column {} is not a {}",
                 value, column.name, column.data_type);
  }
  return OkStatus();
}

}  // namespace

Result<PartitionDecl> ParsePartitionField(std::string_view text) {
  static const auto* const kPattern = new std::regex(
      R"(\s*(?:([A-Za-z]+)\s*\(\s*([A-Za-z_]\w*)\s*\)|([A-Za-z_]\w*))(?:\s+[Aa][Ss]\s+([A-Za-z_]\w*))?\s*)");
  std::match_results<std::string_view::const_iterator> match;
  if (text.size() > kMatchedBytesMax ||
      !std::regex_match(text.begin(), text.end(), match, *kPattern)) {
    return Error(StatusCode::kInvalidArgument,
                 "got '{}', expected COLUMN, day(COLUMN) or hour(COLUMN), with 'as NAME' if wanted",
                 text);
  }
  PartitionDecl field;
  field.source_column = match[3].matched ? match[3].str() : match[2].str();
  std::string suffix;
  if (match[1].matched) {
    const std::string transform = match[1].str();
    if (EqualsIgnoringCase(transform, "day")) {
      field.transform = PartitionTransform::kDay;
      suffix = "_day";
    } else if (EqualsIgnoringCase(transform, "hour")) {
      field.transform = PartitionTransform::kHour;
      suffix = "_hour";
    } else if (!EqualsIgnoringCase(transform, "identity")) {
      return Error(StatusCode::kInvalidArgument,
                   "unknown transform '{}'; expected identity, day or hour", transform);
    }
  }
  field.name = match[4].matched ? match[4].str() : field.source_column + suffix;
  return field;
}

Status CheckPartitionField(const PartitionDecl& field, const std::vector<ColumnDecl>& columns) {
  const auto source = std::find_if(columns.begin(), columns.end(), [&](const ColumnDecl& column) {
    return column.name == field.source_column;
  });
  if (source == columns.end()) {
    std::vector<std::string> names;
    for (const ColumnDecl& column : columns) names.push_back(column.name);
    return Error(StatusCode::kInvalidArgument, "no column is named '{}'{}", field.source_column,
                 DidYouMean(field.source_column, names));
  }
  // A column whose type is itself a mistake has been reported already.
  if (source->type != nullptr && !CanPartition(field.transform, *source->type)) {
    return Error(StatusCode::kInvalidArgument,
                 "column {} of type {} does not go with that transform; expected {}",
                 field.source_column, source->data_type, PartitionTypes(field.transform));
  }
  if (source->type != nullptr) PH_RETURN_IF_ERROR(CheckAcceptedValues(field, *source));
  for (const ColumnDecl& column : columns) {
    const bool is_itself = field.transform == PartitionTransform::kIdentity &&
                           column.name == field.source_column && column.name == field.name;
    if (!is_itself && EqualsIgnoringCase(column.name, field.name)) {
      return Error(StatusCode::kInvalidArgument,
                   "'{}' is a column; give the partition field another name with 'as NAME'",
                   field.name);
    }
  }
  return OkStatus();
}

}  // namespace playhead::project
