#pragma once

#include "playhead/iceberg/types.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace playhead::iceberg {

/// Table property that says the folders of data files where they are more than the partition
/// fields: names of fields, and `day(FIELD) as NAME` for a folder with the day of an hour field.
/// `day(hour) as date, hour` is `date=2026-08-21/hour=2026-08-21-05`. Iceberg allows one time
/// transform of a column in a partition spec, Hive-style readers like two levels.
inline constexpr std::string_view kFoldersKey = "playhead.folders";

/// Names the Hive folders of a table's partition keys: one for each field of the spec, or what
/// `playhead.folders` says if that names each field of the spec once. Threads: any.
class PartitionFolders {
 public:
  PartitionFolders(const TableMetadata& table, const PartitionSpec& spec);

  /// Each folder with a slash behind it: `event_type=play/date=2026-08-21/`.
  std::string Of(const std::vector<PartitionValue>& key) const;

 private:
  struct Level {
    size_t value = 0;       ///< position in the key
    PartitionField folder;  ///< its name and transform
    bool is_day_of_hour = false;
    TypeKind source = TypeKind::kString;
  };

  static bool Parse(std::string_view property, const PartitionSpec& spec,
                    std::vector<Level>& levels);

  std::vector<Level> levels_;
};

}  // namespace playhead::iceberg
