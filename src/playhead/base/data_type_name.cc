#include "playhead/base/data_type_name.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace playhead {
namespace {

std::string QuotedFieldName(const std::string& name) {
  const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
  const bool is_plain = !name.empty() && std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                        std::all_of(name.begin(), name.end(), is_word);
  if (is_plain) return name;
  std::string quoted = "\"";
  for (char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string StructName(const arrow::DataType& type) {
  std::string name = "STRUCT(";
  for (const auto& field : type.fields()) {
    if (name.back() != '(') name += ", ";
    name += QuotedFieldName(field->name()) + " " + DataTypeName(*field->type());
  }
  return name + ")";
}

}  // namespace

std::string DataTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
      return "BOOLEAN";
    case arrow::Type::INT32:
      return "INTEGER";
    case arrow::Type::INT64:
      return "BIGINT";
    case arrow::Type::FLOAT:
      return "FLOAT";
    case arrow::Type::DOUBLE:
      return "DOUBLE";
    case arrow::Type::STRING:
      return "VARCHAR";
    case arrow::Type::DATE32:
      return "DATE";
    case arrow::Type::BINARY:
      return "BLOB";
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? "TIMESTAMP"
                                                                               : "TIMESTAMPTZ";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return fmt::format("DECIMAL({},{})", decimal.precision(), decimal.scale());
    }
    case arrow::Type::LIST:
      return DataTypeName(*static_cast<const arrow::ListType&>(type).value_type()) + "[]";
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      return "MAP(" + DataTypeName(*map.key_type()) + ", " + DataTypeName(*map.item_type()) + ")";
    }
    case arrow::Type::STRUCT:
      return StructName(type);
    case arrow::Type::TIME64:
      return "TIME";
    case arrow::Type::FIXED_SIZE_BINARY:
      return "BLOB";
    case arrow::Type::DICTIONARY:
      return DataTypeName(*static_cast<const arrow::DictionaryType&>(type).value_type());
    case arrow::Type::EXTENSION: {
      const auto& extension = static_cast<const arrow::ExtensionType&>(type);
      return extension.extension_name() == "arrow.uuid" ? "UUID"
                                                        : DataTypeName(*extension.storage_type());
    }
    default:
      return type.ToString();
  }
}

}  // namespace playhead
