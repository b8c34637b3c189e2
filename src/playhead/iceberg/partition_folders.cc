#include "playhead/iceberg/partition_folders.h"

#include "playhead/iceberg/values.h"

#include <algorithm>

namespace playhead::iceberg {
namespace {

constexpr int32_t kHoursPerDay = 24;
constexpr std::string_view kDay = "day(";
constexpr std::string_view kAs = ") as ";

std::string_view Trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// A column that was dropped is no longer in the current schema, but in an older one.
TypeKind SourceKind(const TableMetadata& table, int32_t source_id) {
  const NestedField* source = table.CurrentSchema().FindById(source_id);
  for (size_t i = 0; source == nullptr && i < table.schemas.size(); ++i) {
    source = table.schemas[i].FindById(source_id);
  }
  return source == nullptr ? TypeKind::kString : source->type->kind;
}

PartitionValue DayOfHour(const PartitionValue& value) {
  const auto* hour = std::get_if<int32_t>(&value);
  if (hour == nullptr) return std::monostate{};
  return *hour / kHoursPerDay - (*hour % kHoursPerDay < 0 ? 1 : 0);
}

}  // namespace

PartitionFolders::PartitionFolders(const TableMetadata& table, const PartitionSpec& spec) {
  const auto property = table.properties.find(std::string(kFoldersKey));
  if (property == table.properties.end() || !Parse(property->second, spec, levels_)) {
    levels_.clear();
    for (size_t i = 0; i < spec.fields.size(); ++i) {
      levels_.push_back({.value = i, .folder = spec.fields[i]});
    }
  }
  for (Level& level : levels_) level.source = SourceKind(table, level.folder.source_id);
}

/// False where the folders do not tell all values of a key apart, or tell of other fields: then
/// they are those of another spec.
bool PartitionFolders::Parse(std::string_view property, const PartitionSpec& spec,
                             std::vector<Level>& levels) {
  std::vector<int> uses(spec.fields.size());
  while (!property.empty()) {
    const size_t comma = std::min(property.find(','), property.size());
    std::string_view name = Trim(property.substr(0, comma));
    property.remove_prefix(std::min(comma + 1, property.size()));
    Level level;
    std::string_view day_name;
    if (const size_t as = name.find(kAs); name.starts_with(kDay) && as != std::string_view::npos) {
      level.is_day_of_hour = true;
      day_name = name.substr(as + kAs.size());
      name = name.substr(kDay.size(), as - kDay.size());
    }
    const auto field = std::ranges::find(spec.fields, name, &PartitionField::name);
    if (field == spec.fields.end()) return false;
    level.value = static_cast<size_t>(field - spec.fields.begin());
    level.folder = *field;
    if (level.is_day_of_hour) {
      if (field->transform != Transform::kHour) return false;
      level.folder.name = day_name;
      level.folder.transform = Transform::kDay;
    } else {
      ++uses[level.value];
    }
    levels.push_back(std::move(level));
  }
  return std::ranges::all_of(uses, [](int count) { return count == 1; });
}

std::string PartitionFolders::Of(const std::vector<PartitionValue>& key) const {
  std::string folders;
  for (const Level& level : levels_) {
    if (level.value >= key.size()) continue;
    const PartitionValue& value = key[level.value];
    folders +=
        HiveFolder(level.folder, level.is_day_of_hour ? DayOfHour(value) : value, level.source);
    folders += '/';
  }
  return folders;
}

}  // namespace playhead::iceberg
